"""What changes in a description that passes through us, and what does not."""

from __future__ import annotations

from b2bua.sdp.rewriting import directed, limited, relayed
from b2bua.sdp.session import Direction

PHONE = b"""v=0
o=- 1 1 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
a=ice-lite
a=tool:phone
m=audio 4000 RTP/AVP 0 96 101
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=rtcp:4101
a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host
a=rtcp-fb:* nack
a=sendonly
m=video 0 RTP/AVP 97
"""


def lines(body: bytes) -> list[str]:
    return body.decode().split("\r\n")[:-1]


def test_a_relayed_description_names_our_address_and_port_and_no_other_way() -> None:
    assert lines(relayed(PHONE, "192.0.2.7", [20000, None])) == [
        "v=0",
        "o=- 1 1 IN IP4 10.0.0.1",
        "s=-",
        "c=IN IP4 192.0.2.7",
        "t=0 0",
        "a=tool:phone",
        "m=audio 20000 RTP/AVP 0 96 101",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtcp-fb:* nack",
        "a=sendonly",
        "m=video 0 RTP/AVP 97",
    ]


def test_a_stream_that_we_do_not_relay_keeps_its_own_address() -> None:
    body = b"v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 10.0.0.1\nt=0 0\n"
    body += b"m=audio 4000 RTP/AVP 0\nm=message 5000 TCP/MSRP *\n"
    written = lines(relayed(body, "2001:db8::1", [20000, None]))
    assert written[3] == "c=IN IP6 2001:db8::1"
    assert written[5:] == ["m=audio 20000 RTP/AVP 0", "m=message 5000 TCP/MSRP *", "c=IN IP4 10.0.0.1"]


def test_an_address_that_only_the_stream_names_becomes_ours() -> None:
    body = b"v=0\no=- 1 1 IN IP4 a\ns=-\nt=0 0\nm=audio 4000/2 RTP/AVP 0\nc=IN IP4 10.0.0.1\nm=audio 4100 RTP/AVP 8\n"
    written = lines(relayed(body, "192.0.2.7", [20000, 20002]))
    assert written[4:] == [
        "m=audio 20000 RTP/AVP 0",
        "c=IN IP4 192.0.2.7",
        "m=audio 20002 RTP/AVP 8",
        "c=IN IP4 192.0.2.7",
    ]


def test_the_old_way_to_hold_stays_a_hold() -> None:
    body = b"v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 0\n"
    assert lines(relayed(body, "192.0.2.7", [20000]))[3:] == [
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "m=audio 20000 RTP/AVP 0",
    ]


def test_each_stream_says_its_own_direction() -> None:
    body = PHONE.replace(b"a=tool:phone", b"a=recvonly")
    written = lines(directed(body, [Direction.SENDRECV, Direction.INACTIVE]))
    assert [line for line in written if line.startswith(("m=", "a=s", "a=i", "a=recv"))] == [
        "a=ice-lite",
        "m=audio 4000 RTP/AVP 0 96 101",
        "a=sendrecv",
        "m=video 0 RTP/AVP 97",
        "a=inactive",
    ]


def test_formats_go_with_all_that_is_said_of_them() -> None:
    assert lines(limited(PHONE, [frozenset({"0", "101"}), None]))[7:] == [
        "m=audio 4000 RTP/AVP 0 101",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtcp:4101",
        "a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host",
        "a=rtcp-fb:* nack",
        "a=sendonly",
        "m=video 0 RTP/AVP 97",
    ]


def test_a_stream_without_a_format_that_is_left_is_refused() -> None:
    body = b"v=0\no=- 1 1 IN IP4 a\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0\na=ptime:20\nm=audio 4100 RTP/AVP 8\n"
    assert lines(limited(body, [frozenset({"8"})]))[4:] == ["m=audio 0 RTP/AVP 0", "m=audio 0 RTP/AVP 8"]
