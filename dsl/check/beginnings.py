"""With what a value begins of which something holds, so that rules about other values need not be looked at.

Owns beginnings, and an index by them. Two atoms of one subject can hold together only where one's beginning begins with
the other's.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from functools import cache
from posixpath import commonprefix
from typing import Generic, TypeVar

from dsl.check.logic import Atom, Between, Formula, required
from dsl.networks import Network
from dsl.patterns import PatternError, parse_pattern

_END = "$"
"""Ends what is a whole value; no number has it."""

Item = TypeVar("Item")


_MOST = 64
"""A set of more constants than this begins with anything."""


def beginnings(atom: Atom) -> tuple[str, ...]:
    """With what a value begins for which this atom holds: one of these; none are given where nothing is known of it."""
    match atom:
        case Atom(kind="equal", operand=constant):
            return (f"{constant}{_END}",)
        case Atom(kind="among", operand=frozenset() as constants) if len(constants) <= _MOST:
            return tuple(sorted(f"{constant}{_END}" for constant in constants))
        case Atom(kind="form", operand=str() as text):
            begun = _of_form(text)
            return () if begun is None else (begun,)
        case Atom(kind="networks", operand=tuple() as networks) if len(networks) <= _MOST:
            return tuple(sorted({_of_network(network) for network in networks}))
        case Atom(operand=Between(low=str() as low, high=str() as high)):
            return (commonprefix((low, high)),)
        case _:
            return ()


def beginnings_of(formula: Formula) -> dict[str, tuple[str, ...]]:
    """The same for each subject of which a formula surely asks something."""
    return {atom.subject: begun for atom in required(formula) if (begun := beginnings(atom))}


def _of_network(network: Network) -> str:
    """The bits that all its addresses have in common."""
    bits = f"{network.first:0{network.bits}b}"[: network.length]
    return f"{network.bits} {bits}"


@cache
def _of_form(text: str) -> str | None:
    try:
        elements = parse_pattern(text).elements
    except PatternError:
        return None
    begun = ""
    for element in elements:
        if len(element.characters) > 1 or element.least != element.most:
            return begun
        begun += element.characters * element.least
    return begun + _END


def together(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether a value can begin with one of both."""
    return any(one.startswith(other) or other.startswith(one) for one in some for other in others)


class ByBeginning(Generic[Item]):
    """Items by a beginning."""

    def __init__(self) -> None:
        self._items: dict[str, list[Item]] = {}
        self._sorted: list[str] = []

    def add(self, some: tuple[str, ...], item: Item) -> None:
        """Take in one more."""
        for begun in some:
            if begun not in self._items:
                self._items[begun] = []
                insort(self._sorted, begun)
            self._items[begun].append(item)

    def near(self, some: tuple[str, ...]) -> Iterator[Item]:
        """Those whose values can be values that begin so, some of them more than once."""
        for begun in some:
            yield from self._near(begun)

    def _near(self, begun: str) -> Iterator[Item]:
        for length in range(len(begun)):
            yield from self._items.get(begun[:length], ())
        for index in range(bisect_left(self._sorted, begun), len(self._sorted)):
            if not self._sorted[index].startswith(begun):
                break
            yield from self._items[self._sorted[index]]

    def all(self) -> Iterator[Item]:
        """Every one, some of them more than once."""
        for items in self._items.values():
            yield from items
