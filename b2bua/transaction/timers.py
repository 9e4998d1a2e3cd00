"""One place for everything that is to happen later, under a clock that the shell owns.

RFC 3261 uses a handful of durations over and over, so each duration has a queue of its own: setting a timer appends,
and what falls due stands at the front. A cancelled timer stays in its queue, empty, until it falls due or until the
dead outnumber the living there. Owns order and time; what a timer means is known to the one whom it belongs to.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

import msgspec

_SWEEP_ABOVE = 512
_TAKEN = -1.0


class Owner(Protocol):
    """Whoever sets timers."""

    def timer_fired(self, name: str) -> None:
        """Do what the timer called `name` stands for."""


class Timer(msgspec.Struct, gc=False):
    """A timer that is set. `owner` is None once it has fired or was cancelled. `due` is monotonic seconds."""

    delay: float
    due: float
    owner: Owner | None
    name: str


class Timers:
    """The timers of one core. `live` says how many are set; `now` is the time of the input that is at hand."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._queues: dict[float, deque[Timer]] = {}
        self._dead: dict[float, int] = {}
        self._earliest = math.inf
        self.live = 0

    def set(self, delay: float, owner: Owner, name: str) -> Timer:
        """Have `owner.timer_fired(name)` called `delay` seconds from now."""
        queue = self._queues.get(delay)
        if queue is None:
            queue = self._queues[delay] = deque()
            self._dead[delay] = 0
        due = self.now + delay
        timer = Timer(delay, due, owner, name)
        queue.append(timer)
        if due < self._earliest:
            self._earliest = due
        self.live += 1
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Forget a timer; one that has fired, or none, is fine."""
        if timer is None or timer.owner is None:
            return
        timer.owner = None
        self.live -= 1
        delay = timer.delay
        if delay == _TAKEN:
            return
        dead = self._dead[delay] = self._dead[delay] + 1
        if dead > _SWEEP_ABOVE and dead * 2 > len(self._queues[delay]):
            self._queues[delay] = deque(t for t in self._queues[delay] if t.owner is not None)
            self._dead[delay] = 0

    @property
    def wake_at(self) -> float | None:
        """When `fire` may have something to do, in monotonic seconds; None when no timer is set.

        Never too late, and too early where that timer was cancelled: asked for with every message, it has to be cheap.
        """
        return self._earliest if self.live else None

    def fire(self, now: float, at_most: int) -> None:
        """Fire what is due at `now`, in the order of the times, no more than `at_most` of them.

        The cap keeps a burst from starving the sockets: what is left stays due. A timer that one of these cancels
        does not fire.
        """
        due: list[Timer] = []
        for delay, queue in self._queues.items():
            while queue and queue[0].due <= now and len(due) < at_most:
                timer = queue.popleft()
                if timer.owner is None:
                    self._dead[delay] -= 1
                else:
                    timer.delay = _TAKEN
                    due.append(timer)
        due.sort(key=lambda timer: timer.due)
        for timer in due:
            owner = timer.owner
            if owner is not None:
                timer.owner = None
                self.live -= 1
                owner.timer_fired(timer.name)
        self._look()

    def _look(self) -> None:
        self._earliest = math.inf
        for delay, queue in self._queues.items():
            while queue and queue[0].owner is None:
                queue.popleft()
                self._dead[delay] -= 1
            if queue and queue[0].due < self._earliest:
                self._earliest = queue[0].due
