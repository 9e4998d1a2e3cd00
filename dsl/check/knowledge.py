"""What is known in a block: the rules around it hold, and the rules above did not match.

Owns finding what of it matters to a formula, without looking at all of it: of many rules that ask for a constant, only
those that ask for the same one are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from dsl import tree
from dsl.check.logic import Atom, Formula, Opposite, lasts, required, subjects


class Known(msgspec.Struct, frozen=True):
    """A rule on the way here, and what is known through it: it holds, or it did not match.

    `lasts`: nothing in it asks about the moment, so it is still known at a later event.
    """

    formula: Formula
    rule: tree.When
    holds: bool
    subjects: frozenset[str]
    lasts: bool


class Knowledge:
    """What is known in one block, on top of what was known where the block stands.

    `later`: the block belongs to a later event, so that of what was known before only the lasting part is.
    """

    def __init__(self, before: Knowledge | None = None, later: bool = False) -> None:
        self._before = before
        self._later = later
        self._loose: list[Known] = []
        self._by_constant: dict[str, dict[object, list[Known]]] = {}

    def add(self, formula: Formula, rule: tree.When, holds: bool) -> None:
        """Take in one rule more."""
        known = Known(
            formula if holds else Opposite(formula),
            rule,
            holds,
            subjects(formula),
            lasts(formula),
        )
        asked = None if holds else next(_constants(formula), None)
        if asked is None:
            self._loose.append(known)
            return
        by_constant = self._by_constant.setdefault(asked.subject, {})
        for constant in _operands(asked):
            by_constant.setdefault(constant, []).append(known)

    def within(self, formula: Formula, rule: tree.When) -> Knowledge:
        """What is known in the body of a rule."""
        inner = Knowledge(self)
        inner.add(formula, rule, holds=True)
        return inner

    def near(self, formula: Formula) -> list[Known]:
        """What has to do with the subjects of a formula, or with the subjects of what has to do with it."""
        wanted = {atom.subject: _operands(atom) for atom in _constants(formula)}
        reached = set(subjects(formula))
        waiting = list(self._candidates(wanted, lasting=False))
        found: list[Known] = []
        while True:
            touched = [item for item in waiting if item.subjects & reached]
            if not touched:
                return sorted(found, key=lambda item: (item.rule.head.line, item.rule.head.column))
            found += touched
            waiting = [item for item in waiting if not item.subjects & reached]
            reached.update(*(item.subjects for item in touched))

    def constants(self) -> Iterator[Atom]:
        """The constants that subjects surely have here, or of which they have one."""
        for item in self._candidates({}, lasting=False):
            if item.holds:
                yield from _constants(item.formula)

    def _candidates(self, wanted: Mapping[str, Iterable[object]], lasting: bool) -> Iterator[Known]:
        if self._before is not None:
            yield from self._before._candidates(wanted, lasting or self._later)
        yield from (item for item in self._loose if item.lasts or not lasting)
        for subject, by_constant in self._by_constant.items():
            asked = wanted.get(subject, by_constant)
            found = {id(item): item for constant in asked for item in by_constant.get(constant, ())}
            yield from (item for item in found.values() if item.lasts or not lasting)


def _constants(formula: Formula) -> Iterator[Atom]:
    """What a formula surely asks for of constants."""
    return (atom for atom in required(formula) if atom.kind in ("equal", "among"))


def _operands(atom: Atom) -> Iterable[object]:
    return atom.operand if isinstance(atom.operand, frozenset) else (atom.operand,)
