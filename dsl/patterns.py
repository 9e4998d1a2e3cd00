"""Number patterns: `+49X(6-12)`, `0Z[2-5]X(3)`, `9{n:X(3-15)}`.

Owns their syntax, the text that one pattern matches, what its captures take, and a set of patterns that
finds all those that match in one walk over the dialled text, however many there are. Whether a rule's
other conditions hold is decided by `evaluate`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from typing import TypeAlias

from dsl.values import Frozen

DIGITS = "0123456789"
ALPHABET = DIGITS + "+*#"
LONGEST = 32
"""The most digits that one count may ask for: twice what E.164 allows."""

_CLASSES = {"X": DIGITS, "Z": DIGITS[1:], "N": DIGITS[2:]}
_COUNT = re.compile(r"\(([0-9]{1,3})(?:-([0-9]{1,3}))?\)").match
_RANGE = re.compile(r"\[([0-9](?:-[0-9])?(?:,?[0-9](?:-[0-9])?)*)\]").match
_CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*):").match

capture_name = re.compile(r"[a-z][a-z0-9_]*").fullmatch
"""Whether this can be the name of a capture."""


class PatternError(ValueError):
    """What is wrong with a pattern, how many characters into it, and what to write instead."""

    def __init__(self, offset: int, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.advice = advice


class Element(Frozen):
    """From `least` to `most` characters, each of `characters`."""

    characters: str
    least: int = 1
    most: int = 1


class Pattern(Frozen):
    """A parsed pattern. `captures` holds name, first element and the element after its last."""

    text: str
    elements: tuple[Element, ...]
    captures: tuple[tuple[str, int, int], ...] = ()

    def regular_expression(self) -> re.Pattern[str]:
        """The same language as a regular expression, captures as named groups."""
        opening = {first: name for name, first, _ in self.captures}
        closing = {after for _, _, after in self.captures}
        parts: list[str] = []
        for index, element in enumerate(self.elements):
            if index in opening:
                parts.append(f"(?P<{opening[index]}>")
            parts.append(_expression(element))
            if index + 1 in closing:
                parts.append(")")
        return re.compile("".join(parts))

    def matches(self, text: str) -> bool:
        """Whether the whole text is of this form."""
        return self.regular_expression().fullmatch(text) is not None


def _expression(element: Element) -> str:
    """An element as a regular expression, as short as it can be: compiling it is what costs."""
    characters = re.escape(element.characters)
    one = characters if len(element.characters) == 1 else f"[{characters}]"
    return one if element.least == element.most == 1 else f"{one}{{{element.least},{element.most}}}"


def parse_pattern(text: str) -> Pattern:
    """Read a pattern, without its backticks. Raises PatternError."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.elements: list[Element] = []
        self.captures: list[tuple[str, int, int]] = []
        self.open: tuple[str, int, int] | None = None

    def read(self) -> Pattern:
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "{":
                self._open_capture()
            elif character == "}":
                self._close_capture()
            else:
                self.elements.append(self._counted(self._characters()))
        if self.open is not None:
            raise PatternError(self.open[2], "this capture is not closed", "end it with `}`")
        if not self.elements:
            raise PatternError(0, "a pattern cannot be empty", "for any number write `X(1-32)`")
        if all(element.least == 0 for element in self.elements):
            raise PatternError(0, "a pattern must ask for at least one character")
        return Pattern(self.text, tuple(self.elements), tuple(self.captures))

    def _open_capture(self) -> None:
        opening = _CAPTURE(self.text, self.at)
        if opening is None:
            raise PatternError(self.at, "a capture is written `{name:...}` with a lower-case name")
        if self.open is not None:
            raise PatternError(self.at, "a capture cannot stand inside another", "end the first with `}` before it")
        if any(name == opening[1] for name, _, _ in self.captures):
            raise PatternError(self.at, f"`{opening[1]}` is captured twice")
        self.open = (opening[1], len(self.elements), self.at)
        self.at = opening.end()

    def _close_capture(self) -> None:
        if self.open is None:
            raise PatternError(self.at, "no capture is open here")
        name, first, start = self.open
        if first == len(self.elements):
            raise PatternError(start, f"`{name}` captures nothing")
        self.captures.append((name, first, len(self.elements)))
        self.open = None
        self.at += 1

    def _characters(self) -> str:
        character = self.text[self.at]
        if character in ALPHABET or character in _CLASSES:
            self.at += 1
            return _CLASSES.get(character, character)
        if character == "[":
            bracket = _RANGE(self.text, self.at)
            if bracket is None:
                raise PatternError(self.at, "this is no set of digits", "one is written `[2-5]` or `[1,3,7-9]`")
            self.at = bracket.end()
            return _members(bracket[1], bracket.start())
        raise PatternError(self.at, f"`{character}` means nothing in a pattern", _meant(character))

    def _counted(self, characters: str) -> Element:
        if self.text[self.at : self.at + 1] != "(":
            return Element(characters)
        count = _COUNT(self.text, self.at)
        if count is None:
            raise PatternError(self.at, "this is no count", "one is written `(6)` or `(6-12)`")
        least, most = int(count[1]), int(count[2] or count[1])
        if most > LONGEST:
            raise PatternError(self.at, f"at most {LONGEST} characters can be counted")
        if least > most or most == 0:
            advice = f"write `({most}-{least})`" if most else "at least one"
            raise PatternError(self.at, "a count goes from the lower number to the higher", advice)
        self.at = count.end()
        return Element(characters, least, most)


_ELSEWHERE = {
    "_": "leave it out: a pattern is in backticks, and nothing begins it",
    ".": "for more digits write how many, such as `X(1-20)`",
    "!": "for more digits write how many, such as `X(1-20)`",
    "^": "leave it out: a pattern is of the whole number",
    "$": "leave it out: a pattern is of the whole number",
    " ": "write a number without spaces",
    "-": "write a number without hyphens",
    "/": "write a number without signs between its digits",
    "(": "a count stands behind what it counts, such as `X(6-12)`",
    "?": "a digit that may be missing is written `X(0-1)`",
    "\\": "leave it out: `\\d` is written `X`",
    "|": "write a rule for each, or `in` and several patterns",
}


def _meant(character: str) -> str:
    """What to write instead of a character of other systems' patterns."""
    if character in _ELSEWHERE:
        return _ELSEWHERE[character]
    if character.upper() in _CLASSES:
        return f"write `{character.upper()}`, with a capital letter"
    if character.isalpha():
        return "of letters there are `X` for 0 to 9, `Z` for 1 to 9 and `N` for 2 to 9"
    return "there are digits, `+`, `*`, `#`, `X`, `Z`, `N`, `[2-5]`, `X(6-12)` and `{name:...}`"


def _members(inside: str, offset: int) -> str:
    chosen: set[str] = set()
    for first, last in re.findall(r"([0-9])(?:-([0-9]))?", inside):
        if last and last < first:
            raise PatternError(offset, "a range of digits goes from the lower to the higher")
        chosen.update(DIGITS[int(first) : int(last or first) + 1])
    return "".join(sorted(chosen))


_Position: TypeAlias = tuple[int, int, int]
"""A pattern's index, one of its elements, and how many characters of that element were read."""

_MOST_STATES = 50_000
_PREPARED_ABOVE = 64


class _State(dict[str, "_State"]):
    """Where the walk stands after some characters: the states after one more, made when first needed."""

    __slots__ = ("accepted", "owner", "positions")

    def __init__(self, owner: PatternSet, positions: frozenset[_Position], accepted: tuple[int, ...]) -> None:
        super().__init__()
        self.owner = owner
        self.positions = positions
        self.accepted = accepted

    def __missing__(self, character: str) -> _State:
        return self.owner.follow(self, character)


class PatternSet:
    """Many patterns in one automaton, built as far as texts have walked it; a match costs one look-up a
    character.

    `match` gives the indices of all patterns that match, lowest first. States are shared, counted and
    forgotten above a bound, so no caller can fill the memory with made-up numbers; those that many patterns share are
    made at once and kept.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._elements = [pattern.elements for pattern in patterns]
        self._states: dict[frozenset[_Position], _State] = {}
        self._dead = _State(self, frozenset(), ())
        first: set[_Position] = set()
        for index in range(len(self._elements)):
            self._enter(first, index, 0)
        self._start = _State(self, frozenset(first), ())
        self._kept: dict[frozenset[_Position], _State] = {}
        self._open = [self._start]
        self._prepare()
        self._kept = dict(self._states)
        self._open = [state for state in (self._start, *self._kept.values()) if len(state) == 0]

    def match(self, text: str) -> tuple[int, ...]:
        """Indices of the patterns that the whole text is of, ascending."""
        return reduce(_State.__getitem__, text, self._start).accepted

    def follow(self, state: _State, character: str) -> _State:
        """The state after one more character, remembered in the state before it."""
        if character not in ALPHABET or not state.positions:
            return self._dead
        reached: set[_Position] = set()
        for position in state.positions:
            if character in self._taken_by(position):
                self._advance(reached, position)
        following = state[character] = self._state(frozenset(reached))
        return following

    def _taken_by(self, position: _Position) -> str:
        index, element, _ = position
        elements = self._elements[index]
        return elements[element].characters if element < len(elements) else ""

    def _advance(self, reached: set[_Position], position: _Position) -> None:
        index, element, count = position
        here = self._elements[index][element]
        if count + 1 >= here.least:
            self._enter(reached, index, element + 1)
        if count + 1 < here.most:
            reached.add((index, element, count + 1))

    def _enter(self, reached: set[_Position], index: int, element: int) -> None:
        elements = self._elements[index]
        reached.add((index, element, 0))
        while element < len(elements) and elements[element].least == 0:
            element += 1
            reached.add((index, element, 0))

    def _state(self, positions: frozenset[_Position]) -> _State:
        if not positions:
            return self._dead
        known = self._states.get(positions)
        if known is None:
            if len(self._states) >= _MOST_STATES:
                self._forget()
            ended = {index for index, element, _ in positions if element == len(self._elements[index])}
            known = self._states[positions] = _State(self, positions, tuple(sorted(ended)))
        return known

    def _forget(self) -> None:
        """Leave out all states but those that were prepared: making these again is what a call would wait for."""
        self._states = dict(self._kept)
        for state in self._open:
            state.clear()

    def _prepare(self) -> None:
        """Build the states that many patterns share now, so that no call waits for them."""
        waiting = [self._start]
        while waiting and len(self._states) < _MOST_STATES // 2:
            state = waiting.pop()
            if not state and len(state.positions) > _PREPARED_ABOVE:
                reached: dict[str, set[_Position]] = {character: set() for character in ALPHABET}
                for position in state.positions:
                    for character in self._taken_by(position):
                        self._advance(reached[character], position)
                for character, positions in reached.items():
                    state[character] = self._state(frozenset(positions))
                waiting.extend(state.values())
