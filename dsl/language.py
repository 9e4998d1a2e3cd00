"""The grammar as data: its parse tables, the fixed words, and how each construct can begin.

Owns what is asked of the grammar while a script is read. How the tables come to be is for `grammar_tables`, what a
parse tree becomes for `build`, what a mistake is called for `syntax`.
"""

from __future__ import annotations

import functools

import msgspec

from dsl.grammar_tables import GRAMMAR as GRAMMAR
from dsl.grammar_tables import kept, made


class Rule(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A rule of the grammar, and what its symbols become.

    `node` is empty where the children belong to whatever the rule stands in, and `single` says that an only child
    stands for the whole. `taken` has a symbol's number, whether its children are taken in its place, and how many
    `None` stand before it for what was left out; `nones` is that at the end.
    """

    origin: str
    symbols: tuple[str, ...]
    node: str
    single: bool
    taken: tuple[tuple[int, bool, int], ...]
    nones: int


class Tables(msgspec.Struct, frozen=True, gc=False):
    """What leads through a script.

    A row, which `Rows` reads, says what may follow in a state, by the name of a terminal, or of a rule that was
    completed: the state to go on in, or, less than 0, the rule that is complete (-1 is the first). Reading begins with
    the first row. `words` and `forms` are the terminals, texts and regular expressions, in the order in which they are
    tried.
    """

    fingerprint: str
    words: dict[str, str]
    forms: dict[str, str]
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    rows: tuple[msgspec.Raw, ...]
    end: int


class Rows(dict[int, dict[str, int]]):
    """The rows of the tables by their numbers, each read when it is first asked for: a script needs some of them."""

    def __missing__(self, state: int) -> dict[str, int]:
        row = self[state] = _row(tables().rows[state])
        return row


_row = msgspec.json.Decoder(dict[str, int]).decode


@functools.cache
def rows() -> Rows:
    """The rows of the tables."""
    return Rows()


@functools.cache
def tables() -> Tables:
    """The tables: those beside the grammar, or, where there are none or those of another grammar, made now."""
    return msgspec.json.decode(kept() or made(), type=Tables)


@functools.cache
def words() -> dict[str, str]:
    """Every fixed word and sign, by the name of its terminal."""
    return tables().words


@functools.cache
def beginnings(rule: str) -> frozenset[str]:
    """The terminals with which a rule of the grammar can begin."""
    by_origin: dict[str, list[Rule]] = {}
    for item in tables().rules:
        by_origin.setdefault(item.origin, []).append(item)
    found: set[str] = set()
    waiting = [rule]
    seen: set[str] = set()
    while waiting:
        origin = waiting.pop()
        seen.add(origin)
        for first in (item.symbols[0] for item in by_origin[origin] if item.symbols):
            if first not in by_origin:
                found.add(first)
            elif first not in seen:
                waiting.append(first)
    return frozenset(found)


@functools.cache
def first_words(*rules: str) -> frozenset[str]:
    """The fixed words with which these rules can begin."""
    return frozenset(words()[name] for rule in rules for name in beginnings(rule) if name in words())
