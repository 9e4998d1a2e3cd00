"""What both sides of a transaction have in common: one timer, whichever of the RFC's letters it stands for.

Of A and B, E and F, G and H only the nearer is set (RFC 3261 17.1.1.2, 17.1.2.2 and 17.2.1): a message is repeated at
growing intervals until its time is up. Owns that reckoning; what a letter leads to is in `tables`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from b2bua.effects import Flow
from b2bua.transaction.tables import TIMERS, Event, State
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.transaction.layer import Transactions

Compiled: TypeAlias = dict[State, dict[Event, tuple[State, tuple[Callable[..., None], ...]]]]

REACHING: dict[State, tuple[str, ...]] = {State.TERMINATED: ("finish",)}
"""What each row into a state ends with."""


class Transaction:
    """`interval` is what the repeating timer stands at, `left` what the one that gives up has left, in seconds."""

    __slots__ = ("flow", "interval", "layer", "left", "state", "table", "timer")

    def __init__(self, layer: Transactions, flow: Flow, table: Compiled, state: State) -> None:
        self.layer = layer
        self.flow = flow
        self.table = table
        self.state = state
        self.timer: Timer | None = None
        self.interval = layer.t1
        self.left = layer.life

    def step(self, event: Event) -> None:
        """Do what the table says for this event."""
        row = self.table[self.state].get(event)
        if row is not None:
            self.state, actions = row
            for action in actions:
                action(self)

    def timer_fired(self, name: str) -> None:
        """One of this transaction's timers is due."""
        self.step(TIMERS[name])

    def stop_timer(self) -> None:
        """Stop the one that is set, if any."""
        self.layer.turn.timers.cancel(self.timer)
        self.timer = None

    def repeat(self, again: str, at_last: str) -> None:
        """Have the message repeated after `interval`, or the time be up, whichever is nearer: two letters.

        What is left is counted in intervals, not by the clock, so that the timers' durations stay a handful. A stream
        repeats nothing.
        """
        delay, name = self.left, at_last
        if self.interval < delay and self.flow.transport == "UDP":
            delay, name = self.interval, again
        self.left -= delay
        self.timer = self.layer.turn.after(delay, self, name)

    def linger(self, name: str, delay: float) -> None:
        """Wait for stragglers: `delay` seconds over datagrams, not at all over a stream."""
        self.timer = self.layer.turn.after(delay if self.flow.transport == "UDP" else 0.0, self, name)

    def slower(self) -> None:
        """Double the interval, up to T2."""
        self.interval = min(2 * self.interval, self.layer.turn.settings.timers.t2)
