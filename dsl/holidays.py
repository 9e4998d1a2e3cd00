"""`holidays.yaml`: days on which opening hours do not hold.

Owns the file's shape: a list of dates and ranges of dates, or a mapping from these to what is kept on them.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from dsl.diagnostics import Problem
from dsl.hours import Dates, Days, Holidays, Yearly
from dsl.vocabulary import MONTHS
from dsl.yaml_rows import Rows, read_rows

_NAMED = re.compile(rf"({'|'.join(MONTHS)}) ([0-9]{{1,2}})").fullmatch
_LEAP = 2024


def load_holidays(path: Path, problems: list[Problem]) -> tuple[Days, ...]:
    """Read a holidays file: `2026-12-25`, yearly `12-25` or `dec 25`, ranges of these with `to`.

    What is wrong is added to `problems`, and the sound days are returned. Raises OSError.
    """
    return read_rows(path, problems, _holidays)


def _holidays(document: Rows) -> tuple[Days, ...]:
    dates: set[date] = set()
    yearly: set[tuple[int, int]] = set()
    ranges: list[Days] = []
    root = document.root
    keyed = document.is_mapping(root)
    nodes = (
        [key for _, key, _ in document.entries(root, "a holidays file")]
        if keyed
        else document.items(root, "a holidays file")
    )
    for node in nodes:
        days = _days(document, node)
        if isinstance(days, date):
            dates.add(days)
        elif isinstance(days, tuple):
            yearly.add(days)
        elif days is not None:
            ranges.append(days)
    return (Holidays(frozenset(dates), frozenset(yearly)), *ranges)


def _days(document: Rows, node: Any) -> date | tuple[int, int] | Days | None:
    """What stands at a node: a date, a (month, day), a range of either; None, and a problem, for what is no date."""
    written = document.text(node, "a date")
    if written is None:
        return None
    first, to, last = (part.strip() for part in written.partition(" to "))
    opening = _date(first)
    closing = _date(last) if to else opening
    if opening is None or closing is None:
        wrong = first if opening is None else last
        document.wrong(node, f"`{wrong}` is no date", "write `2026-12-25`, `12-25` for every year, or `12-24 to 01-06`")
        return None
    if not to:
        return opening
    if isinstance(opening, tuple) and isinstance(closing, tuple):
        return Yearly(opening, closing)
    if isinstance(opening, tuple) or isinstance(closing, tuple):
        document.wrong(node, "only one end has a year", "write one at both, or leave both out")
        return None
    if opening >= closing:
        document.wrong(node, "this range goes backwards", f"write `{last} to {first}`")
        return None
    return Dates(opening, closing)


def _date(written: str) -> date | tuple[int, int] | None:
    """A date, or one of every year as (month, day)."""
    named = _NAMED(written)
    if named is not None:
        written = f"{MONTHS.index(named[1]) + 1:02}-{int(named[2]):02}"
    every_year = len(written) == 5
    try:
        day = date.fromisoformat(f"{_LEAP}-{written}" if every_year else written)
    except ValueError:
        return None
    return (day.month, day.day) if every_year else day
