"""Decisions that were taken, walked again with the answers that were noted then: to see how they came about.

Owns the ambient that such answers make.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from dsl.decision import Decision, Dial, Event, Facts, Frame, Outcome
from dsl.walk.trace import Walked
from dsl.walk.walker import EndedError, Walker


class Occurred(Protocol):
    """An event as it was decided."""

    @property
    def event(self) -> Event:
        """Which it was."""

    @property
    def facts(self) -> Facts:
        """What was known."""

    @property
    def outcome(self) -> Outcome | None:
        """How the dial before it ended, where it is an outcome's event."""

    @property
    def decision(self) -> Decision:
        """What was decided."""


class Noted:
    """The ambient of a decision: what was `asked` for it, and the answers."""

    def __init__(self, asked: Mapping[str, object]) -> None:
        self._asked = asked

    def registered(self, user: str) -> bool:
        """Whether a user had a binding."""
        return self._asked[f"registered {user}"] is True

    def busy(self, user: str) -> bool:
        """Whether a user was in a call."""
        return self._asked[f"busy {user}"] is True

    def over(self, limit: str, key: str) -> bool:
        """Whether one more would have passed that limit."""
        return self._asked[f"over {limit} {key}" if key else f"over {limit}"] is True

    def up(self, trunk: str) -> bool:
        """Whether a trunk took calls."""
        return self._asked[f"up {trunk}"] is True

    def full(self, trunk: str) -> bool:
        """Whether a trunk's channels were taken."""
        return self._asked[f"full {trunk}"] is True

    def turn(self, group: str) -> int:
        """How often a group was called in turn before."""
        turn = self._asked[f"turn {group}"]
        assert isinstance(turn, int)
        return turn

    def draw(self, group: str) -> float:
        """What chance said of a group's order."""
        draw = self._asked[f"draw {group}"]
        assert isinstance(draw, float)
        return draw


def again(walker: Walker, occurred: Iterable[Occurred]) -> list[Walked]:
    """Walk the events of one call again, in their order."""
    found: list[Walked] = []
    frame = Frame(walker.version, 0)
    for event in occurred:
        walked = _walked(walker, event, frame)
        found.append(walked)
        if isinstance(walked.decision.action, Dial):
            frame = walked.decision.action.frame
    return found


def _walked(walker: Walker, event: Occurred, frame: Frame) -> Walked:
    """One that was given up is walked up to there: what the rules behind it would have asked nobody knows."""
    decision = event.decision
    facts = msgspec.structs.replace(event.facts, ambient=Noted(decision.asked))
    until = decision.rules[-1] if decision.rules and decision.fault is not None else ""
    try:
        if event.outcome is None:
            return walker.decide(event.event, facts, until)
        return walker.resume(frame, event.outcome, facts, until)
    except EndedError as ended:
        return Walked(decision, ended.tried)
