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

from dsl.language import Rule, rows, tables
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


_Match: TypeAlias = Callable[[str, int], re.Match[str] | None]


@functools.cache
def _words() -> dict[str, str]:
    """The terminals of words, by their texts."""
    return {text: name for name, text in tables().words.items() if text[0].isalpha()}


@functools.cache
def _signs() -> list[tuple[str, str]]:
    """The texts of signs with their terminals, the longest first."""
    signs = ((text, name) for name, text in tables().words.items() if not text[0].isalpha())
    return sorted(signs, key=lambda sign: -len(sign[0]))


@functools.cache
def _form(name: str) -> _Match:
    return re.compile(tables().forms[name]).match


@functools.cache
def _forms(state: int) -> list[tuple[str, _Match]]:
    """The forms that can stand in a state, in the order in which they are tried."""
    row = rows()[state]
    return [(name, _form(name)) for name in tables().forms if name in row]


@functools.cache
def _ignored() -> _Match:
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
        self._rows = rows()
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
        state, words = self.states[-1], _words()
        row = self._rows[state]
        for name, form in _forms(state):
            if (found := form(text, at)) is not None:
                # A fixed word that looks like this form takes its place where it can stand.
                word = words.get(found[0], "")
                return Piece(word if word in row else name, at, found.end())
        if (found := _WORD.match(text, at)) is not None:
            word = words.get(found[0], "")
            if word in row:
                return Piece(word, at, found.end())
        else:
            for sign, name in _signs():
                if name in row and text.startswith(sign, at):
                    return Piece(name, at, at + len(sign))
        raise UnreadableError(at)

    def take(self, piece: Piece) -> None:
        """Go on behind what stood next. Raises UnreadableError, with the states as they are then, and TooDeepError."""
        table, terminal = self._rows, piece.terminal
        while (action := table[self.states[-1]].get(terminal)) is not None and action < 0:
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
        row = self._rows[states[-1]]
        return frozenset(name for name in row if self._leads_on(list(states), name))

    @property
    def unfinished(self) -> list[Any]:
        """What was read and belongs to nothing yet, the outermost first: words and signs as written, nodes, and
        lists of nodes that stand side by side.
        """
        return [value[0] for value in self._values]

    def completes(self, terminal: str) -> frozenset[str]:
        """The rules of the grammar that this terminal, which can stand next, is all of."""
        table, rules, states = self._rows, tables().rules, list(self.states)
        while (action := table[states[-1]][terminal]) < 0:
            self._unwind(states, rules[-1 - action])
        return frozenset(rules[-1 - number].origin for number in table[action].values() if number < 0)

    def _unwind(self, states: list[int], rule: Rule) -> None:
        """Go from behind a rule's symbols to behind the rule."""
        if rule.symbols:
            del states[-len(rule.symbols) :]
        states.append(self._rows[states[-1]][rule.origin])

    def _leads_on(self, states: list[int], terminal: str) -> bool:
        known = tables()
        while (action := self._rows[states[-1]].get(terminal)) is not None and action < 0:
            self._unwind(states, known.rules[-1 - action])
        return action is not None and (terminal == _END or terminal in known.words or terminal in known.forms)
