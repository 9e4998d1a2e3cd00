"""The way of every case through events, outcomes and subs, to where something is decided.

Owns the walk, and that it ends. What a decision means for whom is for the proofs, which are asked at each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from dsl import tree
from dsl.check.logic import Formula, Reader
from dsl.check.proofs.cases import Standing
from dsl.check.proofs.chosen import Given, Origin, Values

MOST_BLOCKS = 20_000
"""How many blocks of subs are entered in all, so that subs that do subs that do subs end."""


class Way(msgspec.Struct, frozen=True):
    """How a block was come to, from which `event`: what follows a dial of it belongs to it, and asks nobody anew.

    `cases` are those that can be here, `given` the origins of parameters, `rules` the conditions that hold around it.
    """

    event: str
    cases: Mapping[str, Standing]
    given: Given = {}
    rules: tuple[tree.Condition, ...] = ()
    subs: tuple[str, ...] = ()


class Seen:
    """Where the watched case may be answered, and by what."""

    def __init__(self) -> None:
        self.decisions: list[tuple[tree.Decision, Standing]] = []

    def possible(self) -> list[tree.Decision]:
        """The decisions that it surely can come to, as far as can be seen."""
        return [decision for decision, standing in self.decisions if standing.possible()]


class Proof(Protocol):
    """Something that is to hold wherever something is decided."""

    def decision(self, decision: tree.Decision, way: Way) -> None:
        """Look at a decision and at who comes there."""

    def rule(self, rule: tree.When, way: Way, body: Seen, rest: Seen) -> None:
        """Look at a rule: what the watched case is answered where it matches, and where it does not."""


class Walk:
    """Goes every way. `watched` names the case of which `Proof.rule` hears what it is answered."""

    def __init__(
        self, subs: dict[str, tree.Sub], reader: Reader, values: Values, proofs: Iterable[Proof], watched: str
    ) -> None:
        self._subs = subs
        self._reader = reader
        self._values = values
        self._proofs = tuple(proofs)
        self._watched = watched
        self._formulas: dict[tree.Span, Formula] = {}
        self.blocks = 0

    def block(self, block: tree.Block, way: Way) -> Seen:
        """Go through a block; what the watched case is answered there."""
        self.blocks += len(way.subs) > 0
        last = Seen()
        if self.blocks > MOST_BLOCKS:
            return last
        passed: list[tuple[tree.When, Way, Seen]] = []
        for statement in block.statements:
            if not way.cases:
                break
            match statement:
                case tree.When():
                    formula = self._formula(statement)
                    body = self.block(statement.body, self._inside(way, formula, statement))
                    passed.append((statement, way, body))
                    way = msgspec.structs.replace(way, cases=_narrowed(way.cases, formula, holds=False))
                case tree.Otherwise(body=body):
                    last = self.block(body, way)
                case tree.AlsoWhen() | tree.Tag() | tree.Log() | tree.SetHeader() | tree.StripHeader() | tree.Media():
                    pass
                case _:
                    last = self._decision(statement, way)
        for rule, here, seen in reversed(passed):
            if seen.decisions and last.decisions:
                for proof in self._proofs:
                    proof.rule(rule, here, seen, last)
            last.decisions += seen.decisions
        return last

    def _inside(self, way: Way, formula: Formula, rule: tree.When) -> Way:
        cases = _narrowed(way.cases, formula, holds=True)
        return msgspec.structs.replace(way, cases=cases, rules=(*way.rules, rule.condition))

    def _formula(self, rule: tree.When) -> Formula:
        known = self._formulas.get(rule.span)
        if known is None:
            known = self._formulas[rule.span] = self._reader.formula(rule.condition)
        return known

    def _decision(self, decision: tree.Decision, way: Way) -> Seen:
        if isinstance(decision, tree.Do):
            return self._do(decision, way)
        for proof in self._proofs:
            proof.decision(decision, way)
        if isinstance(decision, tree.Dial):
            later = {name: standing.later() for name, standing in way.cases.items()}
            for outcome in decision.outcomes:
                self.block(outcome.body, msgspec.structs.replace(way, cases=later))
        seen = Seen()
        if self._watched in way.cases:
            seen.decisions.append((decision, way.cases[self._watched]))
        return seen

    def _do(self, do: tree.Do, way: Way) -> Seen:
        sub = self._subs[do.sub.text]
        origins = {
            parameter.name.span: self._values.origin(argument, way.given)
            for parameter, argument in zip(sub.parameters, do.arguments, strict=False)
        }
        given: dict[tree.Span, Origin] = {place: origin for place, origin in origins.items() if origin is not None}
        return self.block(sub.body, Way(way.event, way.cases, given, way.rules, (*way.subs, do.sub.text)))


def _narrowed(cases: Mapping[str, Standing], formula: Formula, holds: bool) -> dict[str, Standing]:
    """The cases that remain where a condition holds, or does not."""
    narrowed = ((name, standing.when(formula, holds)) for name, standing in cases.items())
    return {name: standing for name, standing in narrowed if standing is not None}
