"""Conditions as formulas.

Owns a reading of conditions that knows equality, groups, nets, patterns and absence, and takes everything else
(`over`, `within`, look-ups) as it stands. Whether formulas can hold together is for `solver`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias, assert_never

import msgspec

from dsl import tree
from dsl.compile_numbers import Written, amount, written
from dsl.compile_setup import Setup
from dsl.networks import Network, NetworkError, parse_network
from dsl.resolve import Kind, Names
from dsl.spoken import spoken
from dsl.vocabulary import AMOUNTS

Constant: TypeAlias = str | int | float


class Between(msgspec.Struct, frozen=True):
    """Amounts, or digits of the same length, from `low` to `high`, both included."""

    low: Constant
    high: Constant

    def has(self, constant: object) -> bool:
        """Whether a constant is one of them."""
        low, high = self.low, self.high
        if isinstance(low, str) and isinstance(high, str):
            if not isinstance(constant, str) or len(constant) != len(low):
                return False
            plus = low[:1] if low.startswith("+") else ""
            digits = constant.removeprefix(plus)
            return constant.startswith(plus) and digits.isascii() and digits.isdigit() and low <= constant <= high
        if isinstance(low, str) or isinstance(high, str) or not isinstance(constant, int | float):
            return False
        return low <= constant <= high

    def around(self, other: Between) -> bool:
        """Whether all that the other has is here too."""
        return self.has(other.low) and self.has(other.high)

    def apart(self, other: Between) -> bool:
        """Whether nothing is in both, of two that have something in them."""
        return not (self.has(other.low) or self.has(other.high) or other.has(self.low))


Operand: TypeAlias = Constant | frozenset[Constant] | tuple[Network, ...] | Between


class Atom(msgspec.Struct, frozen=True):
    """One thing that holds or not of a subject. `kind` says what `operand` is.

    equal: a constant. among: a set of constants. networks: a tuple of networks. form: a pattern's text. between: two
    bounds. numbers: the name of declared numbers. absent and emergency: nothing. other: the condition itself, as
    written; it may change between two events.
    """

    subject: str
    kind: Literal["equal", "among", "networks", "form", "between", "numbers", "absent", "emergency", "other"]
    operand: Operand = ""


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
_OF_A_DIAL = re.compile(r"(e164\()*(target|code|rang|tried|redirected)\b").match
"""What is another thing with each dial that ends."""
UNAUTHENTICATED = Atom("caller", "absent")


def lasts(formula: Formula) -> bool:
    """Whether a formula is as true at a later event of the same call: nothing in it asks about the moment."""
    return all(atom.kind != "other" and not _OF_A_DIAL(atom.subject) for atom in atoms(formula))


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
        case _:
            assert_never(formula)


class Reader:
    """Turns conditions into formulas; subjects with the same name and meaning are the same."""

    def __init__(self, names: Names, setup: Setup) -> None:
        self._names = names
        self._setup = setup

    def formula(self, condition: tree.Condition) -> Formula:
        """The condition as a formula."""
        if isinstance(condition, tree.Compare) and condition.operator == "!=":
            return Opposite(self.formula(tree.Compare(condition.span, condition.left, "==", condition.right)))
        said = self._said(condition)
        if isinstance(condition, tree.And | tree.Or | tree.Not) or not self._needs_caller(condition):
            return said
        if isinstance(condition, tree.Is) and condition.state.text == "absent":
            return AnyOf((said, UNAUTHENTICATED))
        return AllOf((said, Opposite(UNAUTHENTICATED)))

    def _needs_caller(self, condition: tree.Condition) -> bool:
        """Whether it says something of the account that calls, so that it fails where there is none.

        A trunk may give `caller.number` without any account.
        """
        for node in tree.walk(condition):
            if isinstance(node, tree.Attribute) and node.attribute.text != "number" and self._is_caller(node.base):
                return True
            if isinstance(node, tree.Reference) and self._is_caller(node.name):
                return True
        return False

    def _is_caller(self, name: tree.Name) -> bool:
        return name.text == "caller" and not name.quoted and self._names.of(name).kind is Kind.FACT

    def _said(self, condition: tree.Condition) -> Formula:
        match condition:
            case tree.And(conditions=parts):
                return AllOf(tuple(self.formula(part) for part in parts))
            case tree.Or(conditions=parts):
                return AnyOf(tuple(self.formula(part) for part in parts))
            case tree.Not(condition=part):
                return Opposite(self.formula(part))
            case tree.Compare(left=left, operator="==", right=right):
                return self._equality(left, right)
            case tree.In(item=item, collection=collection):
                return self._membership(item, collection)
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
            case tree.Over(limit=limit):
                # Emergency calls are over no limit.
                return AllOf((Atom(f"over {limit.text}", "other"), Opposite(Atom("dialed", "emergency"))))
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
                return self._membership(subject, other)
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

    def _membership(self, item: tree.Expression, collection: tree.Collection) -> Formula:
        subject = self.subject(item)
        if not isinstance(collection, tree.Set):
            return self._element(subject, collection)
        atoms = [self._element(subject, element) for element in collection.elements]
        loose = [atom for atom in atoms if atom.kind != "equal"]
        constants = frozenset(
            atom.operand for atom in atoms if atom.kind == "equal" and isinstance(atom.operand, str | int | float)
        )
        if constants:
            loose.append(Atom(subject, "among", constants))
        return loose[0] if len(loose) == 1 else AnyOf(tuple(loose))

    def _element(self, subject: str, element: tree.Element) -> Atom:
        match element:
            case tree.Network(text=text):
                try:
                    return Atom(subject, "networks", (parse_network(text),))
                except NetworkError:
                    return Atom(subject, "other", f"in {text}")
            case tree.Range(low=low, high=high):
                return self._between(subject, low, high)
            case tree.Pattern(text=text):
                return Atom(subject, "form", text)
            case tree.Name(text=text):
                is_user = self._names.of(element).kind is Kind.USER
                return Atom(subject, "equal", text) if is_user else self._declared(subject, text)
            case tree.Text(value=text):
                return Atom(subject, "equal", text)
            case _:
                return Atom(subject, "equal", (amount(element) or 0) if subject in AMOUNTS else element.text)

    def _between(self, subject: str, low: Written, high: Written) -> Atom:
        """A range; one that `sets` refuses says nothing here."""
        if subject in AMOUNTS:
            between = Between(amount(low) or 0, amount(high) or 0)
        else:
            between = Between(written(low), written(high))
        if not between.has(between.low):
            return Atom(subject, "other", f"in {written(low)} to {written(high)}")
        return Atom(subject, "between", between)

    def _declared(self, subject: str, name: str) -> Atom:
        networks = self._setup.nets.get(name)
        if networks:
            return Atom(subject, "networks", networks)
        members = self._setup.groups.get(name)
        if members:
            return Atom(subject, "among", frozenset[Constant](members))
        kind: Literal["numbers", "other"] = "numbers" if name in self._setup.numbers else "other"
        return Atom(subject, kind, name if kind == "numbers" else f"in {name}")
