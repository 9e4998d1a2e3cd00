"""Conditions as formulas.

Owns a reading of conditions that knows equality, groups, nets, patterns and absence, and takes everything else
(`over`, `within`, look-ups) as it stands. Whether formulas can hold together is for `solver`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from dsl import tree
from dsl.compile_setup import Setup
from dsl.networks import Network, NetworkError, parse_network
from dsl.resolve import Kind, Names
from dsl.spoken import spoken

Constant: TypeAlias = str | int | float


class Atom(msgspec.Struct, frozen=True):
    """One thing that holds or not of a subject. `kind` says what `operand` is.

    equal: a constant. among: a set of users. networks: a tuple of networks. form: a pattern's text. absent and
    emergency: nothing. other: the condition itself, as written; it may change between two events.
    """

    subject: str
    kind: Literal["equal", "among", "networks", "form", "absent", "emergency", "other"]
    operand: Constant | frozenset[str] | tuple[Network, ...] = ""


class AllOf(msgspec.Struct, frozen=True):
    """Every part holds; without parts, always."""

    parts: tuple[Formula, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """Some part holds; without parts, never."""

    parts: tuple[Formula, ...]


class Opposite(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Formula


Formula: TypeAlias = Atom | AllOf | AnyOf | Opposite

NEVER = AnyOf(())
UNAUTHENTICATED = Atom("caller", "absent")


def subjects(formula: Formula) -> frozenset[str]:
    """What a formula speaks of."""
    return frozenset(atom.subject for atom in atoms(formula))


def required(formula: Formula) -> list[Atom]:
    """Atoms that hold wherever the formula holds, those that can be seen without reasoning."""
    match formula:
        case Atom():
            return [formula]
        case AllOf(parts=parts):
            return [atom for part in parts for atom in required(part)]
        case _:
            return []


def atoms(formula: Formula) -> Iterable[Atom]:
    """Every atom of a formula."""
    match formula:
        case Atom():
            yield formula
        case Opposite(part=part):
            yield from atoms(part)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from atoms(part)


class Reader:
    """Turns conditions into formulas; subjects with the same name and meaning are the same."""

    def __init__(self, names: Names, setup: Setup) -> None:
        self._names = names
        self._setup = setup

    def formula(self, condition: tree.Condition) -> Formula:
        """The condition as a formula."""
        match condition:
            case tree.And(conditions=parts):
                return AllOf(tuple(self.formula(part) for part in parts))
            case tree.Or(conditions=parts):
                return AnyOf(tuple(self.formula(part) for part in parts))
            case tree.Not(condition=part):
                return Opposite(self.formula(part))
            case tree.Compare(left=left, operator="==", right=right):
                return self._equality(left, right)
            case tree.Compare(left=left, operator="!=", right=right):
                return Opposite(self._equality(left, right))
            case tree.In(item=item, collection=collection):
                return self._membership(self.subject(item), collection)
            case tree.Matches(item=item, pattern=pattern):
                return Atom(self.subject(item), "form", pattern.text)
            case tree.Is(subject=subject, state=tree.Name(text="absent")):
                return Atom(self.subject(subject), "absent")
            case tree.Is(subject=subject, state=tree.Name(text="emergency")):
                return Atom(self.subject(subject), "emergency")
            case tree.FromTrunk(trunk=trunk):
                return Atom("from trunk", "equal", trunk.text)
            case tree.Holds(fact=tree.Reference(name=tree.Name(text="authenticated"))):
                return Opposite(UNAUTHENTICATED)
            case tree.Lookup(table=table, key=key):
                return Atom(self.subject(key), "other", f"lookup {table.text}")
            case tree.Is(subject=subject, state=state):
                return Atom(f"{self.subject(subject)} is {state.text}", "other")
            case _:
                return Atom(spoken(condition), "other")

    def subject(self, expression: tree.Expression) -> str:
        """The expression's text, with the place where a bound name was bound."""
        match expression:
            case tree.Reference(name=name) | tree.Attribute(base=name):
                meaning = self._names.of(name)
                local = meaning.kind in (Kind.PARAMETER, Kind.ROW, Kind.CAPTURE)
                where = f"@{meaning.declared}" if local else ""
                return spoken(expression) + where
            case tree.E164(argument=argument):
                return f"e164({self.subject(argument)})"
            case _:
                return spoken(expression)

    def _equality(self, left: tree.Expression, right: tree.Expression) -> Formula:
        for subject, other in ((left, right), (right, left)):
            if isinstance(other, tree.Network):
                return self._membership(self.subject(subject), other)
        one, two = self._constant(left), self._constant(right)
        if one is not None and two is not None:
            return AllOf(()) if one == two else NEVER
        if two is not None:
            return Atom(self.subject(left), "equal", two)
        if one is not None:
            return Atom(self.subject(right), "equal", one)
        both = sorted((self.subject(left), self.subject(right)))
        return Atom(both[0], "other", f"== {both[1]}")

    def _constant(self, expression: tree.Expression) -> Constant | None:
        match expression:
            case tree.Text(value=value):
                return value
            case tree.Integer(value=number):
                return number
            case tree.Duration(seconds=seconds):
                return seconds
            case tree.Reference(name=name) if self._names.of(name).kind is Kind.USER:
                return name.text
            case _:
                return None

    def _membership(self, subject: str, collection: tree.Name | tree.Network) -> Formula:
        if isinstance(collection, tree.Network):
            try:
                return Atom(subject, "networks", (parse_network(collection.text),))
            except NetworkError:
                return Atom(subject, "other", f"in {collection.text}")
        networks = self._setup.nets.get(collection.text)
        if networks:
            return Atom(subject, "networks", networks)
        members = self._setup.groups.get(collection.text)
        if members:
            return Atom(subject, "among", members)
        return Atom(subject, "other", f"in {collection.text}")
