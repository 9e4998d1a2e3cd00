"""What is known in a block: the rules around it hold, and the rules above did not match.

Owns finding what of it matters to a formula, without looking at all of it: of many rules that ask for a constant, only
those that ask for the same one are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec

from dsl import tree
from dsl.check.beginnings import ByBeginning, beginnings, beginnings_of
from dsl.check.logic import Atom, Formula, Opposite, lasts, required, subjects

_MOST_PASSED = 300
"""How many of the rules that did not match are looked through."""
_MOST_TOGETHER = 60
_FEW_TOGETHER = 20
"""How many rules are looked at together; fewer where there are very many."""


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
        self._holding: list[Known] = []
        self._loose: list[Known] = []
        self._by_beginning: dict[str, ByBeginning[Known]] = {}

    def add(self, formula: Formula, rule: tree.When, holds: bool) -> None:
        """Take in one rule more."""
        known = Known(formula if holds else Opposite(formula), rule, holds, subjects(formula), lasts(formula))
        if holds:
            self._holding.append(known)
            return
        for atom in required(formula):
            begun = beginnings(atom)
            if begun:
                self._by_beginning.setdefault(atom.subject, ByBeginning()).add(begun, known)
                return
        self._loose.append(known)

    def within(self, formula: Formula, rule: tree.When) -> Knowledge:
        """What is known in the body of a rule."""
        inner = Knowledge(self)
        inner.add(formula, rule, holds=True)
        return inner

    def near(self, formula: Formula) -> list[Known]:
        """What has to do with the subjects of a formula, or with the subjects of what has to do with it.

        Of very many rules not all are given: what is left out makes nothing impossible that is possible.
        """
        wanted = beginnings_of(formula)
        reached = set(subjects(formula))
        waiting = [*self._held(lasting=False), *islice(self._passed(wanted, lasting=False), _MOST_PASSED)]
        most = _MOST_TOGETHER if len(waiting) < _MOST_PASSED else _FEW_TOGETHER
        found: list[Known] = []
        while len(found) < most:
            touched = [item for item in waiting if not item.subjects.isdisjoint(reached)]
            if not touched:
                break
            found += touched[: most - len(found)]
            waiting = [item for item in waiting if item.subjects.isdisjoint(reached)]
            reached.update(*(item.subjects for item in touched))
        return sorted(found, key=lambda item: (item.rule.head.line, item.rule.head.column))

    def constants(self) -> Iterator[Atom]:
        """The constants that subjects surely have here, or of which they have one."""
        for item in self._held(lasting=False):
            yield from (atom for atom in required(item.formula) if atom.kind in ("equal", "among"))

    def _held(self, lasting: bool) -> Iterator[Known]:
        """The rules around, from the nearest."""
        yield from (item for item in reversed(self._holding) if item.lasts or not lasting)
        if self._before is not None:
            yield from self._before._held(lasting or self._later)

    def _passed(self, wanted: Mapping[str, tuple[str, ...]], lasting: bool) -> Iterator[Known]:
        """The rules that did not match, without those that ask a subject for what it cannot be here.

        Those that ask for what is wanted come first, since not all may be looked at.
        """
        indexes = self._by_beginning
        for subject, begun in wanted.items():
            if subject in indexes:
                yield from _each(indexes[subject].near(begun), lasting)
        yield from _each(reversed(self._loose), lasting)
        for subject, index in indexes.items():
            if subject not in wanted:
                yield from _each(index.all(), lasting)
        if self._before is not None:
            yield from self._before._passed(wanted, lasting or self._later)


def _each(items: Iterable[Known], lasting: bool) -> Iterator[Known]:
    """Each once, in this order."""
    seen: set[int] = set()
    for item in items:
        if id(item) not in seen and (item.lasts or not lasting):
            seen.add(id(item))
            yield item
