"""Session descriptions as values (RFC 8866)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bua.sdp.session import Connection, Direction, Origin, parse
from b2bua.sip.errors import PeerError

BODY = b"""v=0
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
s=Call to John Smith
i=An audio and video stream
c=IN IP4 198.51.100.1
t=0 0
a=recvonly
m=audio 49170/2 RTP/AVP 0 8
m=video 0 RTP/AVP 99
c=IN IP6 2001:db8::2
a=rtpmap:99 h263-1998/90000
a=sendonly
"""


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_parts_of_a_description(end: bytes) -> None:
    session = parse(BODY.replace(b"\n", end))
    assert session.origin == Origin("jdoe", "3724394400", "3724394405", "IP4", "198.51.100.1")
    assert (session.name, session.time) == ("Call to John Smith", "0 0")
    assert session.connection == Connection("IP4", "198.51.100.1")
    assert session.attributes == (("recvonly", None),)
    audio, video = session.media
    assert (audio.kind, audio.port, audio.protocol, audio.formats) == ("audio", 49170, "RTP/AVP", ("0", "8"))
    assert (audio.connection, audio.direction) == (session.connection, Direction.RECVONLY)
    assert (video.kind, video.port) == ("video", 0)
    assert video.connection == Connection("IP6", "2001:db8::2")
    assert video.direction is Direction.SENDONLY
    assert video.attributes == (("rtpmap", "99 h263-1998/90000"), ("sendonly", None))


@pytest.mark.parametrize(
    ("line", "direction", "held"),
    [
        (b"", Direction.SENDRECV, False),
        (b"a=sendrecv\n", Direction.SENDRECV, False),
        (b"a=sendonly\n", Direction.SENDONLY, True),
        (b"a=recvonly\n", Direction.RECVONLY, False),
        (b"a=inactive\n", Direction.INACTIVE, True),
        (b"c=IN IP4 0.0.0.0\n", Direction.SENDRECV, True),
        (b"a=sendonly:x\n", Direction.SENDRECV, False),
    ],
)
def test_holding(line: bytes, direction: Direction, held: bool) -> None:
    body = b"v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n" + line
    (media,) = parse(body).media
    assert (media.direction, media.held) == (direction, held)


def test_what_is_often_left_out_may_be_missing() -> None:
    session = parse(b"v=0\no=- 1 1 IN IP4 h\nm=audio 4000 RTP/AVP 0")
    assert (session.name, session.time, session.connection) == ("", "", None)
    assert session.media[0].connection is None
    assert parse(b"v=0\r\no=- 1 1 IN IP4 h\r\ns= \r\n\r\n").media == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"v=1\no=- 1 1 IN IP4 h\n",
        b"o=- 1 1 IN IP4 h\nv=0\n",
        b"v=0\ns=-\n",
        b"v=0\no=- 1 1 IN IP4\n",
        b"v=0\no=- 1 1 IN IP4 h\nnonsense\n",
        b"v=0\no=- 1 1 IN IP4 h\nm =audio 1 RTP/AVP 0\n",
        b"v=0\no=- 1 1 IN IP4 h\nm=audio 1 RTP/AVP\n",
        b"v=0\no=- 1 1 IN IP4 h\nm=audio x RTP/AVP 0\n",
        b"v=0\no=- 1 1 IN IP4 h\nm=audio 65536 RTP/AVP 0\n",
        b"v=0\no=- 1 1 IN IP4 h\nc=192.0.2.1\n",
        b"v=0\no=- 1 1 IN IP4 h\n=x\n",
    ],
)
def test_nonsense_is_400(body: bytes) -> None:
    with pytest.raises(PeerError) as error:
        parse(body)
    assert error.value.status == 400


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    for body in (data, b"v=0\no=- 1 1 IN IP4 h\n" + data):
        try:
            parse(body)
        except PeerError as error:
            assert error.status == 400
