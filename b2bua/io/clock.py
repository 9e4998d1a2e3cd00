"""The core's alarm: one task that calls the shell's `alarm` when time, or something unexpected, says so.

Owns sleeping, and that ticks keep a distance under load. Leaves which timers there are to the core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import trio

TICK_SECONDS: Final = 0.05
"""The shortest time from one tick to the next: a tenth of T1 does SIP's timers no harm, and with some calls a second a
tick then serves many of them, where each by itself would cost a waking of the loop."""


class Clock:
    """Wakes at `due()`, a time of trio's clock or None, and calls `alarm`."""

    def __init__(self, due: Callable[[], float | None], alarm: Callable[[], None]) -> None:
        self._due = due
        self._alarm = alarm
        self._scope = trio.CancelScope()
        self._hurried = False
        self._last = -math.inf

    def look(self) -> None:
        """Some input may have made the alarm due earlier. Cheap: it is called after every batch."""
        due = self._due()
        if due is not None and due < self._scope.deadline:
            at = max(due, self._last + TICK_SECONDS)
            if at < self._scope.deadline:
                self._scope.deadline = at

    def hurry(self) -> None:
        """Call `alarm` in the next turn of the loop."""
        self._hurried = True
        self._scope.deadline = -math.inf

    async def run(self) -> None:
        """Call `alarm` whenever it is due, until cancelled."""
        while True:
            self._scope = scope = trio.CancelScope(deadline=-math.inf if self._hurried else math.inf)
            self._hurried = False
            self.look()
            with scope:
                await trio.sleep_forever()
            self._last = trio.current_time()
            self._alarm()
