"""The o= line in our name (RFC 8866 5.2)."""

from __future__ import annotations

import pytest

from b2bua.sdp.origin import rewrite_origin
from b2bua.sip.errors import LocalError, PeerError

BODY = b"v=0\r\no=alice 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def test_only_the_line_is_replaced() -> None:
    assert rewrite_origin(BODY, "-", 18446744073709551615, 1001, "192.0.2.1") == BODY.replace(
        b"o=alice 1 2 IN IP4 192.0.2.7", b"o=- 18446744073709551615 1001 IN IP4 192.0.2.1"
    )


def test_an_ipv6_address() -> None:
    assert b"\r\no=- 1 2 IN IP6 2001:db8::1\r\n" in rewrite_origin(BODY, "-", 1, 2, "2001:db8::1")


def test_line_feeds_alone_and_octets_that_are_no_text_stay() -> None:
    body = BODY.replace(b"\r\n", b"\n").replace(b"s=-", b"s=\xff\xfe")
    made = rewrite_origin(body, "-", 1, 2, "192.0.2.1")
    assert made == body.replace(b"o=alice 1 2 IN IP4 192.0.2.7", b"o=- 1 2 IN IP4 192.0.2.1")


def test_what_only_looks_like_an_origin_is_left_alone() -> None:
    body = BODY.replace(b"s=-", b"s=o=x") + b"a=o=y\r\n"
    made = rewrite_origin(body, "-", 1, 2, "192.0.2.1")
    assert b"s=o=x" in made
    assert b"a=o=y" in made


@pytest.mark.parametrize(
    "body", [b"", b"v=0\r\ns=-\r\n", b"no\xff", b"v=0\r\nm=audio 1 RTP/AVP 0\r\no=a 1 2 IN IP4 h\r\n"]
)
def test_a_body_without_origin_is_488(body: bytes) -> None:
    with pytest.raises(PeerError) as error:
        rewrite_origin(body, "-", 1, 2, "192.0.2.1")
    assert error.value.status == 488


@pytest.mark.parametrize(
    ("username", "address"), [("", "h"), ("a b", "h"), ("a\r\nc=x", "h"), ("a", "h\n"), ("a\0", "h")]
)
def test_nothing_that_breaks_the_line_is_written(username: str, address: str) -> None:
    with pytest.raises(LocalError):
        rewrite_origin(BODY, username, 1, 2, address)
