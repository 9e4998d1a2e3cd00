"""Opening hours: windows of days and clock times in a time zone, and when they do not hold.

Owns whether a moment is within them. The moment is an argument, so the answer can be replayed. All of it is read on
the clock of the zone: where that goes back, its hour counts twice, and where it goes forward, not at all. How windows
are written belongs to the parser, holidays files to `holidays`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec

DAY = 24 * 60


class Weekdays(msgspec.Struct, frozen=True):
    """Days of the week; Monday is 0."""

    days: frozenset[int]

    def has(self, day: date) -> bool:
        """Whether it is one of these."""
        return day.weekday() in self.days


class Dates(msgspec.Struct, frozen=True):
    """From one date to another, both included."""

    first: date
    last: date

    def has(self, day: date) -> bool:
        """Whether it is one of these."""
        return self.first <= day <= self.last


class Yearly(msgspec.Struct, frozen=True):
    """The same, every year, as (month, day); the last may be in the year after."""

    first: tuple[int, int]
    last: tuple[int, int]

    def has(self, day: date) -> bool:
        """Whether it is one of these."""
        return _goes_round(self.first, (day.month, day.day), self.last)


class Holidays(msgspec.Struct, frozen=True):
    """Single dates, and (month, day) pairs that return every year; how many there are costs nothing."""

    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    def has(self, day: date) -> bool:
        """Whether it is one of these."""
        return day in self.dates or (day.month, day.day) in self.yearly


Days: TypeAlias = Weekdays | Dates | Yearly | Holidays


def _goes_round(first: tuple[int, ...], asked: tuple[int, ...], last: tuple[int, ...]) -> bool:
    return first <= asked <= last if first <= last else asked >= first or asked <= last


class Window(msgspec.Struct, frozen=True):
    """On each of some days, from the minute `opens` until before `closes`.

    A window that closes at or before the minute at which it opens runs into the next day, and belongs to the day on
    which it began.
    """

    days: Days
    opens: int
    closes: int


class Stretch(msgspec.Struct, frozen=True):
    """From a moment until before another: (year, month, day, minute), of which the year is 0 where it is every year."""

    first: tuple[int, int, int, int]
    last: tuple[int, int, int, int]

    def has(self, day: date, minute: int) -> bool:
        """Whether this minute of a day is in it."""
        year = day.year if self.first[0] else 0
        moment = (year, day.month, day.day, minute)
        return moment != self.last and _goes_round(self.first, moment, self.last)


class Hours:
    """When it is open, in a time zone. A holiday closes from midnight to midnight, and what began on it does not run
    on; `excluded` are hours whose moments are none of these.
    """

    def __init__(
        self,
        windows: Iterable[Window],
        zone: ZoneInfo,
        holidays: Iterable[Days] = (),
        stretches: Iterable[Stretch] = (),
        excluded: Iterable[Hours] = (),
    ) -> None:
        self._windows = tuple(windows)
        self.zone = zone
        self._holidays = tuple(holidays)
        self._stretches = tuple(stretches)
        self._excluded = tuple(excluded)
        self._minute = -1
        self._within = False

    def within(self, wall: float) -> bool:
        """Whether a moment, in seconds since the epoch, is within these hours."""
        minute = int(wall // 60)
        if minute != self._minute:
            begun = minute * 60.0
            closed = any(hours.within(begun) for hours in self._excluded)
            self._within = not closed and self._find(datetime.fromtimestamp(begun, self.zone))
            self._minute = minute
        return self._within

    def _is_holiday(self, day: date) -> bool:
        return any(days.has(day) for days in self._holidays)

    def _find(self, moment: datetime) -> bool:
        today = moment.date()
        if self._is_holiday(today):
            return False
        minute = moment.hour * 60 + moment.minute
        if any(stretch.has(today, minute) for stretch in self._stretches):
            return True
        yesterday = today - timedelta(days=1)
        yesterday_counts = not self._is_holiday(yesterday)
        for window in self._windows:
            over_midnight = window.closes <= window.opens
            closes = DAY if over_midnight else window.closes
            if window.opens <= minute < closes and window.days.has(today):
                return True
            if over_midnight and yesterday_counts and minute < window.closes and window.days.has(yesterday):
                return True
        return False
