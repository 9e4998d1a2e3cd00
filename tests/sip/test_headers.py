"""The values of single header fields (RFC 3261 section 20)."""

from __future__ import annotations

import pytest

from b2bua.sip.credentials import Challenge, Credentials
from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import quote, split_commas, unquote
from b2bua.sip.headers import CSeq, NameAddr, Via, parse_params

ADDRESSES = [
    ("sip:a@example.com", "", "sip:a@example.com", ()),
    ("sip:a@example.com;tag=1;x", "", "sip:a@example.com", (("tag", "1"), ("x", None))),
    ("<sip:a@example.com;lr>;tag=1", "", "sip:a@example.com;lr", (("tag", "1"),)),
    ("Alice <sip:a@example.com>", "Alice", "sip:a@example.com", ()),
    ("Alice<sip:a@example.com>", "Alice", "sip:a@example.com", ()),
    ("Alice B. Toklas <sip:a@example.com>", "Alice B. Toklas", "sip:a@example.com", ()),
    ("Zoë (home) <sip:a@example.com>", "Zoë (home)", "sip:a@example.com", ()),
    (
        '"Alice, \\"the\\" <1>; x" <sip:a@example.com>;q=0.5',
        'Alice, "the" <1>; x',
        "sip:a@example.com",
        (("q", "0.5"),),
    ),
    ('"" <sip:a@example.com>', "", "sip:a@example.com", ()),
    ('"a"\t<sip:a@example.com> ; Tag = 1 ;; y', "a", "sip:a@example.com", (("tag", "1"), ("y", None))),
    ('sip:a@example.com;x="<,;>"', "", "sip:a@example.com", (("x", '"<,;>"'),)),
    (
        '<sip:a@example.com>;+sip.instance="<urn:uuid:f8>"',
        "",
        "sip:a@example.com",
        (("+sip.instance", '"<urn:uuid:f8>"'),),
    ),
    ("<tel:+1-201-555-0123;x=y>", "", "tel:+1-201-555-0123;x=y", ()),
]

NO_ADDRESSES = [
    "",
    "<>",
    "Alice",
    '"Alice',
    '"Alice" sip:a@example.com',
    '"Alice" x <sip:a@example.com>',
    "Alice, B <sip:a@example.com>",
    "<sip:a@example.com",
    "<sip:a@example.com> x",
    "<sip:a@example.com>;tag=a b",
    "<sip:a@example.com>;tag=a,b",
    "<sip:a@example.com>;a b=c",
    "<sip:a@example.com>;=c",
    '<sip:a@example.com>;x="y',
    '<sip:a@example.com>;x="y"z',
    "sip:a@example.com?x=y",
    "sip:a,b@example.com",
    "*",
]

VIAS = [
    ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport", "UDP", "192.0.2.1", 5060),
    ("SIP/2.0/tcp Example.com", "TCP", "example.com", None),
    ("sip / 2.0\t/ UDP  [2001:DB8::1] : 5070 ; branch = z9hG4bK1", "UDP", "2001:db8::1", 5070),
    ("SIP/2.0/TLS-SCTP a.example:1;;", "TLS-SCTP", "a.example", 1),
    ("SIP/2.0/UDP  host", "UDP", "host", None),
    ("SIP/2.0/UDP [::1]", "UDP", "::1", None),
]

NO_VIAS = [
    "",
    "SIP/2.0/UDP",
    "SIP/2.0/UDP ",
    "SIP/2.0 host",
    "HTTP/1.1/TCP host",
    "SIP/2.0/UDP a b",
    "SIP/2.0/UDP host:x",
    "SIP/2.0/UDP ;branch=1",
    "SIP/2.0/U(DP host",
    "SIP/2.0/UDP host;branch=a b",
]


@pytest.mark.parametrize(("text", "display", "uri", "params"), ADDRESSES)
def test_an_address_is_read(text: str, display: str, uri: str, params: tuple[tuple[str, str | None], ...]) -> None:
    found = NameAddr.parse(text)
    assert (found.display, str(found.uri), found.params) == (display, uri, params)
    assert NameAddr.parse(str(found)) == found


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_400(text: str) -> None:
    with pytest.raises(PeerError) as error:
        NameAddr.parse(text)
    assert error.value.status == 400


def test_an_address_is_written_with_brackets_and_quotes() -> None:
    found = NameAddr.parse("Alice B <sip:a@example.com>")
    assert str(found) == '"Alice B" <sip:a@example.com>'
    assert str(NameAddr.parse("sip:a@example.com;tag=1")) == "<sip:a@example.com>;tag=1"


def test_the_tag_and_other_parameters_of_an_address() -> None:
    found = NameAddr.parse("<sip:a@example.com>;expires=60;TAG=x;lr;isfocus")
    assert found.tag == "x"
    assert found.param("expires") == "60"
    assert found.param("lr") == ""
    assert found.param("q") is None
    assert NameAddr.parse("<sip:a@example.com>;tag=").tag is None
    assert NameAddr.parse("<sip:a@example.com>").tag is None


def test_addresses_of_one_line() -> None:
    values = split_commas('"a, b" <sip:a@x.example,y>, <sip:c,d@x.example>;x="p,q" ,, sip:e@x.example')
    assert [str(address.uri.user) for address in map(NameAddr.parse, values[1:3])] == ["c,d", "e"]
    assert len(values) == 3


@pytest.mark.parametrize(("text", "transport", "host", "port"), VIAS)
def test_a_via_is_read(text: str, transport: str, host: str, port: int | None) -> None:
    found = Via.parse(text)
    assert (found.transport, found.host, found.port) == (transport, host, port)
    assert Via.parse(str(found)) == found


@pytest.mark.parametrize("text", NO_VIAS)
def test_what_is_no_via_is_400(text: str) -> None:
    with pytest.raises(PeerError) as error:
        Via.parse(text)
    assert error.value.status == 400


def test_the_parameters_of_a_via() -> None:
    via = Via.parse("SIP/2.0/UDP h;rport=5070;received=192.0.2.9;branch=z9hG4bK;ttl=1")
    assert (via.branch, via.received, via.rport, via.param("ttl")) == ("z9hG4bK", "192.0.2.9", "5070", "1")
    bare = Via.parse("SIP/2.0/UDP h")
    assert (bare.branch, bare.received, bare.rport) == (None, None, None)
    assert Via.parse("SIP/2.0/UDP h;rport").rport == ""


def test_the_source_of_a_packet_is_written_into_its_via() -> None:
    """RFC 3261 18.2.1 and RFC 3581 section 4, whatever the peer claims itself."""
    plain = Via.parse("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
    assert str(plain.seen_from("192.0.2.1", 5060)) == str(plain)
    assert str(plain.seen_from("192.0.2.9", 7)) == "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.9"
    asking = Via.parse("SIP/2.0/UDP 192.0.2.1;rport;received=192.0.2.66;branch=z9hG4bK1")
    assert str(asking.seen_from("192.0.2.1", 7)) == ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.1;rport=7")
    lying = Via.parse("SIP/2.0/UDP 192.0.2.1;received=192.0.2.66")
    assert lying.seen_from("192.0.2.1", 7).received is None


@pytest.mark.parametrize("text", ["1 INVITE", "0001\tINVITE", "1  INVITE", "2147483647 INVITE", "1 INVITE "])
def test_a_cseq_is_read(text: str) -> None:
    found = CSeq.parse(text)
    assert found.method == "INVITE"
    assert str(found) == f"{found.number} INVITE"


@pytest.mark.parametrize(
    "text", ["", "INVITE", "1", "1 ", "-1 INVITE", "x INVITE", "2147483648 INVITE", "1 IN VITE", "٣ BYE"]
)
def test_what_is_no_cseq_is_400(text: str) -> None:
    with pytest.raises(PeerError) as error:
        CSeq.parse(text)
    assert error.value.status == 400


def test_parameters_with_quotes_keep_their_separators() -> None:
    assert parse_params(';a="x;y" ; b = c;d') == (("a", '"x;y"'), ("b", "c"), ("d", None))


def test_quotes_go_on_and_come_off() -> None:
    assert quote('a"b\\c') == '"a\\"b\\\\c"'
    assert unquote(quote('a"b\\c')) == 'a"b\\c'
    assert unquote("plain") == "plain"
    assert unquote('"') == '"'


def test_an_unclosed_quote_hides_all_commas_behind_it() -> None:
    assert split_commas('a, "b, c') == ["a", '"b, c']
    assert split_commas('a, "b, c\\') == ["a", '"b, c\\']
    assert split_commas("a, <b, c") == ["a", "<b, c"]


def test_splitting_stays_quick_on_a_text_made_to_slow_it_down() -> None:
    assert len(split_commas(60_000 * '"\\' + ",")) == 1
    assert len(split_commas(60_000 * "<" + ",")) == 1


def test_a_challenge_is_read_and_written() -> None:
    text = (
        'Digest realm="a, \\"b\\"", domain="sip:x", nonce="n=,", opaque="o", stale=TRUE,'
        ' algorithm=SHA-256, qop="auth, AUTH-int", new="thing"'
    )
    found = Challenge.parse(text)
    assert found == Challenge('a, "b"', "n=,", "SHA-256", ("auth", "auth-int"), "o", True, "sip:x")
    assert Challenge.parse(str(found)) == found


def test_a_challenge_of_rfc_2069_is_md5_without_qop() -> None:
    found = Challenge.parse('DIGEST realm="r",nonce="n"')
    assert (found.algorithm, found.qop, found.stale, found.opaque) == ("MD5", (), False, None)
    assert str(found) == 'Digest realm="r", nonce="n", algorithm=MD5'


def test_credentials_are_read_and_written() -> None:
    text = (
        'Digest username="a\\\\b", realm="r", nonce="n", uri="sip:x;y=,z", response="0f",'
        ' algorithm="MD5", cnonce="c", opaque="", qop=auth, nc=00000001'
    )
    found = Credentials.parse(text)
    assert found == Credentials("a\\b", "r", "n", "sip:x;y=,z", "0f", "MD5", "c", "00000001", "auth", "")
    assert Credentials.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        'Basic realm="r"',
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n',
        'Digest realm="r"x, nonce="n"',
        'Digest realm="r", realm="s", nonce="n"',
        'Digest realm="r", nonce="n", stale',
    ],
)
def test_what_is_no_challenge_is_400(text: str) -> None:
    with pytest.raises(PeerError) as error:
        Challenge.parse(text)
    assert error.value.status == 400


def test_incomplete_credentials_are_400() -> None:
    with pytest.raises(PeerError) as error:
        Credentials.parse('Digest username="a", realm="r", nonce="n", uri="sip:x"')
    assert error.value.status == 400
