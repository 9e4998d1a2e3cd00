"""Who gets in, from when on, and who never does."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.media.latch import CONSISTENT, ControlLatch, Latch, Source, usable

PEER: Source = ("192.0.2.1", 4000)
BEHIND: Source = ("192.0.2.1", 61_234)
OTHER: Source = ("192.0.2.1", 61_236)
STRANGER: Source = ("198.51.100.9", 4000)


def packet(sequence: int, ssrc: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence % 65_536, 0, ssrc) + bytes(160)


def report(ssrc: int = 7) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc)


def latch(learn: str | None = "192.0.2.1", remote: Source | None = PEER) -> Latch:
    made = Latch()
    made.aim(remote, learn)
    return made


def offered(to: Latch, source: Source, *packets: bytes) -> list[bool]:
    return [to.admits(source, data, len(data)) for data in packets]


def row(count: int = CONSISTENT, first: int = 100, step: int = 1, ssrc: int = 7) -> list[bytes]:
    return [packet(first + step * number, ssrc) for number in range(count)]


def test_the_signalled_place_is_locked_by_its_first_packet_whatever_it_is() -> None:
    one = latch(learn=None)
    assert one.address == PEER
    assert offered(one, PEER, b"\x00\x01") == [True]
    assert one.locked == PEER


def test_another_port_of_the_address_is_locked_after_some_packets_in_a_row() -> None:
    one = latch()
    assert offered(one, BEHIND, *row()) == [False, False, False, True]
    assert (one.locked, one.address, one.ssrc) == (BEHIND, BEHIND, 7)


def test_losses_do_not_break_a_row() -> None:
    assert offered(latch(), BEHIND, *row(first=65_533, step=5))[-1]


@pytest.mark.parametrize(
    "packets",
    [
        [packet(1)] * 20,
        row(20, step=-1),
        row(20, step=1000),
        [packet(number, ssrc=number) for number in range(20)],
        [b"\x80\x00"] * 20,
        [report()] * 20,
    ],
    ids=["one repeated", "backwards", "in leaps", "of many streams", "of no stream", "reports"],
)
def test_what_makes_no_stream_never_gets_in(packets: list[bytes]) -> None:
    one = latch()
    assert not any(offered(one, BEHIND, *packets))
    assert one.address == PEER


def test_two_who_talk_at_once_break_each_others_rows() -> None:
    one = latch()
    for number in range(20):
        assert not any(offered(one, BEHIND, packet(number)) + offered(one, OTHER, packet(number, 8)))


def test_the_signalled_place_comes_first_even_in_the_middle_of_a_row() -> None:
    one = latch()
    offered(one, BEHIND, *row(CONSISTENT - 1))
    assert offered(one, PEER, packet(5, 9)) == [True]
    assert not any(offered(one, BEHIND, *row(20, first=103)))


def test_other_addresses_never_get_in() -> None:
    assert not any(offered(latch(), STRANGER, *row(20)))
    assert not any(offered(latch(learn=None), BEHIND, *row(20)))


def test_another_remote_is_another_peer_and_the_same_one_is_not() -> None:
    one = latch()
    offered(one, BEHIND, *row())
    one.aim(PEER, "192.0.2.1")
    assert one.locked == BEHIND
    one.aim(PEER, None)
    assert one.locked == BEHIND
    one.aim(("192.0.2.1", 4002), "192.0.2.1")
    assert (one.locked, one.address) == (None, ("192.0.2.1", 4002))


def test_who_has_no_place_to_receive_is_sent_nothing_though_he_is_heard() -> None:
    one = latch(remote=None)
    assert offered(one, BEHIND, *row())[-1]
    assert one.address is None


sources = st.sampled_from([PEER, BEHIND, OTHER, STRANGER])
packets = st.tuples(sources, st.integers(0, 12), st.integers(1, 2))


@given(st.lists(packets, max_size=60), st.sampled_from([None, "192.0.2.1"]))
def test_once_somebody_is_in_nobody_else_is(sent: list[tuple[Source, int, int]], learn: str | None) -> None:
    one = latch(learn)
    let_in: set[Source] = set()
    for source, sequence, ssrc in sent:
        (admitted,) = offered(one, source, packet(sequence, ssrc))
        if admitted:
            let_in.add(source)
            assert one.locked == source
    assert len(let_in) <= 1
    assert STRANGER not in let_in
    if learn is None:
        assert let_in <= {PEER}


def control(media: Latch) -> ControlLatch:
    made = ControlLatch(media)
    made.aim((PEER[0], PEER[1] + 1), "192.0.2.1")
    return made


def test_a_report_by_whoever_is_locked_for_rtp_is_enough() -> None:
    media = latch()
    one = control(media)
    assert offered(one, OTHER, report()) == [False]
    offered(media, BEHIND, *row())
    assert offered(one, OTHER, report(8), report(7)) == [False, True]
    assert one.locked == OTHER


def test_a_locked_ssrc_from_another_address_is_not() -> None:
    media = latch()
    one = control(media)
    offered(media, BEHIND, *row())
    assert offered(one, STRANGER, *[report()] * 10) == [False] * 10


def test_who_only_listens_is_found_by_a_row_of_reports() -> None:
    one = control(latch())
    assert offered(one, OTHER, *[report()] * CONSISTENT) == [False, False, False, True]


def test_who_sends_no_reports_is_not() -> None:
    one = control(latch())
    assert not any(offered(one, OTHER, *row(10), b"\x80", b""))


@pytest.mark.parametrize(
    ("address", "six", "found"),
    [
        (("192.0.2.1", 4000), False, ("192.0.2.1", 4000)),
        (("2001:DB8:0::1", 4000), True, ("2001:db8::1", 4000)),
        (("2001:db8::1", 4000), False, None),
        (("192.0.2.1", 4000), True, None),
        (("phone.example", 4000), False, None),
        (("192.0.2.1", 0), False, None),
        (("192.0.2.1", 65_536), False, None),
        (("0.0.0.0", 4000), False, None),
        (("224.0.0.1", 4000), False, None),
        (("ff02::1", 4000), True, None),
        (None, False, None),
    ],
)
def test_only_an_address_of_one_peer_is_sent_to(address: Source | None, six: bool, found: Source | None) -> None:
    assert usable(address, six) == found
