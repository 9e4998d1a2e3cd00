"""The event loop's pulse: how late it is, and a sign of life for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from b2bua.io.histogram import Histogram, Shown

SECONDS: Final = 1.0
"""From one beat to the next."""

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Pulse:
    """Beats every so many seconds; `beat` is called each time."""

    def __init__(self, beat: Callable[[], None], seconds: float = SECONDS) -> None:
        self._beat = beat
        self._seconds = seconds
        self._lag = Histogram(_BOUNDS)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            due = trio.current_time() + self._seconds
            await trio.sleep_until(due)
            self._lag.add(trio.current_time() - due)
            self._beat()

    def lag(self) -> Shown:
        """By how many seconds beats came late."""
        return self._lag.shown()
