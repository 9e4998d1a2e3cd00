"""What the calls of a `test` block use up: limits, channels of trunks, and who is in a call.

Owns the counters. What a decision takes is said by the decision, when a call is over by `happening`.
"""

from __future__ import annotations

from collections import Counter, deque

from dsl.compile_setup import Limit


class Counts:
    """`channels` are legs by trunk, `users` calls by user."""

    def __init__(self, limits: dict[str, Limit]) -> None:
        self._limits = limits
        self._windows: dict[tuple[str, str], deque[float]] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        self.channels: Counter[str] = Counter()
        self.users: Counter[str] = Counter()

    def over(self, name: str, key: str, now: float) -> bool:
        """Whether one more would pass a limit for this key, at a time (wall seconds)."""
        limit = self._limits[name]
        if limit.per is None:
            return self._totals[name, key] >= limit.most(key)
        window = self._windows.get((name, key), deque())
        while window and window[0] <= now - limit.per:
            window.popleft()
        return len(window) >= limit.most(key)

    def take(self, name: str, key: str, now: float) -> bool:
        """Count one; True when it has to be given back at the call's end."""
        if self._limits[name].per is None:
            self._totals[name, key] += 1
            return True
        self._windows.setdefault((name, key), deque()).append(now)
        return False

    def give_back(self, name: str, key: str) -> None:
        """A call that took one of a total is over."""
        self._totals[name, key] -= 1
