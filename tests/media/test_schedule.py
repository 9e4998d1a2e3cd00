"""The pace: absolute, spread, and without bursts."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.media.schedule import SLOTS, Schedule

START = 1_000.0


def served(schedule: Schedule[int], now: float) -> list[tuple[float, int, int]]:
    """Whose turn it was: since when, how many were missed, who."""
    return [(due, missed, who) for due, missed, listeners in schedule.turns(now) for who in listeners]


def test_a_thousand_listeners_are_spread_evenly() -> None:
    schedule: Schedule[int] = Schedule(START)
    for who in range(1_000):
        schedule.add(who, START)
    turns = Counter(due for due, _, _ in served(schedule, START + 0.0199))
    assert set(turns.values()) == {1_000 // SLOTS}
    assert len(turns) == SLOTS


def test_those_who_left_make_room() -> None:
    schedule: Schedule[int] = Schedule(START)
    for who in range(3 * SLOTS):
        schedule.add(who, START)
    for who in (5, 6, 7, 7):
        schedule.discard(who)
    for who in (101, 102, 103):
        schedule.add(who, START)
    assert len(schedule) == 3 * SLOTS
    assert set(Counter(due for due, _, _ in served(schedule, START + 0.0199)).values()) == {3}


def test_who_comes_first_waits_a_millisecond_at_most() -> None:
    schedule: Schedule[int] = Schedule(START)
    schedule.add(1, START + 5.0003)
    assert schedule.due == pytest.approx(START + 5.001)


def test_nothing_is_due_without_listeners() -> None:
    schedule: Schedule[int] = Schedule(START)
    assert schedule.due is None
    schedule.add(1, START)
    schedule.discard(1)
    assert schedule.due is None
    assert served(schedule, START + 1) == []


def test_turns_keep_to_the_clock_for_a_day_however_late_they_are_taken() -> None:
    schedule: Schedule[int] = Schedule(START)
    schedule.add(1, START)
    for turn in (0, 1, 2, 3, 100_000, 100_001, 4_319_999, 4_320_000):
        ((due, _, _),) = served(schedule, START + turn * 0.02 + 0.0137)
        assert due == pytest.approx(START + turn * 0.02, abs=1e-6)


def test_after_a_stall_there_is_one_turn_and_the_pace_of_before() -> None:
    schedule: Schedule[int] = Schedule(START)
    schedule.add(1, START)
    assert [turn[1] for turn in served(schedule, START)] == [0]
    assert [turn[1] for turn in served(schedule, START + 0.2)] == [9]
    assert served(schedule, START + 0.2199) == []
    assert [turn[1] for turn in served(schedule, START + 0.22)] == [0]


def test_who_came_after_a_stall_has_missed_nothing() -> None:
    schedule: Schedule[int] = Schedule(START)
    schedule.add(1, START + 7.0)
    ((_, missed, _),) = served(schedule, START + 7.0)
    assert missed == 0


steps = st.lists(st.floats(0.0, 0.1), min_size=1, max_size=200)


@given(steps, st.integers(1, 60))
def test_every_period_is_served_once_or_counted_as_missed(waits: list[float], count: int) -> None:
    schedule: Schedule[int] = Schedule(START)
    for who in range(count):
        schedule.add(who, START)
    turns, missed, last = Counter[int](), Counter[int](), dict.fromkeys(range(count), 0.0)
    now = START
    for wait in waits:
        now += wait
        seen = set()
        for due, skipped, who in served(schedule, now):
            assert due <= now + 1e-6
            assert who not in seen, "a burst"
            seen.add(who)
            if last[who]:
                assert due - last[who] == pytest.approx(0.02 * (1 + skipped))
            turns[who] += 1
            missed[who] += skipped
            last[who] = due
        assert schedule.due is not None
        assert schedule.due > now - 1e-6
    for who in range(count):
        assert abs(turns[who] + missed[who] - (now - START) / 0.02) <= 1 + 1e-3


def test_listeners_may_leave_while_turns_are_taken() -> None:
    schedule: Schedule[int] = Schedule(START)
    for who in range(SLOTS * 2):
        schedule.add(who, START)
    for _, _, listeners in schedule.turns(START + 0.01):
        for who in listeners:
            schedule.discard(who)
    assert len(schedule) == SLOTS * 2 - 2 * 11
