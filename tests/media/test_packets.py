"""RTP and RTCP packets, as we write and as we recognise them (RFC 3550)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.media import rtcp, rtp

words = st.integers(0, 2**32 - 1)


def rtp_packet(ssrc: int = 7, sequence: int = 1, first: int = 0x80, type: int = 0) -> bytes:
    return rtp.HEADER.pack(first, type, sequence, 0, ssrc) + b"payload"


@given(words, st.integers(0, 2**16 - 1))
def test_a_stream_is_known_by_its_ssrc_and_where_it_is(ssrc: int, sequence: int) -> None:
    packet = rtp_packet(ssrc, sequence)
    assert rtp.stream(packet, len(packet)) == (ssrc, sequence)


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b"", "nothing"),
        (b"\x80" * 11, "too short for a header"),
        (rtp_packet(first=0x40), "another version"),
        (rtp_packet(first=0x00), "a STUN message begins like this"),
        (rtp_packet(type=200), "a sender report"),
        (rtp_packet(type=223), "an RTCP type of the future"),
    ],
)
def test_what_is_no_rtp_is_of_no_stream(packet: bytes, why: str) -> None:
    assert rtp.stream(packet, len(packet)) is None, why


def test_octets_beyond_the_size_are_of_an_earlier_packet() -> None:
    assert rtp.stream(bytearray(rtp_packet()), 8) is None


def test_types_that_an_offer_may_use_are_told_from_rtcp() -> None:
    """RFC 5761 section 4: payload types 64 to 95 are not used with RTCP on one port."""
    taken = {second & 127 for second in range(256) if rtp.is_rtcp(bytes((0x80, second)))}
    assert taken == set(range(64, 96))


@given(words, st.integers(1, 2**32 - 1))
def test_an_echo_differs_in_its_ssrc_only(ssrc: int, mask: int) -> None:
    said = rtp_packet(ssrc)
    heard = bytearray(said)
    assert rtp.echo(heard, len(heard), mask)
    assert heard[:8] + heard[12:] == said[:8] + said[12:]
    assert int.from_bytes(heard[8:12], "big") == ssrc ^ mask != ssrc


def test_reports_are_not_echoed() -> None:
    report = bytearray(rtp_packet(type=201))
    assert not rtp.echo(report, len(report), 1)


@given(words, st.floats(0, 2**32), words, st.integers(0, 2**40), st.integers(0, 2**40), st.binary(max_size=255))
def test_a_sender_report_is_a_valid_compound_packet(
    ssrc: int, wall: float, timestamp: int, packets: int, octets: int, cname: bytes
) -> None:
    data = rtcp.sender_report(ssrc, wall, timestamp, packets, octets, cname)
    first, kind, words, source = struct.unpack_from("!BBHI", data)
    assert (first, kind, words, source) == (0x80, 200, 6, ssrc)
    seconds, fraction, stamp, sent, amount = struct.unpack_from("!5I", data, 8)
    assert (seconds - 2_208_988_800) % 2**32 + fraction / 2**32 == pytest.approx(wall % 2**32, abs=1e-6)
    assert (stamp, sent, amount) == (timestamp, packets % 2**32, octets % 2**32)
    first, kind, words, source = struct.unpack_from("!BBHI", data, 28)
    assert (first, kind, source) == (0x81, 202, ssrc)
    assert len(data) == 28 + 4 * (words + 1)
    assert data[36:38] == bytes((1, len(cname)))
    assert data[38 : 38 + len(cname)] == cname
    assert set(data[38 + len(cname) :]) == {0}


def test_a_report_tells_who_sent_it() -> None:
    report = rtcp.sender_report(9, 0.0, 0, 0, 0, b"x")
    assert rtcp.sender(report, len(report)) == 9
    assert rtcp.sender(rtp_packet(9), 19) is None
    assert rtcp.sender(report, 7) is None
