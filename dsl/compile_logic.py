"""Conditions as parts of larger ones, and the atoms of them by which an index may find a rule.

Owns which atoms are necessary: where none of a key set holds, the condition is false and evaluating it would have asked
nothing. Only atoms left of the first question to the ambient qualify, so that skipping a rule never skips a limit that
it would have taken.
"""

from __future__ import annotations

from typing import Literal

from dsl.compile_values import Compiled
from dsl.evaluate import Run, Test
from dsl.networks import Network
from dsl.patterns import Pattern
from dsl.values import Frozen

MOST_KEYS = 1_000
"""A condition with more alternatives than this is tried without an index."""


class Key(Frozen):
    """An atom that an index answers: the subject's value equals, lies in, or is of the form of `operand`."""

    index: Literal["equal", "network", "pattern"]
    subject: Compiled
    operand: str | float | Network | Pattern


class Condition(Frozen):
    """A condition's test; its key sets, any of which may stand for it; whether it never asks the ambient."""

    test: Test
    keys: tuple[tuple[Key, ...], ...] = ()
    pure: bool = True


def negated(condition: Condition) -> Condition:
    """The opposite; no key can stand for it."""
    inner = condition.test
    return Condition(lambda run: not inner(run), pure=condition.pure)


def all_of(parts: list[Condition]) -> Condition:
    """All of these, from the left: found by the keys of any part up to the first that asks the ambient."""
    keys: list[tuple[Key, ...]] = []
    for part in parts:
        keys += part.keys
        if not part.pure:
            break
    tests = tuple(part.test for part in parts)
    pure = all(part.pure for part in parts)
    if len(tests) == 2:
        first, second = tests
        return Condition(lambda run: first(run) and second(run), tuple(keys), pure)

    def test(run: Run) -> bool:
        for holds in tests:  # noqa: SIM110
            if not holds(run):
                return False
        return True

    return Condition(test, tuple(keys), pure)


def any_of(parts: list[Condition]) -> Condition:
    """Any of these, from the left: found by keys of every part together, if each has some."""
    keys = tuple(key for part in parts if part.keys for key in part.keys[0])
    findable = all(part.keys for part in parts) and len(keys) <= MOST_KEYS
    tests = tuple(part.test for part in parts)
    pure = all(part.pure for part in parts)
    if len(tests) == 2:
        first, second = tests
        return Condition(lambda run: first(run) or second(run), (keys,) if findable else (), pure)

    def test(run: Run) -> bool:
        for holds in tests:  # noqa: SIM110
            if holds(run):
                return True
        return False

    return Condition(test, (keys,) if findable else (), pure)
