"""A call explained by the version in force, with what the server knows now.

Owns asking the core from a thread: a policy of many rules is not walked in the event loop. Each answer is that of the
moment when the walk comes to its question; nothing is counted, and no call is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import trio

from b2bua.core import Core
from dsl.decision import Ambient
from dsl.diagnostics import PolicyError
from dsl.explain import Explanation, Sentence, explain
from dsl.policy import Policy

Known = TypeVar("Known", bool, int, float)


class Answer(msgspec.Struct, frozen=True):
    """The explanation, None where a sentence cannot be understood: then `problems` has what is wrong, as it is shown.

    `trial_percent` of new calls follow another version, if that is not None.
    """

    explanation: Explanation | None
    problems: tuple[str, ...]
    trial_percent: int | None


async def explained(core: Core, sentences: Sequence[tuple[str, str, int]], wall: float) -> Answer:
    """What these sentences would lead to at this time, in wall seconds."""
    said = [Sentence(*sentence) for sentence in sentences]
    ambient = _FromThread(core.moment(wall))
    explanation, problems = await trio.to_thread.run_sync(_explained, core.policy, said, ambient, wall)
    return Answer(explanation, problems, core.trial_percent)


def _explained(
    policy: Policy, said: Sequence[Sentence], ambient: Ambient, wall: float
) -> tuple[Explanation | None, tuple[str, ...]]:
    try:
        return explain(policy, said, ambient, wall), ()
    except PolicyError as error:
        return None, tuple(str(problem) for problem in error.problems)


class _FromThread:
    """An ambient that belongs to the event loop, asked by a thread."""

    def __init__(self, ambient: Ambient) -> None:
        self._ambient = ambient

    def registered(self, user: str) -> bool:
        """Whether a user has a binding."""
        return _asked(partial(self._ambient.registered, user))

    def busy(self, user: str) -> bool:
        """Whether a user is in a call."""
        return _asked(partial(self._ambient.busy, user))

    def over(self, limit: str, key: str) -> bool:
        """Whether one more would pass that limit for that key."""
        return _asked(partial(self._ambient.over, limit, key))

    def up(self, trunk: str) -> bool:
        """Whether a trunk takes calls."""
        return _asked(partial(self._ambient.up, trunk))

    def full(self, trunk: str) -> bool:
        """Whether all channels of a trunk are taken."""
        return _asked(partial(self._ambient.full, trunk))

    def turn(self, group: str) -> int:
        """How often a group was called in turn before."""
        return _asked(partial(self._ambient.turn, group))

    def draw(self, group: str) -> float:
        """What chance says of the order of a group."""
        return _asked(partial(self._ambient.draw, group))


def _asked(question: Callable[[], Known]) -> Known:
    return trio.from_thread.run_sync(question)
