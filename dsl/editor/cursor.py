"""Where somebody is writing: what was read up to there, what can follow, and which names are known.

Owns the scope of the place: the event, the parameters of its sub, and what the rules around it bound. It is found in
what the parser holds unfinished, so it needs no end of what is being written, and no line below.
"""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec

from dsl import tree
from dsl.damaged import read_beginning
from dsl.patterns import PatternError, parse_pattern
from dsl.vocabulary import OUTCOMES

_WORD = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_-]*|[0-9]+[a-z]*)?$")
_PIECE = re.compile(r'"[^"\n]*"?|`[^`\n]*`?|#.*')
_CONDITIONS = get_args(tree.Condition)


class Cursor(msgspec.Struct, frozen=True):
    """A place in a script.

    `word` is what was written of the word there, `expected` the terminals that can stand in its place, and `completes`
    the rules of the grammar that a name there is all of. `before` is what is unfinished: words, nodes, and lists of
    nodes. `event` is empty outside of events; `bound` has for each name a row's table, a parameter's type, or nothing.
    """

    word: str
    expected: frozenset[str]
    completes: frozenset[str]
    before: list[Any]
    event: str
    sub: str
    bound: dict[str, str]

    def last(self, back: int = 1) -> str:
        """The word or sign so many places before, empty where something else stands there."""
        value = self.before[-back] if len(self.before) >= back else None
        return value if isinstance(value, str) else ""

    def nearest(self, *among: str) -> str:
        """Which of these words stands nearest before, empty where none does."""
        return next((value for value in reversed(self.before) if isinstance(value, str) and value in among), "")


def cursor(text: str, line: int, column: int) -> Cursor | None:
    """What is known of a place, counted as in a Span; None within texts, patterns and comments, and where what is being
    written cannot be read so far.
    """
    lines = text.split("\n")[:line]
    here = lines[-1][: column - 1]
    found = _WORD.search(here)
    word = "" if found is None else found[0]
    begun = here[: len(here) - len(word)]
    if any(_is_open(piece, begun) for piece in _PIECE.finditer(begun)):
        return None
    reading = read_beginning("\n".join([*lines[:-1], begun]))
    if reading is None:
        return None
    expected = reading.acceptable(reading.states)
    completes = reading.completes("NAME") if "NAME" in expected else frozenset[str]()
    return Cursor(word, expected, completes, reading.unfinished, *_scope(reading.unfinished))


def _is_open(piece: re.Match[str], begun: str) -> bool:
    closed = len(piece[0]) > 1 and piece[0][-1] == piece[0][0] != "#"
    return piece.end() == len(begun) and not closed


def _scope(before: list[Any]) -> tuple[str, str, dict[str, str]]:
    """The event, the sub, and what is bound."""
    event, sub = "", ""
    bound: dict[str, str] = {}
    for last, value in zip(["", *before], before, strict=False):
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, tree.Parameter):
                bound[node.name.text] = node.type.text
            elif isinstance(node, _CONDITIONS):
                bound |= _bound(node)
        if isinstance(value, tree.Name):
            if last == "on":
                event = value.text
            elif last == "sub":
                sub = value.text
            elif value.text in OUTCOMES and (last == "{" or isinstance(last, list)):
                event = value.text
    return event, sub, bound


def _bound(condition: tree.Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.walk(condition):
        match node:
            case tree.Lookup(table=table, bound=tree.Name(text=name)):
                found[name] = table.text
            case tree.Matches(pattern=pattern):
                found |= dict.fromkeys(_captures(pattern), "")
            case _:
                pass
    return found


def _captures(pattern: tree.Pattern) -> list[str]:
    try:
        return [name for name, _, _ in parse_pattern(pattern.text).captures]
    except PatternError:
        return []
