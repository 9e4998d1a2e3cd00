"""A clock that moves when it is told to: what is to happen, in the order of its times."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Alarm:
    """Something that will happen once. `act` is None when it has happened or was called off."""

    __slots__ = ("act", "due")

    def __init__(self, due: float, act: Callable[[], None]) -> None:
        self.due = due
        self.act: Callable[[], None] | None = act


class Clock:
    """Virtual time in seconds. What is due at the same instant happens in the order in which it was asked for."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._heap: list[tuple[float, int, Alarm]] = []
        self._asked = 0

    def at(self, due: float, act: Callable[[], None]) -> Alarm:
        """Have `act` called at that time, or at once when it has passed."""
        alarm = Alarm(max(due, self.now), act)
        self._asked += 1
        heapq.heappush(self._heap, (alarm.due, self._asked, alarm))
        return alarm

    def after(self, delay: float, act: Callable[[], None]) -> Alarm:
        """Have `act` called `delay` seconds from now."""
        return self.at(self.now + delay, act)

    @staticmethod
    def cancel(alarm: Alarm | None) -> None:
        """Call an alarm off; none, or one that is past, is fine."""
        if alarm is not None:
            alarm.act = None

    @property
    def next_due(self) -> float | None:
        """When the next alarm rings; None when none is set."""
        while self._heap and self._heap[0][2].act is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, until: float) -> None:
        """Let everything happen that is due by `until`, which is the time afterwards."""
        while (due := self.next_due) is not None and due <= until:
            alarm = heapq.heappop(self._heap)[2]
            act, alarm.act = alarm.act, None
            self.now = due
            if act is not None:
                act()
        self.now = max(self.now, until)
