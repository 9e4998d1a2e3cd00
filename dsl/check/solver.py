"""Whether formulas can hold together.

Owns the answer "no" only where that is certain; where it does not see it, or it would take too long, the answer is
"yes", so that nothing right is ever refused for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Literal, assert_never

from dsl.check.logic import AllOf, AnyOf, Atom, Between, Formula, Operand, Opposite, atoms
from dsl.compile_setup import Setup
from dsl.networks import Network, NetworkSet
from dsl.patterns import PatternError, parse_pattern

_MOST_SPLITS = 400
_MOST_LOOKED_AT = 300_000
"""How often one atom is held against another before the answer is "yes": a rule with thousands of terms gets there."""


class Facts:
    """Atoms that hold, or do not, by what they speak of. Nothing here ever changes."""

    def __init__(self, atoms: Mapping[Atom, bool] | None = None) -> None:
        self._by_subject: dict[str, dict[Atom, bool]] = {}
        for atom, holds in (atoms or {}).items():
            self._by_subject.setdefault(atom.subject, {})[atom] = holds

    def about(self, subject: str) -> dict[Atom, bool]:
        """What is known of a subject."""
        return self._by_subject.get(subject, _NOTHING)

    def with_(self, atom: Atom, holds: bool) -> Facts:
        """These and one more."""
        more = Facts()
        more._by_subject = self._by_subject | {atom.subject: {**self.about(atom.subject), atom: holds}}
        return more


_NOTHING: dict[Atom, bool] = {}


class Solver:
    """Whether formulas can hold together."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._splits = 0
        self._looked_at = 0

    def possible(self, formulas: Iterable[Formula]) -> bool:
        """False where it is certain that these cannot all hold at once."""
        return self.possible_given(Facts(), formulas)

    def possible_given(self, known: Facts, formulas: Iterable[Formula]) -> bool:
        """The same where some atoms are known to hold or not, and these contradict each other in nothing."""
        self._splits = self._looked_at = 0
        return self._possible(AllOf(tuple(formulas)), known)

    def simplified(self, formula: Formula, known: Facts) -> Formula | bool:
        """What is left of a formula where some atoms are known; whether it holds, where that is certain."""
        self._looked_at = 0
        return self._simplified(formula, known)

    def _possible(self, formula: Formula, known: Facts) -> bool:
        """Try atoms one way and the other, what is left of the formula then, and so on, until nothing is left."""
        waiting = [(formula, known)]
        while waiting:
            left, known = waiting.pop()
            simpler = self._settled(left, known)
            if simpler is None:
                continue
            if isinstance(simpler, bool):
                return True
            self._splits += 1
            if self._splits > _MOST_SPLITS or self._looked_at > _MOST_LOOKED_AT:
                return True
            left, known = simpler
            atom = next(iter(atoms(left)))
            waiting += (
                (left, known.with_(atom, value)) for value in (False, True) if self._consistent(atom, value, known)
            )
        return False

    def _settled(self, formula: Formula, known: Facts) -> tuple[Formula, Facts] | Literal[True] | None:
        """A formula without the atoms that can have but one value, and these; True where that is all, None where it
        cannot hold.
        """
        left = self._simplified(formula, known)
        while not isinstance(left, bool):
            forced = list(_forced(left))
            if not forced:
                return left, known
            for atom, value in forced:
                if self._looked_at > _MOST_LOOKED_AT:
                    return True
                if not self._consistent(atom, value, known):
                    return None
                known = known.with_(atom, value)
            left = self._simplified(left, known)
        return True if left else None

    def _simplified(self, formula: Formula, known: Facts) -> Formula | bool:
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
            case _:
                assert_never(formula)

    def _value(self, atom: Atom, known: Facts) -> bool | None:
        about = known.about(atom.subject)
        if atom in about:
            return about[atom]
        self._looked_at += len(about)
        if self._looked_at > _MOST_LOOKED_AT:
            return None
        for other, value in about.items():
            follows = self._follows(other, value, atom)
            if follows is not None:
                return follows
        return None

    def _consistent(self, atom: Atom, value: bool, known: Facts) -> bool:
        self._looked_at += len(known.about(atom.subject))
        for other, other_value in known.about(atom.subject).items():
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
            case Atom(kind="between", operand=Between() as between) if isinstance(wide.operand, Between):
                return wide.operand.around(between)
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
                case Atom(kind="form", operand=str()) if second.kind == "emergency":
                    return not any(self._holds_of(first, number) for number in self._setup.emergency)
                case Atom(kind="networks", operand=tuple() as networks) if isinstance(second.operand, tuple):
                    around = second.operand
                    return not any(inner.overlaps(outer) for inner in networks for outer in around)
                case Atom(kind="between", operand=Between() as between) if isinstance(second.operand, Between):
                    return between.apart(second.operand)
                case _:
                    pass
        return False

    def _holds_of(self, atom: Atom, constant: Operand) -> bool:
        match atom:
            case Atom(kind="equal", operand=wanted):
                return wanted == constant
            case Atom(kind="among", operand=frozenset() as members):
                return constant in members
            case Atom(kind="networks", operand=tuple() as networks):
                return isinstance(constant, str) and bool(NetworkSet((0, item) for item in networks).match(constant))
            case Atom(kind="form", operand=str() as text):
                try:
                    return isinstance(constant, str) and _form(text)(constant) is not None
                except PatternError:
                    return False
            case Atom(kind="between", operand=Between() as between):
                return between.has(constant)
            case Atom(kind="numbers", operand=str() as name):
                return isinstance(constant, str) and self._setup.numbers[name].has(constant)
            case _:  # emergency: absent and other are no constants' atoms
                return isinstance(constant, str) and self._setup.is_emergency(constant)


@cache
def _form(text: str) -> Callable[[str], object]:
    return parse_pattern(text).regular_expression().fullmatch


def _forced(formula: Formula) -> Iterator[tuple[Atom, bool]]:
    """Atoms that must have one value for the formula to hold."""
    match formula:
        case Atom():
            yield formula, True
        case Opposite(part=Atom() as atom):
            yield atom, False
        case AllOf(parts=parts):
            for part in parts:
                yield from _forced(part)
        case Opposite(part=AnyOf(parts=parts)):
            for part in parts:
                yield from _forced(Opposite(part))
        case Opposite(part=Opposite(part=part)):
            yield from _forced(part)
        case _:
            pass


def _within(inner: Network, outer: Network) -> bool:
    return inner.length >= outer.length and inner.overlaps(outer)
