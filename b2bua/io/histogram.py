"""How often something took how long: counts in fixed bounds, as Prometheus has them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec


class Shown(msgspec.Struct, frozen=True):
    """A histogram at one moment: `counts` has one for each upper bound in seconds, and one more for what is above."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


class Histogram:
    """`bounds` are upper bounds in seconds, rising; what is equal to one belongs below it."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._total += seconds

    def shown(self) -> Shown:
        """What there is now."""
        return Shown(self._bounds, tuple(self._counts), self._total)
