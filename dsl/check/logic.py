"""Conditions as formulas, and whether some of them can hold together.

Owns a reading of conditions that knows equality, groups, nets, patterns and absence, and takes everything else
(`over`, `within`, look-ups) as it stands. It answers "no" only where that is certain; where it does not see it, or
it would take too long, the answer is "yes", so nothing right is ever refused for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from dsl import tree
from dsl.compile_setup import Setup
from dsl.networks import Network, NetworkError, NetworkSet, parse_network
from dsl.patterns import PatternError, parse_pattern
from dsl.resolve import Kind, Names
from dsl.spoken import spoken

Constant: TypeAlias = str | int | float

_MOST_SPLITS = 400


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


class Solver:
    """Whether formulas can hold together."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._splits = 0

    def possible(self, formulas: Iterable[Formula]) -> bool:
        """False where it is certain that these cannot all hold at once."""
        self._splits = 0
        return self._possible(AllOf(tuple(formulas)), {})

    def _possible(self, formula: Formula, known: dict[Atom, bool]) -> bool:
        left = self._simplified(formula, known)
        while not isinstance(left, bool):
            forced = _forced(left)
            if forced is None:
                break
            if not self._consistent(*forced, known):
                return False
            known = {**known, forced[0]: forced[1]}
            left = self._simplified(left, known)
        if isinstance(left, bool):
            return left
        self._splits += 1
        if self._splits > _MOST_SPLITS:
            return True
        atom = next(iter(atoms(left)))
        return any(
            self._consistent(atom, value, known) and self._possible(left, {**known, atom: value})
            for value in (True, False)
        )

    def _simplified(self, formula: Formula, known: dict[Atom, bool]) -> Formula | bool:
        match formula:
            case Atom():
                value = self._value(formula, known)
                return formula if value is None else value
            case Opposite(part=part):
                inner = self._simplified(part, known)
                if isinstance(inner, bool):
                    return not inner
                return inner.part if isinstance(inner, Opposite) else Opposite(inner)
            case AllOf(parts=parts) | AnyOf(parts=parts):
                ending = isinstance(formula, AnyOf)
                kept: list[Formula] = []
                for part in parts:
                    inner = self._simplified(part, known)
                    if inner is ending:
                        return ending
                    if not isinstance(inner, bool):
                        kept.append(inner)
                if len(kept) < 2:
                    return kept[0] if kept else not ending
                return type(formula)(tuple(kept))

    def _value(self, atom: Atom, known: dict[Atom, bool]) -> bool | None:
        if atom in known:
            return known[atom]
        for other, value in known.items():
            if other.subject == atom.subject:
                follows = self._follows(other, value, atom)
                if follows is not None:
                    return follows
        return None

    def _consistent(self, atom: Atom, value: bool, known: dict[Atom, bool]) -> bool:
        for other, other_value in known.items():
            if other.subject == atom.subject:
                follows = self._follows(atom, value, other)
                if follows is not None and follows is not other_value:
                    return False
        return True

    def _follows(self, given: Atom, value: bool, asked: Atom) -> bool | None:
        """What one atom's value says of another atom of the same subject."""
        if given == asked:
            return value
        if "other" in (given.kind, asked.kind):
            return False if given.kind == "absent" and value else None
        if not value:
            return False if given.kind != "absent" and self._covers(given, asked) else None
        if given.kind == "absent":
            return False
        if asked.kind == "absent":
            return False
        if self._covers(asked, given):
            return True
        return False if self._apart(given, asked) else None

    def _covers(self, wide: Atom, narrow: Atom) -> bool:
        """Whether every value of which `narrow` holds is one of which `wide` holds."""
        match narrow:
            case Atom(kind="equal", operand=constant):
                return self._holds_of(wide, constant)
            case Atom(kind="among", operand=frozenset() as members):
                return all(self._holds_of(wide, member) for member in members)
            case Atom(kind="networks", operand=tuple() as networks) if isinstance(wide.operand, tuple):
                around = wide.operand
                return all(any(_within(inner, outer) for outer in around) for inner in networks)
            case _:
                return False

    def _apart(self, one: Atom, other: Atom) -> bool:
        """Whether no value is one of which both hold."""
        for first, second in ((one, other), (other, one)):
            match first:
                case Atom(kind="equal", operand=constant):
                    return not self._holds_of(second, constant)
                case Atom(kind="among", operand=frozenset() as members):
                    return not any(self._holds_of(second, member) for member in members)
                case Atom(kind="networks", operand=tuple() as networks) if isinstance(second.operand, tuple):
                    around = second.operand
                    return not any(inner.overlaps(outer) for inner in networks for outer in around)
                case _:
                    pass
        return False

    def _holds_of(self, atom: Atom, constant: Constant | frozenset[str] | tuple[Network, ...]) -> bool:
        match atom:
            case Atom(kind="equal", operand=wanted):
                return wanted == constant
            case Atom(kind="among", operand=frozenset() as members):
                return constant in members
            case Atom(kind="networks", operand=tuple() as networks):
                return isinstance(constant, str) and bool(NetworkSet((0, item) for item in networks).match(constant))
            case Atom(kind="form", operand=str() as text):
                try:
                    return isinstance(constant, str) and parse_pattern(text).matches(constant)
                except PatternError:
                    return False
            case Atom(kind="emergency"):
                return isinstance(constant, str) and self._setup.is_emergency(constant)
            case _:
                return False


def _forced(formula: Formula) -> tuple[Atom, bool] | None:
    """An atom that must have one value for the formula to hold."""
    match formula:
        case Atom():
            return formula, True
        case Opposite(part=Atom() as atom):
            return atom, False
        case AllOf(parts=parts):
            for part in parts:
                found = _forced(part) if isinstance(part, Atom | Opposite) else None
                if found is not None:
                    return found
        case Opposite(part=AnyOf(parts=parts)):
            return _forced(Opposite(parts[0]))
        case _:
            pass
    return None


def _within(inner: Network, outer: Network) -> bool:
    return inner.length >= outer.length and inner.overlaps(outer)
