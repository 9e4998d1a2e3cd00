"""When each listener's next packet is due: every 20 ms by an absolute clock, all listeners spread over the 20 ms.

Owns the pace. It does not drift, since what is due is counted from one start and never from when the last packet left.
After a stall each listener gets one packet, and is told how many it missed: nothing is caught up with in a burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from b2bua.media.rtp import FRAME_SECONDS

SLOTS: Final = 20
"""The parts that a period has: one of them is served each millisecond."""

SLOT_SECONDS: Final = FRAME_SECONDS / SLOTS

Listener = TypeVar("Listener")


class Schedule(Generic[Listener]):
    """Listeners, which are hashable, and their turns. All times in seconds by one monotonic clock."""

    def __init__(self, now: float) -> None:
        self._start = now
        self._next = 0
        """The first turn that was not yet taken, counted from the start; turn t is of slot t % SLOTS."""
        self._slots: list[dict[Listener, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Listener, int] = {}
        self._served = [0] * SLOTS
        """The last turn of each slot."""

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, listener: Listener) -> bool:
        return listener in self._slot_of

    def add(self, listener: Listener, now: float) -> None:
        """Serve it from now on, first within 20 ms: where the fewest are, soonest among these."""
        if listener in self._slot_of:
            return
        soonest = max(self._next, math.ceil((now - self._start) / SLOT_SECONDS))
        if not self._slot_of:
            # Nobody was due while there was nobody.
            self._next = soonest
        turn = min(range(soonest, soonest + SLOTS), key=lambda turn: len(self._slots[turn % SLOTS]))
        slot = turn % SLOTS
        if not self._slots[slot]:
            self._served[slot] = turn - SLOTS
        self._slots[slot][listener] = None
        self._slot_of[listener] = slot

    def discard(self, listener: Listener) -> None:
        """Serve it no more."""
        slot = self._slot_of.pop(listener, None)
        if slot is not None:
            del self._slots[slot][listener]

    @property
    def due(self) -> float | None:
        """When `turns` has something to give; None if there are no listeners."""
        for turn in range(self._next, self._next + SLOTS):
            if self._slots[turn % SLOTS]:
                return self._start + turn * SLOT_SECONDS
        return None

    def turns(self, now: float) -> Iterator[tuple[float, int, list[Listener]]]:
        """What is due: since when, how many turns were missed before this one, and whose turn it is.

        Listeners may be added and discarded meanwhile; who is discarded may still be among those already given.
        """
        until = math.floor((now - self._start) / SLOT_SECONDS + 1e-6) + 1
        first = max(self._next, until - SLOTS)
        self._next = max(self._next, until)
        for turn in range(first, until):
            slot = turn % SLOTS
            if self._slots[slot]:
                missed = (turn - self._served[slot]) // SLOTS - 1
                self._served[slot] = turn
                yield self._start + turn * SLOT_SECONDS, missed, list(self._slots[slot])
