"""Repeating a 2xx until its ACK comes, or never will (RFC 3261 13.3.1.4)."""

from __future__ import annotations

from b2bua.transaction.timers import Owner, Timer
from b2bua.transaction.turn import Turn


class Repetition:
    """Fires `repeat` at its owner after T1, 2*T1 and so on up to every T2, and `unacknowledged` after 64*T1 in all."""

    __slots__ = ("_interval", "_left", "_owner", "_timer", "_turn")

    def __init__(self, turn: Turn, owner: Owner) -> None:
        self._turn = turn
        self._owner = owner
        self._interval = t1 = turn.settings.timers.t1
        self._left = 63 * t1
        self._timer: Timer = turn.after(t1, owner, "repeat")

    def again(self) -> None:
        """It was repeated: wait twice as long for the next time."""
        self._interval = delay = min(2 * self._interval, self._turn.settings.timers.t2)
        # What is left is counted in intervals, not by the clock, so that the timers' durations stay a handful.
        name = "repeat"
        if delay >= self._left:
            delay, name = self._left, "unacknowledged"
        self._left -= delay
        self._timer = self._turn.after(delay, self._owner, name)

    def stop(self) -> None:
        """The ACK came."""
        self._turn.timers.cancel(self._timer)
