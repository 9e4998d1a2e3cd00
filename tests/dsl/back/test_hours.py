"""Opening hours by weekday, clock, time zone and holiday."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from dsl.holidays import load_holidays
from dsl.hours import DAY, Dates, Hours, Weekdays, Window
from dsl.policy import load

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = Weekdays(frozenset(range(5)))
OFFICE = Hours([Window(WORKDAYS, 8 * 60, 18 * 60), Window(Weekdays(frozenset({5})), 9 * 60, 12 * 60)], BERLIN)
NIGHT = Hours([Window(WORKDAYS, 22 * 60, 6 * 60)], BERLIN, [Dates(date(2026, 7, 3), date(2026, 7, 3))])


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
        (Hours([Window(WORKDAYS, 0, DAY)], BERLIN), "2026-06-29 23:59:59", True),
        (Hours([Window(WORKDAYS, 0, DAY)], BERLIN), "2026-07-04 00:00:00", False),
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
        (found,) = load_holidays(path, problems)
        assert found.has(date(2026, 12, 24)) and not found.has(date(2027, 12, 24))
        assert found.has(date(2026, 12, 25)) and found.has(date(2027, 12, 25))
    assert problems == []


def test_what_is_no_date_is_shown_where_it_stands(tmp_path):
    path = tmp_path / "holidays.yaml"
    path.write_text("- 2026-12-24\n- 2026-13-01\n- christmas\n- 12-32\n")
    problems = []
    assert load_holidays(path, problems)[0].dates == {date(2026, 12, 24)}
    assert [(p.line, p.column) for p in problems] == [(2, 3), (3, 3), (4, 3)]


def hours(folder, declared, name="open"):
    folder.joinpath("x.route").write_text(
        f'policy "x" domain office.example timezone "Europe/Berlin"\n{declared}\n'
        "on register { otherwise -> reject 403 }\n"
        f"on call {{ when within {name} -> reject 486 otherwise -> reject 404 }}\n"
    )
    return load(folder / "x.route").setup.hours[name]


def openings(found, *moments):
    return [moment for moment in moments if found.within(wall(moment))]


def test_days_can_be_listed_and_have_several_times(tmp_path):
    found = hours(tmp_path, "hours open = mon, wed-thu 08:00-12:00 and 13:00-18:00, sat-mon 20:00-22:00")
    open_at = ["2026-06-29 08:00", "2026-06-29 13:00", "2026-07-01 11:59", "2026-07-02 17:59", "2026-06-29 20:00"]
    shut_at = ["2026-06-29 12:30", "2026-06-30 09:00", "2026-07-03 09:00", "2026-07-04 09:00", "2026-07-02 20:00"]
    assert openings(found, *open_at, *shut_at) == open_at


def test_dates_are_of_every_year_or_of_one(tmp_path):
    found = hours(
        tmp_path, "hours open = dec 24 to jan 6, may 1 10:00-12:00, 2026-07-01 to 2026-07-03 22:00-02:00, 2026-09-01"
    )
    open_at = ["2026-12-24 00:00", "2027-01-06 23:59", "2028-12-31 12:00", "2027-05-01 10:00", "2026-07-03 23:00"]
    open_at += ["2026-07-04 01:59", "2026-09-01 00:00"]
    shut_at = ["2026-12-23 23:59", "2027-01-07 00:00", "2027-05-01 12:00", "2026-07-01 01:00", "2026-07-04 02:00"]
    shut_at += ["2027-07-02 23:00", "2027-09-01 12:00"]
    assert openings(found, *open_at, *shut_at) == open_at


def test_it_can_go_from_a_moment_to_another(tmp_path):
    found = hours(tmp_path, "hours open = 2026-12-23 18:00 to 2027-01-07 08:00, jun 30 12:00 to jun 30 13:00")
    open_at = ["2026-12-23 18:00", "2026-12-31 03:00", "2027-01-07 07:59", "2030-06-30 12:59"]
    shut_at = ["2026-12-23 17:59", "2027-01-07 08:00", "2027-12-24 12:00", "2030-06-30 13:00"]
    assert openings(found, *open_at, *shut_at) == open_at
    found = hours(tmp_path, "hours open = dec 31 18:00 to jan 1 06:00")
    open_at = ["2026-12-31 18:00", "2027-01-01 05:59"]
    assert openings(found, *open_at, "2026-12-31 17:59", "2027-01-01 06:00", "2027-01-02 05:00") == open_at


def test_hours_are_shut_at_holidays_dates_and_other_hours(tmp_path):
    (tmp_path / "holidays.yaml").write_text("- 2026-07-01\n- jul 6 to jul 8\n- 2026-07-13 to 2026-07-14\n")
    found = hours(
        tmp_path,
        "hours lunch = mon-sun 12:00-13:00\n"
        'hours open = mon-sun 08:00-18:00, mon-sun 22:00-02:00 except "holidays.yaml", hours lunch, '
        "jul 9, 2026-07-10 to 2026-07-11, jul 16 08:00-10:00, jul 17 22:30 to jul 18 01:00",
    )
    shut_at = [f"2026-07-{day:02} 09:00" for day in (1, 6, 7, 8, 9, 10, 11, 13, 14, 16)]
    shut_at += ["2026-07-02 01:00", "2026-07-10 01:00", "2026-07-12 01:00", "2026-07-02 12:30", "2026-07-18 00:30"]
    open_at = [f"2026-07-{day:02} 10:00" for day in (2, 3, 4, 5, 12, 15, 16)]
    open_at += ["2026-07-03 01:00", "2026-07-17 22:00", "2026-07-18 01:00", "2026-07-02 13:00"]
    assert openings(found, *open_at, *shut_at) == open_at


def test_hours_have_a_zone_of_their_own(tmp_path):
    found = hours(tmp_path, 'hours open in "America/New_York" = mon-fri 09:00-17:00')
    assert openings(found, "2026-06-29 14:59", "2026-06-29 15:00", "2026-06-29 22:59", "2026-06-29 23:00") == [
        "2026-06-29 15:00",
        "2026-06-29 22:59",
    ]


def test_the_clock_is_put_forward_and_back(tmp_path):
    """2026-03-29 has no 02:30 in Berlin, and 2026-10-25 has it twice."""
    found = hours(tmp_path, "hours open = sun 02:00-03:00, sun 22:00-24:00")
    forward, back = wall("2026-03-29 00:00", BERLIN), wall("2026-10-25 00:00", BERLIN)
    assert [minute for minute in range(0, 300, 30) if found.within(forward + minute * 60)] == []
    assert [minute for minute in range(0, 300, 30) if found.within(back + minute * 60)] == [120, 150, 180, 210]
    assert openings(found, "2026-03-29 21:59", "2026-03-29 22:00", "2026-03-30 00:00") == ["2026-03-29 22:00"]


def test_a_holidays_file_with_ranges_that_cannot_be(tmp_path):
    path = tmp_path / "holidays.yaml"
    path.write_text("- feb 30\n- 12-24 to 2027-01-06\n- 2027-01-06 to 2026-12-24\n- dec 24 to christmas\n- [1]\n")
    problems = []
    load_holidays(path, problems)
    assert [f"{p.line}: {p.message}" for p in problems] == [
        "1: `feb 30` is no date",
        "2: only one end has a year",
        "3: this range goes backwards",
        "4: `christmas` is no date",
        "5: a date is a text, not a list or a mapping",
    ]


def test_a_holidays_file_may_be_empty(tmp_path):
    (tmp_path / "holidays.yaml").write_text("# none yet\n")
    problems = []
    load_holidays(tmp_path / "holidays.yaml", problems)
    assert problems == []
