"""A sound becomes packets: their order, their clock, loops, ends, pauses and changes."""

from __future__ import annotations

import random
import struct
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.effects import Codec, Playing
from b2bua.media.player import Player
from b2bua.media.rtp import HEADER
from b2bua.media.sound import Sound, packed
from b2bua.sip.errors import LocalError

LOOP = Playing(1, "jazz", "PCMU", 0, True)
ONCE = Playing(1, "jazz", "PCMU", 0, False)


def sound(*payloads: bytes) -> Sound:
    return Sound(memoryview(packed(payloads)))


THREE = sound(b"one", b"two", b"three")


def player(playing: Playing = LOOP, seed: int = 1) -> Player:
    return Player(playing, THREE, random.Random(seed).getrandbits)


class Packet:
    def __init__(self, data: bytes | None) -> None:
        assert data is not None
        first, second, self.sequence, self.timestamp, self.ssrc = HEADER.unpack_from(data)
        assert first == 0x80
        self.marker, self.type = second >> 7, second & 127
        self.payload = data[HEADER.size :]


def some(of: Player, count: int) -> list[Packet]:
    return [Packet(of.packet()) for _ in range(count)]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=50))
def test_a_sound_keeps_its_payloads(payloads: list[bytes]) -> None:
    kept = sound(*payloads)
    assert [bytes(kept.payload(place)) for place in range(len(kept))] == payloads


def test_a_sound_without_payloads_is_none() -> None:
    with pytest.raises(LocalError):
        packed([])


def test_a_loop_begins_anew_without_a_seam() -> None:
    packets = some(player(), 7)
    assert [packet.payload for packet in packets] == [b"one", b"two", b"three", b"one", b"two", b"three", b"one"]
    assert [packet.marker for packet in packets] == [1, 0, 0, 0, 0, 0, 0]


def test_a_sound_that_does_not_loop_ends_after_its_last_packet() -> None:
    once = player(ONCE)
    assert [packet.payload for packet in some(once, 3)] == [b"one", b"two", b"three"]
    assert [once.packet(), once.packet()] == [None, None]
    assert (once.packets, once.octets) == (3, 11)


@given(st.integers(0, 2**32 - 1))
def test_sequence_and_timestamp_go_on_over_their_ends(seed: int) -> None:
    start = {16: 2**16 - 2, 32: 2**32 - 200, 96: seed, 7: 0}
    packets = some(Player(LOOP, THREE, lambda bits: start[bits]), 4)
    assert [packet.sequence for packet in packets] == [65_534, 65_535, 0, 1]
    assert [packet.timestamp for packet in packets] == [2**32 - 200, 2**32 - 40, 120, 280]


@pytest.mark.parametrize(("codec", "ticks"), [("PCMU", 160), ("PCMA", 160), ("G722", 160), ("opus", 960)])
def test_each_codec_has_its_clock(codec: Codec, ticks: int) -> None:
    one, two = some(player(Playing(1, "jazz", codec, 107, True)), 2)
    assert ((two.timestamp - one.timestamp) % 2**32, one.type) == (ticks, 107)


def test_two_playings_have_nothing_in_common() -> None:
    one, two = (Packet(player(seed=seed).packet()) for seed in (1, 2))
    assert one.ssrc != two.ssrc
    assert one.sequence != two.sequence
    assert one.timestamp != two.timestamp


def test_after_a_pause_time_has_gone_on_and_the_sound_has_not() -> None:
    paused = player()
    (before,) = some(paused, 1)
    paused.rest(3)
    after, later = some(paused, 2)
    assert after.payload == b"two"
    assert (after.sequence - before.sequence) % 2**16 == 1
    assert (after.timestamp - before.timestamp) % 2**32 == 4 * 160
    assert (after.marker, later.marker) == (1, 0)


def changed(**more: Any) -> tuple[Packet, Packet]:
    """The packets before and after a change of the playing."""
    one = player()
    (before,) = some(one, 1)
    one.change(msgspec.structs.replace(LOOP, **more), sound(b"uno", b"due", b"tre"), random.Random(3).getrandbits)
    (after,) = some(one, 1)
    return before, after


def test_another_codec_of_the_same_clock_goes_on_in_the_stream() -> None:
    before, after = changed(codec="PCMA", payload_type=8)
    assert (after.payload, after.type, after.ssrc) == (b"due", 8, before.ssrc)
    assert (after.timestamp - before.timestamp) % 2**32 == 160


def test_another_clock_is_another_stream_at_the_same_place() -> None:
    before, after = changed(codec="opus", payload_type=107)
    assert (after.payload, after.type) == (b"due", 107)
    assert after.ssrc != before.ssrc


def test_reports_come_every_five_seconds_and_say_what_was_sent() -> None:
    one = player()
    reports = []
    for number in range(1, 700):
        last = Packet(one.packet())
        report = one.report(1_000.0)
        if report is not None:
            ssrc, _, _, timestamp, packets, octets = struct.unpack_from("!6I", report, 4)
            assert (ssrc, timestamp, packets, octets) == (last.ssrc, last.timestamp, number, one.octets)
            reports.append(number)
    assert reports[0] <= 128
    assert {after - before for before, after in pairwise(reports)} == {250}
