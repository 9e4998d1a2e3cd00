"""Hours that can be: days, dates and times that there are, windows that go forwards.

Owns what can be seen in one declaration. Hours that except each other are told of where they are read.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report
from dsl.compile_hours import calendar_date


def check_hours(hours: tree.Hours, report: Report) -> None:
    """Check all that is written in hours."""
    for node in tree.walk(hours):
        match node:
            case tree.Time(text=text, minutes=None):
                report.wrong(node, f"there is no time `{text}`", "times go from `00:00` to `24:00`")
            case tree.Times(opens=opens, closes=closes) if opens.minutes is not None:
                if opens.minutes == closes.minutes:
                    report.wrong(node, "these hours end when they begin", "write `00:00-24:00` for the whole day")
            case tree.Date(text=text):
                if calendar_date(node) is None:
                    report.wrong(node, f"there is no `{text}`")
            case tree.Weekly():
                _days(node, report)
            case tree.Dated() | tree.Stretch():
                _order(node, report)
            case _:
                pass


def _days(weekly: tree.Weekly, report: Report) -> None:
    seen: set[str] = set()
    for days in weekly.days:
        name = days.first.text if days.first.text == days.last.text else f"{days.first.text}-{days.last.text}"
        if name in seen:
            report.wrong(days, f"`{name}` stands here twice", "leave it out")
        seen.add(name)


def _order(window: tree.Dated | tree.Stretch, report: Report) -> None:
    """Both ends have a year or none has; with years, the later one is the second."""
    first, last = window.first, window.last
    if (first.year is None) != (last.year is None):
        report.wrong(last, "only one end has a year", "write one at both, or leave both out")
        return
    opens, closes = (window.opens, window.closes) if isinstance(window, tree.Stretch) else (None, None)
    begins = (first.year or 0, first.month, first.day, (opens.minutes if opens else None) or 0)
    ends = (last.year or 0, last.month, last.day, (closes.minutes if closes else None) or 0)
    if first is not last and begins == ends:
        report.wrong(window, "this ends when it begins", f"write `{first.text}` alone")
    elif first.year is not None and begins > ends:
        report.wrong(window, "this goes backwards", "write the earlier date first")
