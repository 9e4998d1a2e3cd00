"""Who failed how often, and bans that grow: one table for addresses, another for accounts.

Owns counting, the length of bans, and that neither takes more memory than a bound. Pure: `now` (monotonic seconds) is
an argument. Leaves to `door` what a failure is and what a ban means.

What is banned stands apart from what has only failed, so that no flood of new names pushes a ban out; where there are
too many bans, the one that would end first gives way.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from typing import Final

FORGIVEN_SECONDS: Final = 86_400.0
"""After so long without a failure or a ban, the next ban is a first one again."""

CAPACITY: Final = 20_000
"""How many may be banned, and how many others are remembered for failures."""

_MOST_WITH: Final = 8


class Entry:
    """One address or account. `times` are those of its last failures, the oldest first, in monotonic seconds.

    `failures` counts all of them since `since`, `bans` how often it was banned, the present one included. It is banned
    until `until`, for what it had done with those in `others`: the first few accounts that an address tried, or
    addresses that tried an account. `turned_away` is what came meanwhile.
    """

    __slots__ = ("bans", "failures", "last", "name", "others", "since", "times", "turned_away", "until")

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.since = now
        self.last = now
        self.until = now
        self.failures = 0
        self.bans = 0
        self.turned_away = 0
        self.times: list[float] = []
        self.others: list[str] = []

    def within(self, seconds: float, now: float) -> int:
        """How many of the last failures are no older."""
        return len([time for time in self.times if now - time < seconds])


class Ledger:
    """`most` failures within so many `seconds` lead to a ban, each as long as `bans` says (in seconds)."""

    def __init__(self, most: int, seconds: float, bans: tuple[float, ...], kept: int, capacity: int = CAPACITY) -> None:
        """`kept` is how many times of failures are remembered for each. Without `bans` nobody is banned."""
        self._most = most
        self._seconds = seconds
        self._bans = bans
        self._kept = max(most, kept)
        self._capacity = capacity
        self._failing: OrderedDict[str, Entry] = OrderedDict()
        self._ends: list[tuple[float, str]] = []
        self.banned: dict[str, Entry] = {}

    def failed(self, name: str, other: str, now: float) -> Entry:
        """One more failure, with that account or address."""
        self.prune(now)
        entry = self.banned.get(name)
        if entry is None:
            entry = self._failing.get(name)
            if entry is None:
                entry = self._failing[name] = Entry(name, now)
                if len(self._failing) > self._capacity:
                    self._failing.popitem(last=False)
            else:
                self._failing.move_to_end(name)
                if now - entry.last > FORGIVEN_SECONDS:
                    entry.bans, entry.failures, entry.since = 0, 0, now
                    entry.others = []
        entry.last = now
        entry.failures += 1
        entry.times.append(now)
        if len(entry.times) > self._kept:
            del entry.times[0]
        if other not in entry.others and len(entry.others) < _MOST_WITH:
            entry.others.append(other)
        return entry

    def due(self, entry: Entry, now: float) -> bool:
        """Whether it has earned a ban, and has none."""
        if not self._bans or entry.name in self.banned:
            return False
        return entry.within(self._seconds, now) >= self._most

    def ban(self, entry: Entry, now: float) -> float:
        """Ban it; for how many seconds."""
        seconds = self._bans[min(entry.bans, len(self._bans) - 1)]
        self._failing.pop(entry.name, None)
        if len(self.banned) >= self._capacity:
            self._free_one()
        entry.bans += 1
        entry.turned_away = 0
        entry.times = []
        entry.until = now + seconds
        self.banned[entry.name] = entry
        heapq.heappush(self._ends, (entry.until, entry.name))
        return seconds

    def prune(self, now: float) -> None:
        """Let those go whose ban is over; what they did is remembered."""
        while self._ends and self._ends[0][0] <= now:
            self._release(*heapq.heappop(self._ends))

    def recent(self, name: str, seconds: float, now: float) -> int:
        """How many failures there were within the last so many seconds, as far as they are kept."""
        entry = self._failing.get(name)
        return 0 if entry is None else entry.within(seconds, now)

    def forgive(self, name: str) -> bool:
        """Forget what it did; whether there was anything."""
        banned = self.banned.pop(name, None)
        return self._failing.pop(name, None) is not None or banned is not None

    def failing(self) -> list[Entry]:
        """Those who have failed and are not banned, who failed most first."""
        return sorted(self._failing.values(), key=lambda entry: -entry.failures)

    def _release(self, until: float, name: str) -> bool:
        """End a ban, unless it was lifted or replaced before."""
        entry = self.banned.get(name)
        if entry is None or entry.until != until:
            return False
        del self.banned[name]
        entry.last = until
        self._failing[name] = entry
        if len(self._failing) > self._capacity:
            self._failing.popitem(last=False)
        return True

    def _free_one(self) -> None:
        while self._ends and not self._release(*heapq.heappop(self._ends)):
            pass
