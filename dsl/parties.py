"""Who the two parties of a call in a `test` block are, and which of them a sentence means.

Owns names and sides. What they do is `happening`'s.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from dsl import tree
from dsl.decision import Facts
from dsl.policy import Policy
from dsl.rehearsal import Leg

Side: TypeAlias = Literal["caller", "called"]

_SIDES: tuple[Side, ...] = ("caller", "called")


class Party(msgspec.Struct, frozen=True):
    """Who is on one side. `known`: an account of ours, that proved itself or is registered."""

    name: str | None
    trunk: str | None
    known: bool


class Parties:
    """The caller, by the facts of the call, and whoever answered it; either may go, and another take its place."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        caller = Party(facts.caller or facts.caller_number or facts.claimed, facts.trunk, facts.authenticated)
        self._key = policy.setup.plan.key
        self._there: dict[Side, Party] = {"caller": caller, "called": Party(None, None, False)}
        self._came_later: set[Side] = set()

    def on(self, side: Side) -> Party:
        """Who is on a side now."""
        return self._there[side]

    def answers(self, leg: Leg) -> None:
        """Somebody takes the call."""
        self._there["called"] = _called(leg)

    def takes_over(self, side: Side, leg: Leg) -> None:
        """Somebody who was called takes the place of whoever was on a side."""
        self.comes(side, _called(leg))

    def comes(self, side: Side, party: Party) -> None:
        """Somebody takes the place of whoever was on a side."""
        self._there[side] = party
        self._came_later.add(side)

    def is_caller(self, side: Side) -> bool:
        """Whether it is still the caller who is on this side."""
        return side == "caller" and side not in self._came_later

    def named(self, side: Side) -> str:
        """A party in words."""
        name = self.on(side).name
        return f"the {'caller' if side == 'caller' else 'called side'}" if name is None else f"`{name}`"

    def side_of(self, meant: tree.From) -> Side | None:
        """The side on which somebody is, who goes by a name, a number, or a trunk; None for neither."""
        return next((side for side in _SIDES if self._is(meant, side)), None)

    def _is(self, meant: tree.From, side: Side) -> bool:
        party = self.on(side)
        if meant.trunk is not None:
            return meant.trunk.text == party.trunk
        if meant.user is not None:
            return meant.user.text == party.name
        if meant.claimed is None:
            return self.is_caller(side) and not party.known
        return party.name is not None and self._key(party.name) == self._key(meant.claimed.value)


def other(side: Side) -> Side:
    """The side that this one talks to."""
    return "called" if side == "caller" else "caller"


def _called(leg: Leg) -> Party:
    return Party(leg.names[0], leg.trunk, leg.user is not None)
