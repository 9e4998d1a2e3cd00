"""URIs: read, written and compared (RFC 3261 19.1, RFC 3966)."""

from __future__ import annotations

import pytest

from b2bua.sip.errors import PeerError
from b2bua.sip.uri import Uri, equals, escape_user

# RFC 3261 19.1.3.
WRITTEN = [
    "sip:alice@atlanta.com",
    "sip:alice:secretword@atlanta.com;transport=tcp",
    "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
    "sip:+1-212-555-1212:1234@gateway.com;user=phone",
    "sips:1212@gateway.com",
    "sip:alice@192.0.2.4",
    "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
    "sip:alice;day=tuesday@atlanta.com",
    "sip:example.com:5080;lr",
    "sip:[2001:db8::1]:5061;transport=tls",
    "sip:*97@192.0.2.4:5060",
    "sip:%23123@pbx.example",
    "tel:+1-201-555-0123",
    "tel:7042;phone-context=example.com",
    "urn:service:sos",
    "http://www.example.com/a;b?c=d",
]

# RFC 3261 19.1.4, the examples in its order, and then ours.
EQUAL = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("sip:bob@[2001:DB8::1]", "sip:bob@[2001:db8:0:0:0:0:0:1]"),
    ("sip:bob@biloxi.com;%6Cr", "sip:bob@biloxi.com;lr"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
    ("sip:bob@biloxi.com", "sip:biloxi.com"),
    ("sip:bob@biloxi.com;user=phone", "sip:bob@biloxi.com"),
    ("sip:bob@biloxi.com;maddr=192.0.2.1", "sip:bob@biloxi.com"),
    ("sip:a%3Bb@biloxi.com", "sip:a;b@biloxi.com"),
    ("sip:a%2541@biloxi.com", "sip:aA@biloxi.com"),
    ("sip:bob:one@biloxi.com", "sip:bob:two@biloxi.com"),
]

REFUSED = [
    "",
    "sip",
    "sip:",
    "alice@atlanta.com",
    ":alice@atlanta.com",
    "sip:@atlanta.com",
    "sip:alice@",
    "sip:a@b@c",
    "sip:alice@atlanta.com:sip",
    "sip:alice@atlanta.com:0",
    "sip:alice@atlanta.com:65536",
    "sip:alice@atlanta.com:٥",
    "sip:al ice@atlanta.com",
    "sip:alice@atl/anta.com",
    "sip:alice@[2001:db8::1",
    "sip:alice@[fe80::1%eth0]",
    "sip:alice@[1:2]",
    "sip:alice@[2001:db8::1]5060",
    "sip:alice@[2001:db8:::10]",
    "sip:alice@2001:db8::1",
    "sip:alice@atlanta.com;=x",
    "sip:alice@atlanta.com\r\nVia: x",
    "sip:al<ice@atlanta.com",
    'sip:"alice"@atlanta.com',
    "sip:alice@atlanta.com\0",
    "tel:",
    "tel:;x",
    "http:",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_read_is_written_the_same(text: str) -> None:
    assert str(Uri.parse(text)) == text


def test_the_parts_of_a_uri() -> None:
    uri = Uri.parse("SIPS:al%69ce:se%63ret@Example.COM:5061;Transport=TCP;lr;x=?Subject=a&To=b")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sips",
        "al%69ce",
        "se%63ret",
        "example.com",
        5061,
    )
    assert uri.params == (("transport", "TCP"), ("lr", None), ("x", ""))
    assert uri.headers == "Subject=a&To=b"
    assert uri.username == "alice"
    assert uri.param("transport") == "TCP"
    assert uri.param("lr") == uri.param("x") == ""
    assert uri.param("ob") is None
    assert uri.has("lr")
    assert not uri.has("ob")


def test_a_uri_without_its_headers_and_with_other_fields() -> None:
    uri = Uri.parse("sip:a@example.com?x=y")
    assert str(uri.without_headers()) == "sip:a@example.com"
    assert str(uri.replace(host="2001:db8::1", port=5070)) == "sip:a@[2001:db8::1]:5070?x=y"
    assert uri.without_headers().without_headers() == uri.without_headers()


def test_an_empty_port_and_empty_parameters_are_passed_over() -> None:
    assert str(Uri.parse("sip:a@example.com:;;lr;")) == "sip:a@example.com;lr"


def test_octets_that_are_no_utf8_come_out_of_a_user_name_as_they_went_in() -> None:
    username = Uri.parse("sip:%ff%C3%A9@example.com").username
    assert username is not None
    assert username.encode("utf-8", "surrogateescape") == b"\xff\xc3\xa9"
    assert escape_user(username) == "%FF%C3%A9"


def test_a_user_is_escaped_where_the_grammar_asks_for_it() -> None:
    assert escape_user("+49 30/123") == "+49%2030/123"
    assert escape_user("#31#é@:") == "%2331%23%C3%A9%40%3A"
    assert escape_user("*97") == "*97"


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_uri_is_400(text: str) -> None:
    with pytest.raises(PeerError) as error:
        Uri.parse(text)
    assert error.value.status == 400


@pytest.mark.parametrize(("a", "b"), EQUAL)
def test_equal_by_rfc_3261(a: str, b: str) -> None:
    assert equals(Uri.parse(a), Uri.parse(b))
    assert equals(Uri.parse(b), Uri.parse(a))


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_by_rfc_3261(a: str, b: str) -> None:
    assert not equals(Uri.parse(a), Uri.parse(b))
    assert not equals(Uri.parse(b), Uri.parse(a))


def test_a_long_uri_is_read_like_a_short_one() -> None:
    text = "sip:" + 5000 * "a" + "@example.com"
    assert str(Uri.parse(text)) == text
