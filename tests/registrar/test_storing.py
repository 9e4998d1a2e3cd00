"""What is stored, what comes back after a restart, what runs out, and who has to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.effects import Flow
from b2bua.registrar.asked import Bounds
from b2bua.registrar.binding import Binding, document, restored
from b2bua.registrar.registrar import Registrar
from b2bua.registrar.turns import Turns
from b2bua.sip.errors import LocalError, PeerError

from .phone import AOR, CONTACT, TCP, UDP, WALL, Home, contacts, message

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)
FLOWS = st.builds(
    Flow,
    st.just("UDP"),
    st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    st.integers(1, 65535),
    st.sampled_from(["192.0.2.7", "2001:db8::7"]),
    st.integers(1, 65535),
)
BINDINGS = st.builds(
    Binding,
    aor=st.just(AOR),
    contact=st.sampled_from(["sip:a@192.0.2.7", "sips:b@[2001:db8::7]:5061;x=%22", "tel:+4930"]),
    call_id=TEXT,
    cseq=st.integers(0, 2**31 - 1),
    expires_at=st.floats(WALL + 1, WALL + 1e6),
    updated_at=st.floats(WALL - 1e6, WALL),
    flow=FLOWS,
    params=st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=3).map(tuple),
    q=st.floats(0, 1),
    nat=st.booleans(),
    path=st.lists(TEXT, max_size=2).map(tuple),
    instance=st.none() | TEXT,
    reg_id=st.none() | st.integers(1, 9),
    agent=st.none() | TEXT,
)


@given(st.lists(BINDINGS, min_size=1, max_size=4).map(tuple))
def test_a_row_brings_back_what_was_written(bindings: tuple[Binding, ...]) -> None:
    row = document(bindings)
    assert row is not None
    assert restored(AOR, row, WALL) == bindings


def test_no_bindings_are_no_row() -> None:
    assert document(()) is None


def test_a_restart_drops_what_has_expired_and_keeps_the_order_of_requests() -> None:
    home = Home()
    row = document(home.register("Contact: <sip:a@192.0.2.7>;expires=60, <sip:b@192.0.2.7>", cseq=7).after)
    assert row is not None
    again = Registrar(contacts())
    assert [binding.contact for binding in again.load(AOR, row, WALL + 60)] == ["sip:b@192.0.2.7"]
    assert again.next_expiry == WALL + 3600
    with pytest.raises(PeerError) as error:
        again.register(AOR, message("Contact: <sip:b@192.0.2.7>", cseq=7), UDP, Bounds(), WALL + 60)
    assert error.value.status == 500
    assert again.load(AOR, row, WALL + 4000) == ()
    assert list(again.everything(WALL)) == []


def test_after_a_restart_a_stream_is_gone_whatever_has_its_number_now() -> None:
    home = Home()
    row = document(home.register(f"Contact: {CONTACT}", flow=TCP).after)
    assert row is not None
    again = Registrar(contacts())
    again.load(AOR, row, WALL)
    assert again.bindings(AOR, WALL) == ()
    [kept] = again.everything(WALL)
    assert (kept.flow.connection, kept.reachable) == (0, False)
    assert again.flow_closed(TCP, WALL) == []
    again.commit(again.register(AOR, message(f"Contact: {CONTACT}", cseq=2), TCP, Bounds(), WALL))
    assert [binding.flow for binding in again.bindings(AOR, WALL)] == [TCP]


def test_a_binding_behind_nat_is_reachable_after_a_restart() -> None:
    home = Home()
    flow = Flow("UDP", "192.0.2.1", 5060, "203.0.113.9", 41000)
    row = document(
        home.register("Contact: <sip:a@10.0.0.2>", flow=flow, via="SIP/2.0/UDP 10.0.0.2;rport;branch=z9hG4bK1").after
    )
    assert row is not None
    again = Registrar(contacts())
    again.load(AOR, row, WALL)
    assert [(binding.nat, binding.flow) for binding in again.bindings(AOR, WALL)] == [(True, flow)]


@pytest.mark.parametrize("row", [b"", b"[", b"{}", b'[{"aor":"alice"}]', b"\xff"])
def test_an_unreadable_row_is_our_own_fault(row: bytes) -> None:
    with pytest.raises(LocalError, match="alice"):
        Registrar(contacts()).load(AOR, row, WALL)


def test_expiry_says_once_what_has_gone() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>;expires=60, <sip:b@192.0.2.7>;expires=90")
    assert home.registrar.next_expiry == WALL + 60
    assert home.registrar.expire(WALL + 59) == []
    [change] = home.registrar.expire(WALL + 60)
    assert (change.aor, change.changed) == (AOR, True)
    assert [binding.contact for binding in change.before] == ["sip:a@192.0.2.7", "sip:b@192.0.2.7"]
    assert [binding.contact for binding in change.after] == ["sip:b@192.0.2.7"]
    assert home.registrar.expire(WALL + 60) == []
    assert home.registrar.next_expiry == WALL + 90
    [change] = home.registrar.expire(WALL + 1000)
    assert document(change.after) is None
    assert home.registrar.next_expiry is None


def test_a_refreshed_binding_does_not_expire_at_its_old_time() -> None:
    home = Home()
    home.register(f"Contact: {CONTACT};expires=60")
    home.wall += 30
    home.register(f"Contact: {CONTACT};expires=60", cseq=2)
    assert home.registrar.expire(WALL + 60) == []
    assert home.registrar.next_expiry == WALL + 90
    assert len(home.registrar.expire(WALL + 90)) == 1


def test_refreshing_does_not_grow_the_heap() -> None:
    home = Home()
    for cseq in range(1, 200):
        home.register(f"Contact: {CONTACT}", cseq=cseq)
        home.wall += 1
    dues = 0
    while home.registrar.next_expiry is not None:
        home.registrar.expire(home.registrar.next_expiry)
        dues += 1
    assert dues <= 2


def test_a_binding_that_expires_while_another_is_stored_stays_gone() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>;expires=60")
    second = home.registrar.register(AOR, message("Contact: <sip:b@192.0.2.7>", cseq=2), UDP, home.bounds, WALL + 59)
    assert len(home.registrar.expire(WALL + 60)) == 1
    home.registrar.commit(second)
    home.wall += 60
    assert home.contacts() == ["sip:b@192.0.2.7"]


def test_two_registrations_under_way_at_once_are_both_visible_in_the_end() -> None:
    home = Home()
    one = home.registrar.register(AOR, message("Contact: <sip:a@192.0.2.7>"), UDP, home.bounds, WALL)
    two = home.registrar.register(AOR, message("Contact: <sip:b@192.0.2.7>", cseq=2), UDP, home.bounds, WALL)
    home.registrar.commit(one)
    home.registrar.commit(two)
    assert home.contacts() == ["sip:a@192.0.2.7", "sip:b@192.0.2.7"]


def test_taking_turns_puts_both_registrations_into_the_second_row() -> None:
    home, turns = Home(), Turns[int]()
    rows: list[bytes | None] = []

    def begin(cseq: int) -> None:
        """What the core does when it is a REGISTER's turn: compute, and have it stored."""
        request = message(f"Contact: <sip:phone{cseq}@192.0.2.7>", cseq=cseq)
        registration = home.registrar.register(AOR, request, UDP, home.bounds, WALL)
        rows.append(document(registration.after))
        stored.append(registration)

    stored: list = []
    for cseq in (1, 2):
        if turns.take(AOR, cseq):
            begin(cseq)
    assert len(rows) == 1
    home.registrar.commit(stored.pop())
    following = turns.done(AOR)
    assert following == 2
    begin(following)
    home.registrar.commit(stored.pop())
    assert turns.done(AOR) is None
    last = rows[-1]
    assert last is not None
    assert [binding.contact for binding in restored(AOR, last, WALL)] == home.contacts()
    assert len(home.contacts()) == 2


def test_turns_are_per_address_of_record_in_order_and_bounded() -> None:
    turns = Turns[str](most_waiting=2)
    assert turns.take("alice", "1")
    assert turns.take("bob", "1")
    assert not turns.take("alice", "2")
    assert not turns.take("alice", "3")
    with pytest.raises(PeerError) as error:
        turns.take("alice", "4")
    assert (error.value.status, error.value.headers) == (503, (("Retry-After", "5"),))
    assert turns.held("alice")
    assert [turns.done("alice"), turns.done("alice"), turns.done("alice")] == ["2", "3", None]
    assert not turns.held("alice")
    with pytest.raises(KeyError):
        turns.done("alice")
    assert len(turns) == 1
