"""Opening hours by weekday, clock, time zone and holiday."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from dsl.hours import DAY, Holidays, Hours, Window, load_holidays

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = frozenset(range(5))
OFFICE = Hours([Window(WORKDAYS, 8 * 60, 18 * 60), Window(frozenset({5}), 9 * 60, 12 * 60)], BERLIN, Holidays())
NIGHT = Hours([Window(WORKDAYS, 22 * 60, 6 * 60)], BERLIN, Holidays(frozenset({date(2026, 7, 3)})))


def wall(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("hours", "moment", "within"),
    [
        (OFFICE, "2026-06-29 07:59:59", False),
        (OFFICE, "2026-06-29 08:00:00", True),
        (OFFICE, "2026-06-29 17:59:59", True),
        (OFFICE, "2026-06-29 18:00:00", False),
        (OFFICE, "2026-07-04 10:00:00", True),
        (OFFICE, "2026-07-04 12:00:00", False),
        (OFFICE, "2026-07-05 10:00:00", False),
        (NIGHT, "2026-06-29 21:59:00", False),
        (NIGHT, "2026-06-29 23:00:00", True),
        (NIGHT, "2026-06-30 05:59:00", True),
        (NIGHT, "2026-06-29 05:00:00", False),
        (NIGHT, "2026-07-03 05:00:00", False),
        (NIGHT, "2026-07-03 23:00:00", False),
        (NIGHT, "2026-07-04 05:00:00", False),
        (Hours([Window(WORKDAYS, 0, DAY)], BERLIN, Holidays()), "2026-06-29 23:59:59", True),
        (Hours([Window(WORKDAYS, 0, DAY)], BERLIN, Holidays()), "2026-07-04 00:00:00", False),
    ],
)
def test_a_moment_is_within_or_not(hours, moment, within):
    assert hours.within(wall(moment)) is within
    assert hours.within(wall(moment)) is within


def test_the_clock_is_that_of_the_zone():
    assert OFFICE.within(wall("2026-06-29 06:30", ZoneInfo("UTC")))
    assert not OFFICE.within(wall("2026-01-05 06:30", ZoneInfo("UTC")))


def test_holidays_come_from_a_list_or_a_mapping(tmp_path):
    path = tmp_path / "holidays.yaml"
    problems = []
    for text in ("- 2026-12-24\n- 12-25\n", "2026-12-24: Christmas Eve\n12-25: Christmas\n"):
        path.write_text(text)
        found = load_holidays(path, problems)
        assert found.has(date(2026, 12, 24)) and not found.has(date(2027, 12, 24))
        assert found.has(date(2026, 12, 25)) and found.has(date(2027, 12, 25))
    assert problems == []


def test_what_is_no_date_is_shown_where_it_stands(tmp_path):
    path = tmp_path / "holidays.yaml"
    path.write_text("- 2026-12-24\n- 2026-13-01\n- christmas\n- 12-32\n")
    problems = []
    assert load_holidays(path, problems).dates == {date(2026, 12, 24)}
    assert [(p.line, p.column) for p in problems] == [(2, 3), (3, 3), (4, 3)]
