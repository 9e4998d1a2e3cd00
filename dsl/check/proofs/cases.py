"""Somebody of whom a proof speaks, and what can still be true of them at a place.

Owns following one case through rules at a cost that does not grow with how many rules were passed: what a rule says is
simplified at once by what is known of the case, and most of it is then gone. Where too much is left to be looked at
together, some of it is left out, so that the answer is "possible": a proof fails rather than holds for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import assert_never

import msgspec

from dsl.check.beginnings import beginnings_of, together
from dsl.check.logic import AllOf, AnyOf, Atom, Formula, Opposite, atoms, lasts, subjects
from dsl.check.solver import Facts, Solver

_MOST_TOGETHER = 150
"""How many rules are looked at together."""
_MOST_PASSED = 1000
"""How many of the rules that did not match are looked through for them, from the nearest."""


class Case(msgspec.Struct, frozen=True, eq=False):
    """Somebody, by what is known of them before any rule is tried; `besides` is what cannot be said by single atoms."""

    known: Facts
    besides: tuple[Formula, ...] = ()


class Standing:
    """What a case has come through on the way to a place. Nothing here ever changes."""

    def __init__(
        self,
        case: Case,
        solver: Solver,
        before: Standing | None = None,
        formula: Formula | None = None,
        later: bool = False,
    ) -> None:
        self.case = case
        self._solver = solver
        self._before = before
        self._formula = formula
        self._later = later
        self._possible: bool | None = None if before is None or formula is not None else before._possible
        known = () if before is None else before._puzzles
        self._plain = formula is not None and _plain(formula)
        self._subjects = frozenset[str]() if formula is None else subjects(formula)
        self._begun = beginnings_of(formula.part) if isinstance(formula, Opposite) else {}
        if formula is not None and not self._plain:
            known = (*known, formula)
        if later:
            known = tuple(item for item in known if lasts(item))
        self._puzzles: tuple[Formula, ...] = known

    @classmethod
    def of(cls, case: Case, solver: Solver) -> Standing:
        """The case before any rule."""
        standing = cls(case, solver)
        standing._puzzles = case.besides
        return standing

    def when(self, formula: Formula, holds: bool) -> Standing | None:
        """The case where a rule's condition holds, or where it does not; None where that plainly cannot be."""
        left = self._solver.simplified(formula if holds else Opposite(formula), self.case.known)
        if isinstance(left, bool):
            return self if left else None
        return Standing(self.case, self._solver, self, left)

    def later(self) -> Standing:
        """The case at a later event, of which only what lasts is known."""
        return Standing(self.case, self._solver, self, later=True)

    def possible(self, *formulas: Formula) -> bool:
        """False where it is certain that this case does not come here, or not with these formulas true."""
        if formulas:
            return self._solved(formulas)
        if self._possible is None:
            self._possible = not self._puzzles or self._solved(())
        return self._possible

    def constants(self, subject: str, *kinds: str) -> list[Formula]:
        """What rules on the way here ask of a subject: to be this constant, or (`among`) one of these."""
        asked = (atom for item in self._puzzles for atom in atoms(item))
        return [atom for atom in asked if atom.subject == subject and atom.kind in kinds]

    def _solved(self, formulas: tuple[Formula, ...]) -> bool:
        looked_at = [*formulas, *self._puzzles]
        reached = subjects(AllOf(tuple(looked_at)))
        begun = beginnings_of(AllOf(tuple(looked_at)))
        for passed in islice(self._passed(), _MOST_PASSED):
            if len(looked_at) >= _MOST_TOGETHER:
                break
            if passed._formula is not None and not reached.isdisjoint(passed._subjects) and passed._concerns(begun):
                looked_at.append(passed._formula)
        return self._solver.possible_given(self.case.known, looked_at)

    def _concerns(self, begun: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether what did not match could have matched where values begin so."""
        return all(together(begun[subject], own) for subject, own in self._begun.items() if subject in begun)

    def _passed(self) -> Iterator[Standing]:
        """Where rules did not match, from the nearest."""
        lasting = False
        at: Standing | None = self
        while at is not None:
            if at._formula is not None and at._plain and not (lasting and not lasts(at._formula)):
                yield at
            lasting = lasting or at._later
            at = at._before


def _plain(formula: Formula) -> bool:
    """Whether it holds where every atom fails, so that it alone excludes nothing."""
    match formula:
        case Atom():
            return False
        case Opposite(part=part):
            return not _plain(part)
        case AllOf(parts=parts):
            return all(_plain(part) for part in parts)
        case AnyOf(parts=parts):
            return any(_plain(part) for part in parts)
        case _:
            assert_never(formula)
