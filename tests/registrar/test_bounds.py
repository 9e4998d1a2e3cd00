"""What the door remembers is bounded, and no flood of names frees whoever is shut out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from b2bua.registrar.known import FORGIVEN_WRONG, KNOWN_SECONDS, Known
from b2bua.registrar.ledger import FORGIVEN_SECONDS, Ledger
from b2bua.registrar.pace import BURST_SECONDS, Pace

BANS = (60.0, 300.0)


def banned(ledger: Ledger, name: str, now: float) -> float:
    """Fail until that earns a ban; for how long."""
    while True:
        entry = ledger.failed(name, "alice", now)
        if ledger.due(entry, now):
            return ledger.ban(entry, now)


def test_a_flood_of_failing_addresses_frees_nobody() -> None:
    ledger = Ledger(5, 300.0, BANS, 10, capacity=100)
    assert banned(ledger, "attacker", 0.0) == 60.0
    for number in range(10_000):
        ledger.failed(f"flood{number}", "alice", 1.0)
    assert list(ledger.banned) == ["attacker"]
    assert len(ledger.failing()) == 100


def test_where_too_many_are_banned_the_first_to_end_gives_way() -> None:
    ledger = Ledger(1, 300.0, BANS, 10, capacity=3)
    for number in range(4):
        banned(ledger, f"a{number}", float(number))
    assert list(ledger.banned) == ["a1", "a2", "a3"]
    # It is remembered: its next ban is a longer one.
    assert banned(ledger, "a0", 5.0) == 300.0
    assert list(ledger.banned) == ["a2", "a3", "a0"]


def test_what_is_forgiven_does_not_end_a_later_ban() -> None:
    ledger = Ledger(1, 300.0, BANS, 10)
    banned(ledger, "a", 0.0)
    assert ledger.forgive("a")
    assert not ledger.forgive("a")
    banned(ledger, "a", 30.0)
    ledger.prune(61.0)
    assert "a" in ledger.banned
    ledger.prune(91.0)
    assert "a" not in ledger.banned


def test_who_is_at_peace_for_long_begins_anew() -> None:
    ledger = Ledger(1, 300.0, BANS, 10)
    assert [banned(ledger, "a", now) for now in (0.0, 61.0, 1000.0)] == [60.0, 300.0, 300.0]
    assert banned(ledger, "a", 1301.0 + FORGIVEN_SECONDS) == 60.0


@given(st.lists(st.floats(0.0, 100.0), max_size=60), st.integers(1, 6))
def test_a_ban_is_due_exactly_when_so_many_failures_lie_within_the_time(gaps: list[float], most: int) -> None:
    ledger = Ledger(most, 120.0, (1e9,), 1)
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        times.append(now)
        due = ledger.due(ledger.failed("a", "alice", now), now)
        assert due == (len([time for time in times if now - time < 120.0]) >= most)


def test_who_is_known_is_forgotten_the_longest_first() -> None:
    known = Known(capacity=3)
    for number in range(3):
        known.right("home", f"u{number}", float(number))
    known.right("home", "u0", 3.0)
    known.right("away", "u3", 4.0)
    assert [known.has("home", f"u{number}", 5.0) for number in range(3)] == [True, False, True]
    assert known.anybody("home", 5.0)
    assert known.anybody("away", 5.0)
    assert not known.anybody("home", 3.0 + KNOWN_SECONDS)
    assert known.anybody("away", 3.5 + KNOWN_SECONDS)
    assert not known.has("away", "u3", 4.0 + KNOWN_SECONDS)


def test_who_is_wrong_often_is_not_known_any_more() -> None:
    known = Known()
    known.right("home", "u0", 0.0)
    for _ in range(FORGIVEN_WRONG):
        known.wrong("home", "u0")
    assert known.has("home", "u0", 1.0)
    known.right("home", "u0", 1.0)
    for _ in range(FORGIVEN_WRONG + 1):
        known.wrong("home", "u0")
    assert not known.has("home", "u0", 1.0)
    assert not known.anybody("home", 1.0)
    known.wrong("home", "u0")


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.integers(0, 5)), max_size=200))
def test_no_address_and_not_all_together_get_more_than_their_rate(knocks: list[tuple[float, int]]) -> None:
    pace = Pace(4, 10)
    now = 0.0
    taken: list[tuple[float, int]] = []
    for gap, address in knocks:
        now += gap
        if pace.takes(f"a{address}", True, now):
            taken.append((now, address))
    for first, (begin, _) in enumerate(taken):
        inside = taken[first:]
        assert len(inside) <= 10 * (now - begin + BURST_SECONDS) + 1
        for address in range(6):
            own = [time for time, other in inside if other == address]
            assert len(own) <= 4 * (now - begin + BURST_SECONDS) + 1


def test_forged_addresses_fill_no_memory() -> None:
    pace = Pace(1, 1000, capacity=50)
    assert sum(pace.takes(f"a{number}", True, number / 1000) for number in range(5000)) == 5000
    assert len(pace._due) == 50
