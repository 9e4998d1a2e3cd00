"""Opening hours: windows of weekdays and clock times in a time zone, and the holidays on which they do
not hold.

Owns whether a moment is within them. The moment is an argument, so the answer can be replayed; reading a
holidays file is `load_holidays`, and the syntax of windows belongs to the parser.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import yaml

from dsl.diagnostics import Problem
from dsl.marked_yaml import Document

DAY = 24 * 60


class Window(msgspec.Struct, frozen=True):
    """Weekdays (Monday is 0) and the minutes of the day from `opens` until before `closes`.

    A window that closes at or before the minute at which it opens runs into the next day, and belongs to
    the day on which it began.
    """

    days: frozenset[int]
    opens: int
    closes: int


class Holidays(msgspec.Struct, frozen=True):
    """Single dates, and (month, day) pairs that return every year."""

    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    def has(self, day: date) -> bool:
        """Whether this day is a holiday."""
        return day in self.dates or (day.month, day.day) in self.yearly


class Hours:
    """Windows in a time zone. A holiday closes from midnight to midnight, and what began on it does not
    run on.
    """

    def __init__(self, windows: Iterable[Window], zone: ZoneInfo, holidays: Holidays) -> None:
        self._windows = tuple(windows)
        self._zone = zone
        self._holidays = holidays
        self._minute = -1
        self._within = False

    def within(self, wall: float) -> bool:
        """Whether a moment, in seconds since the epoch, is within these hours."""
        minute = int(wall // 60)
        if minute != self._minute:
            self._within = self._find(datetime.fromtimestamp(minute * 60, self._zone))
            self._minute = minute
        return self._within

    def _find(self, moment: datetime) -> bool:
        today = moment.date()
        if self._holidays.has(today):
            return False
        weekday, minute = moment.weekday(), moment.hour * 60 + moment.minute
        yesterday_counts = not self._holidays.has(today - timedelta(days=1))
        for window in self._windows:
            over_midnight = window.closes <= window.opens
            closes = DAY if over_midnight else window.closes
            if weekday in window.days and window.opens <= minute < closes:
                return True
            tail = over_midnight and minute < window.closes and (weekday - 1) % 7 in window.days
            if tail and yesterday_counts:
                return True
        return False


def load_holidays(path: Path, problems: list[Problem]) -> Holidays:
    """Read a list of dates, `2026-12-25` or yearly `12-25`, or a mapping of dates to what is kept on them.

    What is wrong is added to `problems`, and the sound dates are returned. Raises OSError.
    """
    document = Document.read(path, problems)
    dates: set[date] = set()
    yearly: set[tuple[int, int]] = set()
    root = document.root
    keyed = isinstance(root, yaml.MappingNode)
    nodes = [key for _, key, _ in document.entries(root, "")] if keyed else document.items(root, "a holidays file")
    for node in nodes:
        written = document.text(node, "a date")
        if written is None:
            continue
        every_year = len(written) == 5
        try:
            day = date.fromisoformat(f"2024-{written}" if every_year else written)
        except ValueError:
            document.wrong(node, f"`{written}` is no date", "write `2026-12-25`, or `12-25` for every year")
            continue
        if every_year:
            yearly.add((day.month, day.day))
        else:
            dates.add(day)
    return Holidays(frozenset(dates), frozenset(yearly))
