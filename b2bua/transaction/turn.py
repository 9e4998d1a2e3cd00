"""One input's turn through the core: the time it came, and the effects that it has led to so far.

Every layer of a core shares one `Turn`; `Core` begins it afresh with each input and returns its effects. This is how
the time reaches those who set timers without anybody reading a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from b2bua.effects import Effect
from b2bua.settings import Settings
from b2bua.transaction.timers import Timers


class Concerned(Protocol):
    """What an input is about, so that a bug of ours costs nobody else."""

    def fail(self) -> None:
        """End, since we cannot go on."""

    def abolish(self) -> None:
        """Be gone without another word: to end failed too."""


class Turn:
    """`wall` is seconds since the epoch; `draw` gives 16 random hexadecimal digits.

    `after(delay, owner, name)` sets a timer, `delay` seconds from this turn. `concerned` is the call that is at work.
    `why` is why a connection could not be had, while that is what the input says.
    """

    __slots__ = (
        "_date",
        "_second",
        "after",
        "concerned",
        "counters",
        "draw",
        "effects",
        "settings",
        "timers",
        "wall",
        "why",
    )

    def __init__(self, settings: Settings, draw: Callable[[], str], now: float, wall: float) -> None:
        self.settings = settings
        self.draw = draw
        self.wall = wall
        self.effects: list[Effect] = []
        self.timers = Timers(now)
        self.after = self.timers.set
        self.counters: dict[str, int] = {}
        self.concerned: Concerned | None = None
        self.why = ""
        self._second = 0
        self._date = "00000000"

    def count(self, name: str) -> None:
        """Add one to a counter that the operator can read."""
        self.counters[name] = self.counters.get(name, 0) + 1

    def dated(self, drawn: str) -> str:
        """What was drawn, behind the time in hexadecimal seconds: names that are stored are then stored in their order,
        and a database has a few places at work rather than all of them.
        """
        second = int(self.wall)
        if second != self._second:
            self._second, self._date = second, f"{second:08x}"
        return self._date + drawn

    @property
    def now(self) -> float:
        """The time of the input, in monotonic seconds."""
        return self.timers.now

    def begin(self, now: float, wall: float) -> Turn:
        """Another input."""
        self.timers.now = now
        self.wall = wall
        self.concerned = None
        self.effects = []
        return self
