"""Running a compiled policy: one event's facts through its rules, to a decision.

Owns what a run collects on its way (rules fired, limits taken, edits, tags, answers of the ambient) and
the limits on it. The rules themselves are functions that `compile` made; what each decides is their
return value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dsl.decision import Action, Ambient, Facts, HeaderEdit, Media, Outcome
from dsl.users import User

MOST_STEPS = 10_000
"""How many steps one decision may take, as `steps` counts them: some milliseconds. It ends by itself in any case; this
is for policies that nobody wants to wait for.
"""

Value: TypeAlias = Callable[["Run"], "str | float | None"]
"""An expression: its value in a run, None where it is absent."""

Test: TypeAlias = Callable[["Run"], bool]
"""A condition."""

Execute: TypeAlias = Callable[["Run"], "Action | None"]
"""A statement or a block: what it decides, None where the next statement is to be tried."""


class EvaluationError(Exception):
    """A policy that passed its checks ended without a decision: a fault of ours."""


class BudgetError(Exception):
    """A decision took more steps than it may; `place` is that of the rule at which it was given up."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class Run:
    """One event on its way through the policy. `names` holds what rules bound: rows, captures, parameters.

    `steps` are those so far, where they are counted.
    """

    __slots__ = (
        "ambient",
        "asked",
        "directory",
        "facts",
        "headers",
        "logs",
        "media",
        "names",
        "outcome",
        "rules",
        "steps",
        "tags",
        "takes",
        "turns",
    )

    def __init__(self, facts: Facts, directory: dict[str, User], outcome: Outcome | None) -> None:
        self.facts = facts
        self.ambient: Ambient = facts.ambient
        self.directory = directory
        self.outcome = outcome
        self.names: dict[str, object] = {}
        self.rules: list[str] = []
        self.takes: dict[tuple[str, str], None] = {}
        self.turns: tuple[str, ...] = ()
        self.headers: list[HeaderEdit] = []
        self.tags: dict[str, str] = {}
        self.logs: list[str] = []
        self.media: Media | None = None
        self.asked: dict[str, object] = {}
        self.steps = 0

    def registered(self, user: str) -> bool:
        """Whether a user has a binding; asked once a run, and recorded."""
        key = f"registered {user}"
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = self.ambient.registered(user)
        return known is True

    def busy(self, user: str) -> bool:
        """Whether a user is in a call; asked once a run, and recorded."""
        key = f"busy {user}"
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = self.ambient.busy(user)
        return known is True

    def up(self, trunk: str) -> bool:
        """Whether a trunk takes calls; asked once a run, and recorded."""
        key = f"up {trunk}"
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = self.ambient.up(trunk)
        return known is True

    def full(self, trunk: str) -> bool:
        """Whether a trunk's channels are all taken; asked once a run, and recorded."""
        key = f"full {trunk}"
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = self.ambient.full(trunk)
        return known is True

    def turn(self, group: str) -> int:
        """How often a group was called before; asked once a run, which takes a turn of it."""
        key = f"turn {group}"
        known = self.asked.get(key)
        if not isinstance(known, int):
            known = self.asked[key] = self.ambient.turn(group)
            self.turns += (group,)
        return known

    def draw(self, group: str) -> float:
        """What chance says of a group's order; asked once a run, and recorded."""
        key = f"draw {group}"
        known = self.asked.get(key)
        if not isinstance(known, float):
            known = self.asked[key] = self.ambient.draw(group)
        return known

    def over(self, limit: str, key: str) -> bool:
        """Whether one more would pass a limit; asked once a run. Found false, it is one that this run
        takes.
        """
        name = f"over {limit} {key}" if key else f"over {limit}"
        known = self.asked.get(name)
        if known is None:
            known = self.asked[name] = self.ambient.over(limit, key)
            if not known:
                self.takes[limit, key] = None
        return known is True
