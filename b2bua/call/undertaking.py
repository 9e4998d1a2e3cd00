"""What requests under way inside a call have in common: each takes the steps of its table.

Owns stepping, and the ends that all of them may meet. What the steps do is each one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from b2bua.call.leg import Leg
from b2bua.call.tables import ExchangeEvent, ExchangeState
from b2bua.transaction.client import ClientTransaction

if TYPE_CHECKING:
    from b2bua.call.talk import Talk

Compiled: TypeAlias = dict[ExchangeState, dict[ExchangeEvent, tuple[ExchangeState, tuple[Callable[..., None], ...]]]]

REACHING: dict[ExchangeState, tuple[str, ...]] = {ExchangeState.ENDED: ("finish",)}
"""What each row into a state ends with."""


class Undertaking:
    """`offers` is whether a session description can be on its way."""

    __slots__ = ("_leg", "_table", "offers", "state", "talk")

    def __init__(self, talk: Talk, leg: Leg, table: Compiled, state: ExchangeState, offers: bool) -> None:
        self.talk = talk
        self.offers = offers
        self.state = state
        self._leg = leg
        self._table = table

    def step(self, event: ExchangeEvent) -> None:
        """Do what the table says for this event."""
        row = self._table[self.state].get(event)
        if row is None:
            return
        self._leg.stack.turn.concerned = self._leg.call
        self.state, actions = row
        for action in actions:
            action(self)

    def drop(self) -> None:
        """The call ends."""
        self.step(ExchangeEvent.DROP)

    def timed_out(self, transaction: ClientTransaction) -> None:
        """The leg that was asked is silent."""
        self.step(ExchangeEvent.UNREACHABLE)

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """The leg that was asked cannot be reached."""
        self.step(ExchangeEvent.UNREACHABLE)
