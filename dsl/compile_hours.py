"""`hours` of a script, with the holidays files behind them, into `Hours`.

Owns reading them in an order in which each finds those that it excepts, and refusing hours that except themselves.
Dates and times that there are not have been told of by `check`, and count for nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from zoneinfo import ZoneInfo

from dsl import tree
from dsl.hours import DAY, Dates, Days, Hours, Stretch, Weekdays, Window, Yearly
from dsl.vocabulary import WEEKDAYS


class HoursReader:
    """Makes the hours of one script. `zone` finds the zone of hours that name one, `file` reads a holidays file, and
    `wrong` takes what is wrong.
    """

    def __init__(
        self,
        declared: Iterable[tree.Hours],
        zone: Callable[[tree.Text | None], ZoneInfo],
        file: Callable[[tree.Text], tuple[Days, ...]],
        wrong: Callable[[tree.Node, str, str], None],
    ) -> None:
        self._declared = {hours.name.text: hours for hours in declared}
        self._zone = zone
        self._file = file
        self._wrong = wrong
        self._made: dict[str, Hours] = {}

    def all(self) -> dict[str, Hours]:
        """All of them by name."""
        return {name: self._hours(name, ()) for name in self._declared}

    def _hours(self, name: str, way: tuple[str, ...]) -> Hours:
        if name not in self._made:
            self._made[name] = self._read(self._declared[name], (*way, name))
        return self._made[name]

    def _read(self, hours: tree.Hours, way: tuple[str, ...]) -> Hours:
        zone = self._zone(hours.zone)
        holidays: list[Days] = []
        moments: list[tree.Opening] = []
        excluded: list[Hours] = []
        for exception in hours.exceptions:
            match exception:
                case tree.Text():
                    holidays += self._file(exception)
                case tree.Name(text=name) if name in way:
                    circle = " to ".join(f"`{step}`" for step in (*way[way.index(name) :], name))
                    self._wrong(exception, f"these hours except each other: {circle}", "leave one of them out")
                case tree.Name(text=name):
                    if name in self._declared:
                        excluded.append(self._hours(name, way))
                case tree.Dated(times=()):
                    holidays += _dates(exception)
                case _:
                    moments.append(exception)
        if moments:
            excluded.append(Hours(_windows(moments), zone, (), _stretches(moments)))
        return Hours(_windows(hours.openings), zone, holidays, _stretches(hours.openings), excluded)


def _windows(openings: Iterable[tree.Opening]) -> list[Window]:
    windows: list[Window] = []
    for opening in openings:
        match opening:
            case tree.Weekly(days=ranges, times=times):
                weekdays: frozenset[int] = frozenset().union(*(_weekdays(days) for days in ranges))
                windows += _at(Weekdays(weekdays), times)
            case tree.Dated(times=()):
                windows += [Window(days, 0, DAY) for days in _dates(opening)]
            case tree.Dated(times=times):
                windows += [window for days in _dates(opening) for window in _at(days, times)]
            case _:
                pass
    return windows


def _at(days: Days, times: tuple[tree.Times, ...]) -> list[Window]:
    return [
        Window(days, span.opens.minutes, span.closes.minutes)
        for span in times
        if span.opens.minutes is not None and span.closes.minutes is not None
    ]


def _weekdays(days: tree.DayRange) -> frozenset[int]:
    first, last = WEEKDAYS.index(days.first.text), WEEKDAYS.index(days.last.text)
    return frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))


def _dates(dated: tree.Dated) -> list[Days]:
    first, last = dated.first, dated.last
    if first.year is None and last.year is None:
        return [Yearly((first.month, first.day), (last.month, last.day))]
    begins, ends = calendar_date(first), calendar_date(last)
    return [] if begins is None or ends is None else [Dates(begins, ends)]


def calendar_date(written: tree.Date) -> date | None:
    """The date, of every year that in a leap year; None where there is no such date."""
    try:
        return date(_LEAP if written.year is None else written.year, written.month, written.day)
    except ValueError:
        return None


_LEAP = 2024


def _stretches(openings: Iterable[tree.Opening]) -> list[Stretch]:
    return [
        Stretch(_moment(opening.first, opening.opens), _moment(opening.last, opening.closes))
        for opening in openings
        if isinstance(opening, tree.Stretch)
    ]


def _moment(day: tree.Date, time: tree.Time) -> tuple[int, int, int, int]:
    return day.year or 0, day.month, day.day, time.minutes or 0
