"""Whole messages: what is let through, what is refused and how, what is written (RFC 3261 sections 7, 8.1.1, 18.3)."""

from __future__ import annotations

import pytest

from b2bua.sip.errors import LocalError, Malformed, PeerError
from b2bua.sip.message import STAR, Request, Response, encode_request, encode_response
from b2bua.sip.parser import is_keep_alive, parse

FIELDS = {
    "Via": "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1",
    "From": "<sip:alice@example.com>;tag=1",
    "To": "<sip:bob@example.com>",
    "Call-ID": "a@192.0.2.7",
    "CSeq": "1 INVITE",
}


def lines(start: str = "INVITE sip:bob@example.com SIP/2.0", *more: str, **changed: str | None) -> bytes:
    """A message; `changed` replaces or removes a field, its name written with underscores."""
    fields: dict[str, str | None] = {**FIELDS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    head = [start, *[f"{name}: {value}" for name, value in fields.items() if value is not None], *more]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


def request(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def refused(data: bytes) -> Malformed:
    with pytest.raises(Malformed) as error:
        parse(data)
    return error.value


def test_the_parts_of_a_request() -> None:
    message = request(lines("INVITE sip:bob@example.com SIP/2.0", "Max-Forwards: 70", "Subject: hi") + b"body")
    assert (message.method, message.uri, message.body) == ("INVITE", "sip:bob@example.com", b"body")
    assert message.request_uri.user == "bob"
    assert message.via.branch == "z9hG4bK1"
    assert (message.from_tag, message.to_tag) == ("1", None)
    assert (message.cseq.number, message.cseq.method) == (1, "INVITE")
    assert message.call_id == "a@192.0.2.7"
    assert message.max_forwards == 70
    assert message.get("Subject") == "hi"
    assert message.get("Supported") is None
    assert message.all("Supported") == message.values("Supported") == []


def test_the_parts_of_a_response() -> None:
    message = parse(lines("sip/2.0 486 Busy  Here"))
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (486, "Busy  Here")
    bare = parse(lines("SIP/2.0 200"))
    assert isinstance(bare, Response)
    assert (bare.status, bare.reason) == (200, "")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("k: timer", "Supported", "timer"),
        ("K : timer", "Supported", "timer"),
        ("SUPPORTED:timer", "Supported", "timer"),
        ("sUpPoRtEd:\ttimer\t ", "Supported", "timer"),
        ("x-my-header: A", "X-My-Header", "A"),
        ("X-MY-HEADER: A", "X-My-Header", "A"),
        ("www-authenticate: A", "WWW-Authenticate", "A"),
        ("mime-version: 1.0", "MIME-Version", "1.0"),
        ("x: 90", "Session-Expires", "90"),
        ("r: <sip:c@d>", "Refer-To", "<sip:c@d>"),
        ("o: talk", "Event", "talk"),
        ("Subject:", "Subject", ""),
        ("Subject: a: b", "Subject", "a: b"),
        ("Subject: a\r\n b\r\n\tc", "Subject", "a b c"),
        ("Subject:\r\n  a", "Subject", "a"),
    ],
)
def test_every_way_to_write_a_field(line: str, name: str, value: str) -> None:
    assert request(lines("INVITE sip:b@c SIP/2.0", line)).get(name) == value


def test_fields_of_one_name_keep_their_order_and_are_split_when_asked() -> None:
    message = request(lines("INVITE sip:b@c SIP/2.0", 'k: a, "b,c" ,', 'Supported: <d,e>;f=","', "k:"))
    assert message.all("Supported") == ['a, "b,c" ,', '<d,e>;f=","', ""]
    assert message.values("Supported") == ["a", '"b,c"', '<d,e>;f=","']


def test_compact_forms_stand_for_what_is_needed() -> None:
    fields = "v: SIP/2.0/UDP h\r\nf: sip:a@b;tag=1\r\nt: sip:b@c\r\ni: 1\r\nCSeq: 1 OPTIONS\r\nl: 2"
    data = f"OPTIONS sip:b@c SIP/2.0\r\n{fields}\r\n\r\nabc".encode()
    assert request(data).body == b"ab"


def test_line_feeds_alone_and_leading_line_ends_are_let_through() -> None:
    assert request(b"\r\n\r\n" + lines()).method == "INVITE"
    assert request(lines().replace(b"\r\n", b"\n") + b"x\r\n\r\n").body == b"x\r\n\r\n"


def test_octets_that_are_no_utf8_go_through_unchanged() -> None:
    message = request(lines(From='"\udcff\udcfe" <sip:a@example.com>;tag=1'))
    again = parse(encode_response(200, "OK", [(name, message.get(name) or "") for name in FIELDS]))
    assert again.from_.display.encode("utf-8", "surrogateescape") == b"\xff\xfe"


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Via"])
def test_a_request_that_lacks_what_its_response_repeats_is_dropped(name: str) -> None:
    for value in (None, ""):
        changed: dict[str, str | None] = {name.replace("-", "_"): value}
        error = refused(lines("INVITE sip:b@c SIP/2.0", **changed))
        assert (error.status, error.request) == (400, None)


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("INVITE sip:b@c SIP/3.0", 505),
        ("INVITE sip:b@c HTTP/1.1", 400),
        ("INVITE sip:b@c", 400),
        ("INVITE", 400),
        ("IN(VITE sip:b@c SIP/2.0", 400),
        ("INVITE  sip:b@c SIP/2.0", 400),
        ("INVITE sip:b@c SIP/2.0 ", 400),
        ("INVITE <sip:b@c> SIP/2.0", 400),
        ("INVITE sip:b@c?x=y SIP/2.0", 400),
        ("INVITE bob SIP/2.0", 400),
        ("BYE sip:b@c SIP/2.0", 400),
    ],
)
def test_a_bad_request_line_is_answered(start: str, status: int) -> None:
    error = refused(lines(start))
    assert error.status == status
    assert error.request is not None
    assert error.request.call_id == "a@192.0.2.7"


@pytest.mark.parametrize(
    "more",
    [
        "no colon",
        "Subject",
        "Supported\r\n ,path",
        "Bad Name: x",
        ": x",
        "Bäd: x",
        "To",
        "Subject: a\rb",
        "Subject: a\nb",
        "Subject: a\0b",
        "CSeq: 1 INVITE",
        "Max-Forwards: 1\r\nMax-Forwards: 2",
        "Content-Length: 0\r\nl: 0",
        "Content-Length: +1",
        "Content-Length: 1 2",
        "Content-Length: ١",
        "Content-Length: 99999999999999999999",
        "Content-Length: 1",
        "Via: x",
        "Via: SIP/2.0/UDP h, ;",
    ],
)
def test_a_bad_field_is_answered_with_400(more: str) -> None:
    error = refused(lines("INVITE sip:b@c SIP/2.0", more))
    assert error.status == 400
    assert error.request is not None
    assert error.request.from_tag == "1"


@pytest.mark.parametrize("more", ["no colon", "CSeq: 1 INVITE", "Content-Length: 1", "Content-Length: x", "Via: x"])
def test_a_bad_response_is_dropped(more: str) -> None:
    assert refused(lines("SIP/2.0 200 OK", more)).request is None


@pytest.mark.parametrize(
    "start", ["SIP/2.0 99 X", "SIP/2.0 700 X", "SIP/2.0 2000 X", "SIP/2.0 2x0 X", "SIP/3.0 200 OK", "SIP/2.0"]
)
def test_a_bad_status_line_is_dropped(start: str) -> None:
    assert refused(lines(start)).request is None


def test_a_bad_ack_is_dropped_since_nothing_answers_an_ack() -> None:
    assert refused(lines("ACK sip:b@c SIP/2.0", "no colon", CSeq="1 ACK")).request is None
    assert refused(lines("ACK sip:b@c SIP/2.0", "Content-Length: 9", CSeq="1 ACK")).request is None


@pytest.mark.parametrize("field", ["From", "To"])
def test_an_unreadable_from_or_to_counts_as_without_tag_when_it_is_answered(field: str) -> None:
    error = refused(lines(**{field: '"Bob <sip:bob@example.com>;tag=7'}))
    assert error.request is not None
    assert (error.request.from_tag if field == "From" else error.request.to_tag) is None
    assert error.request.get(field) == '"Bob <sip:bob@example.com>;tag=7'


def test_what_would_break_our_own_response_is_not_answered() -> None:
    assert refused(lines(From="<sip:a@b>;tag=1\rx")).request is None
    assert refused(lines(To="<sip:a@b>\0")).request is None
    assert refused(lines(Via="SIP/2.0/UDP h;branch=1\rx")).request is None


def test_a_head_without_end_is_refused() -> None:
    error = refused(lines()[:-2])
    assert error.status == 400
    assert error.request is not None
    assert refused(b"").request is None
    assert refused(b"\r\n\r\n").request is None
    assert refused(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").request is None


def test_octets_behind_the_body_are_ignored() -> None:
    assert request(lines("INVITE sip:b@c SIP/2.0", "Content-Length: 2") + b"abcd").body == b"ab"


def test_contacts_and_the_star() -> None:
    several = request(lines("INVITE sip:b@c SIP/2.0", "Contact: <sip:a@b>, sip:c@d;q=1", "m: <sip:e@f>")).contacts
    assert isinstance(several, list)
    assert [contact.uri.user for contact in several] == ["a", "c", "e"]
    assert request(lines("INVITE sip:b@c SIP/2.0", "Contact: *")).contacts is STAR
    assert request(lines()).contacts == []
    for line in ("Contact: *, <sip:a@b>", "Contact: bob"):
        with pytest.raises(PeerError) as error:
            _ = request(lines("INVITE sip:b@c SIP/2.0", line)).contacts
        assert error.value.status == 400
        assert "Contact" in error.value.reason


@pytest.mark.parametrize("value", ["-1", "256", "x", "", "70 70"])
def test_a_bad_max_forwards_is_400_when_asked_for(value: str) -> None:
    message = request(lines(Max_Forwards=value))
    with pytest.raises(PeerError) as error:
        _ = message.max_forwards
    assert error.value.status == 400


def test_the_media_type_of_a_body() -> None:
    assert request(lines(c="Application / SDP;charset=x")).content_type == "application/sdp"
    assert request(lines()).content_type is None
    with pytest.raises(PeerError):
        _ = request(lines(c="application")).content_type


def test_a_request_is_written() -> None:
    data = encode_request("INVITE", "sip:b@c", list(FIELDS.items()), b"v=0")
    assert data == lines("INVITE sip:b@c SIP/2.0", "Content-Length: 3") + b"v=0"
    assert request(data).body == b"v=0"


def test_a_response_is_written() -> None:
    data = encode_response(180, "Ringing", list(FIELDS.items()))
    assert data == lines("SIP/2.0 180 Ringing", "Content-Length: 0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Subject", "a\r\nVia: x"),
        ("Subject", "a\nb"),
        ("Subject", "a\rb"),
        ("Subject", "a\0b"),
        ("Sub\r\nject", "a"),
        ("Sub ject", "a"),
        ("Subject:", "a"),
        ("", "a"),
        ("Content-Length", "0"),
        ("l", "0"),
        ("cONTENT-lENGTH", "0"),
        ("Subject", "\ud800"),
    ],
)
def test_nothing_that_breaks_a_message_is_ever_written(name: str, value: str) -> None:
    with pytest.raises(LocalError):
        encode_request("INVITE", "sip:b@c", [(name, value)])
    with pytest.raises(LocalError):
        encode_response(200, "OK", [(name, value)])


def test_a_bad_start_line_is_never_written() -> None:
    for method, uri in (("IN VITE", "sip:b"), ("INVITE", "sip:b c"), ("INVITE", ""), ("INVITE", "sip:b\r\nx")):
        with pytest.raises(LocalError):
            encode_request(method, uri, [])
    for status, reason in ((99, "x"), (700, "x"), (200, "O\nK"), (200, "O\0K")):
        with pytest.raises(LocalError):
            encode_response(status, reason, [])


def test_keep_alives() -> None:
    assert is_keep_alive(b"\r\n\r\n")
    assert is_keep_alive(b"\0\0\0\0")
    assert is_keep_alive(b"")
    assert not is_keep_alive(b"\r\n\r\nx")
