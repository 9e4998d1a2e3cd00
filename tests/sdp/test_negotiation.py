"""Offer and answer: every pair of directions, and the descriptions that we make ourselves (RFC 3264)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sdp.negotiation import (
    answer,
    answer_direction,
    audio_of,
    common_formats,
    direction_of,
    first_answer,
    first_offer,
    formats_of,
    holds,
    playable,
    receives,
    sends,
)
from b2bua.sdp.rewriting import directed
from b2bua.sdp.session import Direction, Media, parse

TOLD = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    b"m=audio 20000 RTP/AVP 0 96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"m=video 20002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n"
)
HEAD = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"


def audio(text: bytes = b"m=audio 4000 RTP/AVP 0\r\n", head: bytes = HEAD) -> Media:
    return parse(head + text).media[0]


# RFC 3264 6.1: what may be answered to what.
_ALLOWED = {
    Direction.SENDRECV: set(Direction),
    Direction.SENDONLY: {Direction.RECVONLY, Direction.INACTIVE},
    Direction.RECVONLY: {Direction.SENDONLY, Direction.INACTIVE},
    Direction.INACTIVE: {Direction.INACTIVE},
}


@pytest.mark.parametrize(("offered", "wanted"), list(itertools.product(Direction, Direction)))
def test_an_answer_never_sends_what_is_not_heard_nor_hears_what_is_not_sent(
    offered: Direction, wanted: Direction
) -> None:
    media = audio(f"m=audio 4000 RTP/AVP 0\r\na={offered}\r\n".encode())
    hears = wanted in (Direction.SENDRECV, Direction.RECVONLY)
    answered = answer_direction(media, sends(wanted), hears)
    assert answered in _ALLOWED[offered]
    # And no less than both sides want.
    assert sends(answered) == (sends(wanted) and offered in (Direction.SENDRECV, Direction.RECVONLY))
    back = audio(f"m=audio 4000 RTP/AVP 0\r\na={answered}\r\n".encode())
    assert receives(back) == (hears and sends(offered))


@given(st.booleans(), st.booleans())
def test_a_direction_says_what_it_was_made_of(sending: bool, receiving: bool) -> None:
    direction = direction_of(sending, receiving)
    assert (sends(direction), direction in (Direction.SENDRECV, Direction.RECVONLY)) == (sending, receiving)


def test_the_old_way_to_hold_does_not_receive_and_is_answered_so() -> None:
    media = audio(head=HEAD.replace(b"c=IN IP4 10.0.0.1", b"c=IN IP4 0.0.0.0"))
    assert not receives(media)
    assert answer_direction(media, sending=True, receiving=True) is Direction.RECVONLY


@pytest.mark.parametrize(
    ("streams", "held"),
    [
        (b"m=audio 4000 RTP/AVP 0\r\n", False),
        (b"m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", False),
        (b"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", True),
        (b"m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", True),
        (b"m=video 4000 RTP/AVP 97\r\na=inactive\r\nm=audio 4002 RTP/AVP 0\r\n", False),
        (b"m=audio 0 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\na=sendonly\r\n", True),
        (b"m=video 4000 RTP/AVP 97\r\na=inactive\r\n", False),
    ],
)
def test_who_does_not_hear_the_conversation_holds_it(streams: bytes, held: bool) -> None:
    assert holds(parse(HEAD + streams)) is held


def test_formats_are_told_apart_by_what_they_mean() -> None:
    ours = audio(
        b"m=audio 4000 RTP/AVP 0 8 9 96 101 77\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
    assert formats_of(ours)["96"] == ("opus", 48000, 2)
    assert "77" not in formats_of(ours)
    theirs = audio(b"m=audio 4000 RTP/AVP 8 96 101\r\na=rtpmap:96 iLBC/8000\r\na=rtpmap:101 TELEPHONE-EVENT/8000\r\n")
    assert common_formats(theirs, ours) == {"8", "101"}
    assert playable(ours, ("opus", "PCMU")) == ("PCMU", 0)
    assert playable(ours, ("opus",)) == ("opus", 96)
    assert playable(theirs, ("PCMU", "G722")) is None


def test_a_later_offer_is_answered_with_the_same_streams() -> None:
    offer = parse(
        HEAD + b"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
        b"m=video 0 RTP/AVP 97\r\nm=audio 4004 RTP/AVP 8\r\n"
    )
    told = parse(TOLD)
    body = answer(offer, TOLD, told, [Direction.RECVONLY, Direction.INACTIVE, Direction.SENDRECV])
    answered = parse(body)
    assert [(m.port, m.formats, m.direction) for m in answered.media] == [
        (20000, ("0", "101"), Direction.RECVONLY),
        (0, ("97",), Direction.SENDRECV),
        (0, ("8",), Direction.SENDRECV),
    ]
    assert answered.media[0].attributes[0] == ("rtpmap", "101 telephone-event/8000")


def test_a_first_offer_is_answered_with_its_conversation_alone() -> None:
    offer = parse(
        HEAD + b"m=video 4002 RTP/AVP 97\r\nm=audio 4000 RTP/AVP 96 0 101\r\na=rtpmap:96 opus/48000/2\r\n"
        b"a=fmtp:96 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
    )
    answered = parse(first_answer(offer, "192.0.2.7", 20000, ["96", "101"]))
    video, speech = answered.media
    assert (video.port, speech.port, speech.formats) == (0, 20000, ("96", "101"))
    assert speech.direction is Direction.RECVONLY
    assert formats_of(speech) == {"96": ("opus", 48000, 2), "101": ("telephone-event", 8000, 1)}
    assert speech.connection is not None and speech.connection.address == "192.0.2.7"


def test_what_we_offer_ourselves_can_be_read_and_played() -> None:
    offered = parse(first_offer("2001:db8::1", 20000, ("PCMU", "PCMA", "G722", "opus")))
    number = audio_of(offered)
    assert number == 0
    media = offered.media[0]
    assert media.formats == ("0", "8", "9", "96", "101")
    assert [playable(media, (codec,)) for codec in ("PCMU", "PCMA", "G722", "opus")] == [
        ("PCMU", 0),
        ("PCMA", 8),
        ("G722", 9),
        ("opus", 96),
    ]
    assert media.direction is Direction.SENDRECV
    assert parse(directed(first_offer("192.0.2.7", 20000, ("PCMU",)), [Direction.SENDONLY])).media[0].held
