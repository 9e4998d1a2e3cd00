"""The o= line in our name (RFC 8866 5.2)."""

from __future__ import annotations

import pytest

from b2bua.sdp.origin import around_origin, located, origin
from b2bua.sip.errors import LocalError

BODY = b"v=0\r\no=alice 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def replaced(body: bytes) -> bytes:
    around = around_origin(body)
    assert around is not None
    return origin(1, 2, located("192.0.2.1")).join(around)


def test_only_the_line_is_replaced() -> None:
    assert replaced(BODY) == BODY.replace(b"o=alice 1 2 IN IP4 192.0.2.7", b"o=- 1 2 IN IP4 192.0.2.1")


def test_large_numbers_and_an_ipv6_address() -> None:
    place = located("2001:db8::1")
    assert origin(18446744073709551615, 1001, place) == b"o=- 18446744073709551615 1001 IN IP6 2001:db8::1"


def test_line_feeds_alone_and_octets_that_are_no_text_stay() -> None:
    body = BODY.replace(b"\r\n", b"\n").replace(b"s=-", b"s=\xff\xfe")
    assert replaced(body) == body.replace(b"o=alice 1 2 IN IP4 192.0.2.7", b"o=- 1 2 IN IP4 192.0.2.1")


def test_what_only_looks_like_an_origin_is_left_alone() -> None:
    made = replaced(BODY.replace(b"s=-", b"s=o=x") + b"a=o=y\r\n")
    assert b"s=o=x" in made
    assert b"a=o=y" in made


def test_descriptions_that_differ_in_their_origin_alone_have_the_same_surroundings() -> None:
    assert around_origin(BODY) == around_origin(BODY.replace(b"o=alice 1 2 ", b"o=alice 1 3 "))


@pytest.mark.parametrize(
    "body", [b"", b"v=0\r\ns=-\r\n", b"no\xff", b"v=0\r\nm=audio 1 RTP/AVP 0\r\no=a 1 2 IN IP4 h\r\n"]
)
def test_a_body_without_origin_has_no_surroundings(body: bytes) -> None:
    assert around_origin(body) is None


@pytest.mark.parametrize("address", ["", "a b", "a\r\nc=x", "h\n", "h\0", "h\t"])
def test_nothing_that_breaks_the_line_is_written(address: str) -> None:
    with pytest.raises(LocalError):
        located(address)
