"""The way through a script by the grammar's tables: words are told apart, rules completed, nodes made.

Owns the lexer and the LALR(1) automaton. In each state only that is looked for which can stand there, so that a keyword
is a keyword where one can stand, and a name everywhere else. Which node a rule becomes is `build`'s, what is said
where reading ends early is `syntax`'s.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from dsl.language import Rule, tables
from dsl.tree import Span

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*")
_END = "$END"
_DEEPEST = 120
"""How deep nodes may stand in each other: some forty blocks in blocks. Everything that walks the tree recurses."""

_Value: TypeAlias = tuple[Any, int, int, int, int, int]
"""What a symbol stands for, from which line and column to which (all 0 where it is empty), and how deep it is."""


_NOWHERE: _Value = (None, 0, 0, 0, 0, 0)


class TooDeepError(Exception):
    """What stands at `span` is nested too deeply to be read."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


class UnreadableError(Exception):
    """Reading ends at the offset `at`: what stands there, or that nothing does, cannot stand there."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Piece(msgspec.Struct, frozen=True, gc=False):
    """What was told apart: the terminal's name, and from which offset to which it stands."""

    terminal: str
    start: int
    end: int


class _Expected:
    """What can stand in a state, in the order in which it is tried."""

    def __init__(self, row: dict[str, int]) -> None:
        words, signs = _fixed()
        self.words = {words[name]: name for name in row.keys() & words.keys()}
        fitting = [(signs[name], name) for name in row.keys() & signs.keys()]
        self.signs = sorted(fitting, key=lambda item: (-len(item[0]), item))
        self.forms = [(name, _form(name), self._inside(name)) for name in tables().forms if name in row]

    def _inside(self, form: str) -> dict[str, str]:
        """The fixed words that look like this form, and take its place where they can stand."""
        return {text: self.words[text] for text in self.words.keys() & _alike(form)}


@functools.cache
def _fixed() -> tuple[dict[str, str], dict[str, str]]:
    """The texts of words and of signs, by their terminals."""
    words = {name: text for name, text in tables().words.items() if text[0].isalpha()}
    return words, {name: text for name, text in tables().words.items() if name not in words}


@functools.cache
def _form(name: str) -> Callable[[str, int], re.Match[str] | None]:
    return re.compile(tables().forms[name]).match


@functools.cache
def _alike(form: str) -> frozenset[str]:
    fits = re.compile(tables().forms[form]).fullmatch
    return frozenset(text for text in tables().words.values() if fits(text))


@functools.cache
def _expected(state: int) -> _Expected:
    return _Expected(tables().rows[state])


@functools.cache
def _ignored() -> Callable[[str, int], re.Match[str] | None]:
    return re.compile(f"(?:{'|'.join(tables().forms[name] for name in tables().ignored)})*").match


class Reading:
    """One script on its way through the tables.

    Places are in `file`, and `included` as in a Span. `make` gets a node's name, its place, and its children: nodes,
    words, and `None` for what was left out. Without it no nodes are made.
    """

    def __init__(self, text: str, file: str = "", included: str = "", make: Callable[..., Any] | None = None) -> None:
        self.text = text
        self.file = file
        self.included = included
        self.states = [0]
        self._rows = tables().rows
        self._make = make
        self._values: list[_Value] = []
        self._line = 1
        self._line_start = 0
        self._at = 0

    def run(self) -> list[Any]:
        """Read all of it; the nodes of its declarations. Raises UnreadableError and TooDeepError."""
        while (piece := self.next()) is not None:
            self.take(piece)
        self.finish()
        declarations: list[Any] = self._values[0][0]
        return declarations

    def next(self) -> Piece | None:
        """What stands next, without taking it; None at the end. Raises UnreadableError where nothing fits."""
        text = self.text
        found = _ignored()(text, self._at)
        at = self._at if found is None else found.end()
        if at >= len(text):
            return None
        expected = _expected(self.states[-1])
        for name, form, inside in expected.forms:
            if (found := form(text, at)) is not None:
                return Piece(inside.get(found[0], name), at, found.end())
        if (found := _WORD.match(text, at)) is not None:
            if found[0] in expected.words:
                return Piece(expected.words[found[0]], at, found.end())
        else:
            for sign, name in expected.signs:
                if text.startswith(sign, at):
                    return Piece(name, at, at + len(sign))
        raise UnreadableError(at)

    def take(self, piece: Piece) -> None:
        """Go on behind what stood next. Raises UnreadableError, with the states as they are then, and TooDeepError."""
        rows, terminal = self._rows, piece.terminal
        while (action := rows[self.states[-1]].get(terminal)) is not None and action < 0:
            self._complete(tables().rules[-1 - action])
        if action is None:
            raise UnreadableError(piece.start)
        text = self.text
        if lines := text.count("\n", self._at, piece.start):
            self._line += lines
            self._line_start = text.rfind("\n", self._at, piece.start) + 1
        column = piece.start - self._line_start + 1
        self._at = piece.end
        self.states.append(action)
        written = text[piece.start : piece.end]
        self._values.append((written, self._line, column, self._line, column + piece.end - piece.start, 0))

    def finish(self) -> None:
        """Nothing follows. Raises UnreadableError where something must."""
        while self.states[-1] != tables().end:
            action = self._rows[self.states[-1]].get(_END)
            if action is None:
                raise UnreadableError(len(self.text))
            self._complete(tables().rules[-1 - action])

    def _complete(self, rule: Rule) -> None:
        states, values = self.states, self._values
        # Only a script without a declaration is a rule without a symbol.
        children, first, last = list[_Value](), _NOWHERE, _NOWHERE
        if size := len(rule.symbols):
            children = values[-size:]
            first, last = children[0], children[-1]
            del states[-size:]
            del values[-size:]
        states.append(self._rows[states[-1]][rule.origin])
        depth = 0
        for child in children:
            if child[5] > depth:
                depth = child[5]
        value: Any = None
        if self._make is not None:
            place = Span(self.file, first[1], first[2], last[3], last[4], self.included)
            value, depth = self._made(self._make, rule, children, place, depth)
        values.append((value, first[1], first[2], last[3], last[4], depth))

    @staticmethod
    def _made(make: Callable[..., Any], rule: Rule, children: list[_Value], place: Span, depth: int) -> tuple[Any, int]:
        taken: list[Any] = []
        for number, inlined, nones in rule.taken:
            taken += [None] * nones
            if inlined and not taken:
                # Nobody else has this list: what repeats grows one, instead of being copied for each that follows.
                taken = children[number][0]
            elif inlined:
                taken += children[number][0]
            else:
                taken.append(children[number][0])
        taken += [None] * rule.nones
        if rule.single and len(taken) == 1:
            return taken[0], depth
        if not rule.node or rule.origin == "start":
            return taken, depth
        if depth >= _DEEPEST:
            raise TooDeepError(place)
        return make(rule.node, place, taken), depth + 1

    def acceptable(self, states: list[int]) -> frozenset[str]:
        """The terminals that can stand where these states have led, `$END` for the end among them."""
        row = tables().rows[states[-1]]
        return frozenset(name for name in row if self._leads_on(list(states), name))

    @property
    def unfinished(self) -> list[Any]:
        """What was read and belongs to nothing yet, the outermost first: words and signs as written, nodes, and
        lists of nodes that stand side by side.
        """
        return [value[0] for value in self._values]

    def completes(self, terminal: str) -> frozenset[str]:
        """The rules of the grammar that this terminal, which can stand next, is all of."""
        rows, rules, states = self._rows, tables().rules, list(self.states)
        while (action := rows[states[-1]][terminal]) < 0:
            self._unwind(states, rules[-1 - action])
        return frozenset(rules[-1 - number].origin for number in rows[action].values() if number < 0)

    def _unwind(self, states: list[int], rule: Rule) -> None:
        """Go from behind a rule's symbols to behind the rule."""
        if rule.symbols:
            del states[-len(rule.symbols) :]
        states.append(self._rows[states[-1]][rule.origin])

    def _leads_on(self, states: list[int], terminal: str) -> bool:
        known = tables()
        while (action := known.rows[states[-1]].get(terminal)) is not None and action < 0:
            self._unwind(states, known.rules[-1 - action])
        return action is not None and (terminal == _END or terminal in known.words or terminal in known.forms)
