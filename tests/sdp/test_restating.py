"""Which answers to what was said before change anything (RFC 3264 section 8)."""

from __future__ import annotations

import pytest

from b2bua.sdp.restating import changes
from b2bua.sdp.session import Session, parse


def described(audio: str, *attributes: str, host: str = "192.0.2.10") -> Session:
    lines = [f"c=IN IP4 {host}", "t=0 0", f"m=audio {audio}", *attributes]
    return parse("\r\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.10", "s=-", *lines, ""]).encode())


TOLD = described("20000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", host="192.0.2.1")
SAID = described("4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000")


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        (SAID, False),
        (described("4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"), False),
        (described("4000 RTP/AVP 101 8", "a=rtpmap:101 telephone-event/8000", "a=sendrecv"), False),
        (described("4002 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"), True),
        (described("4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", host="192.0.2.11"), True),
        (described("4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=sendonly"), True),
        (described("4000 RTP/AVP 8"), True),
        (described("0 RTP/AVP 8"), True),
        (parse(b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\n"), True),
    ],
)
def test_an_answer_changes_what_it_moves_turns_or_takes(answer: Session, changed: bool) -> None:
    assert changes(answer, SAID, TOLD) is changed


def test_a_direction_that_fits_what_was_told_changes_nothing() -> None:
    held = described("20000 RTP/AVP 8", "a=sendonly", host="192.0.2.1")
    said = described("4000 RTP/AVP 8")
    assert not changes(described("4000 RTP/AVP 8", "a=recvonly"), said, held)
    assert changes(described("4000 RTP/AVP 8", "a=inactive"), said, held)


def test_a_stream_that_was_refused_stays_so() -> None:
    refused = described("0 RTP/AVP 8", host="192.0.2.1")
    assert not changes(described("0 RTP/AVP 8"), SAID, refused)
