"""One place for everything that is to happen later, under a clock that the shell owns.

RFC 3261 uses a handful of durations over and over, so each duration has a queue of its own: setting a timer appends,
and what falls due stands at the front; beyond a few dozen, queues that are empty go. A cancelled timer stays in its
queue, empty, until it falls due or until the dead outnumber the living there. Owns order and time; what a timer means
is known to the one whom it belongs to.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Protocol

from b2bua.values import Untracked

_SWEEP_ABOVE: Final = 512
_QUEUES_KEPT: Final = 32


class Owner(Protocol):
    """Whoever sets timers."""

    def timer_fired(self, name: str) -> None:
        """Do what the timer called `name` stands for."""


class Queue:
    """The timers of one duration, in the order of their times. `dead` is how many of them were cancelled."""

    __slots__ = ("dead", "timers")

    def __init__(self) -> None:
        self.timers: deque[Timer] = deque()
        self.dead = 0

    def skip_dead(self) -> None:
        """Let go of the cancelled ones in front."""
        timers = self.timers
        while timers and timers[0].owner is None:
            timers.popleft()
            self.dead -= 1

    def sweep(self) -> None:
        """Let go of all that were cancelled."""
        self.timers = deque([timer for timer in self.timers if timer.owner is not None])
        self.dead = 0


class Timer(Untracked):
    """A timer that is set. `owner` is None once it has fired or was cancelled. `due` is monotonic seconds."""

    queue: Queue
    due: float
    owner: Owner | None
    name: str


class Timers:
    """The timers of one core. `now` is the time of the input that is at hand."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._queues: dict[float, Queue] = {}
        self._fired = Queue()
        self._earliest = math.inf

    @property
    def live(self) -> int:
        """How many are set."""
        return sum(len(queue.timers) - queue.dead for queue in self._queues.values())

    def set(self, delay: float, owner: Owner, name: str) -> Timer:
        """Have `owner.timer_fired(name)` called `delay` seconds from now."""
        queue = self._queues.get(delay)
        if queue is None:
            queue = self._queues[delay] = Queue()
        due = self.now + delay
        timer = Timer(queue, due, owner, name)
        queue.timers.append(timer)
        if due < self._earliest:
            self._earliest = due
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Forget a timer; one that has fired, or none, is fine."""
        if timer is None or timer.owner is None:
            return
        timer.owner = None
        queue = timer.queue
        queue.dead += 1
        if queue.dead > _SWEEP_ABOVE and queue.dead * 2 > len(queue.timers):
            queue.sweep()

    @property
    def wake_at(self) -> float | None:
        """When `fire` may have something to do, in monotonic seconds; None when it never will.

        Never too late, and too early where that timer was cancelled: asked for with every message, it has to be cheap.
        """
        return self._earliest if self._earliest < math.inf else None

    def fire(self, now: float, at_most: int) -> None:
        """Fire what is due at `now`, in the order of the times, no more than `at_most` of them.

        The cap keeps a burst from starving the sockets: what is left stays due. A timer that one of these cancels
        does not fire.
        """
        due: list[Timer] = []
        for queue in self._queues.values():
            timers = queue.timers
            while timers and timers[0].due <= now and len(due) < at_most:
                timer = timers.popleft()
                if timer.owner is None:
                    queue.dead -= 1
                else:
                    # Should another of these cancel it, no queue has it any more.
                    timer.queue = self._fired
                    due.append(timer)
        due.sort(key=lambda timer: timer.due)
        for timer in due:
            owner = timer.owner
            if owner is not None:
                timer.owner = None
                owner.timer_fired(timer.name)
        self._look()

    def _look(self) -> None:
        self._earliest = math.inf
        if len(self._queues) > _QUEUES_KEPT:
            self._queues = {delay: queue for delay, queue in self._queues.items() if queue.timers}
        for queue in self._queues.values():
            queue.skip_dead()
            if queue.timers and queue.timers[0].due < self._earliest:
                self._earliest = queue.timers[0].due
