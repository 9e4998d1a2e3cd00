"""How large a message may be (RFC 3261 21.4.11, 21.5.7), over datagrams and streams."""

from __future__ import annotations

import pytest

from b2bua.sip.errors import Malformed
from b2bua.sip.framer import PASSED_OVER
from b2bua.sip.limits import LISTS, NO_OTHERS, PLAIN_OCTETS, MessageLimits
from b2bua.sip.parser import KeepAlive, StreamFramer, parse

VIA = "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1"
LOW = MessageLimits(header_octets=4_096, field_octets=1_024, fields=100, values=50, body_octets=1_000)


def message(
    *fields: str, body: bytes = b"", length: int | None = None, start: str = "OPTIONS sip:b@c SIP/2.0"
) -> bytes:
    method = "OPTIONS" if start.startswith("SIP/") else start.partition(" ")[0]
    lines = (
        start,
        f"Via: {VIA}",
        "From: <sip:a@b>;tag=1",
        "To: <sip:b@c>",
        "Call-ID: 1",
        f"CSeq: 1 {method}",
        *fields,
        f"Content-Length: {len(body) if length is None else length}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def refusal(data: bytes, limits: MessageLimits = LOW) -> tuple[int, str]:
    with pytest.raises(Malformed) as error:
        parse(data, limits)
    assert error.value.request is not None
    assert error.value.request.call_id == "1"
    return error.value.status, error.value.reason


def many(name: str, count: int, value: str = "<sip:192.0.2.10;lr;x=aaaaaaaaaaaaaaaaaaaaaaaaaaa>") -> list[str]:
    return [f"{name}: {value}"] * count


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (many("X-Long", 5, "x" * 900), "Message Too Large"),
        (many("X-Long", 1, "x" * 2_000), "Header Field Too Large"),
        (["X-Folded: x" + 200 * "\r\n  xxxxxx"], "Header Field Too Large"),
        (many("X", 120, "x" * 18), "Too Many Header Fields"),
        (many("Record-Route", 51), "Too Many Record-Route Values"),
        (["Route: " + ", ".join(["<sip:p;lr>"] * 51), *many("X", 2, "x" * 900)], "Too Many Route Values"),
        (many("Via", 50, VIA), "Too Many Via Values"),
    ],
)
def test_a_head_beyond_a_limit_is_513(fields: list[str], reason: str) -> None:
    assert refusal(message(*fields)) == (513, reason)
    assert parse(message(*fields))


def test_a_body_beyond_the_limit_is_413() -> None:
    assert refusal(message(body=b"x" * 2_000)) == (413, "Request Entity Too Large")


def test_commas_that_separate_nothing_are_not_counted() -> None:
    quoted = f'Contact: "{"," * 60}" <sip:a@192.0.2.10>'
    subject = f"Subject: {', ' * 60}"
    assert parse(message(quoted, subject, *many("X", 2, "x" * 900)), LOW)


def test_a_response_and_an_ack_beyond_a_limit_are_dropped() -> None:
    for start in ("SIP/2.0 200 OK", "ACK sip:b@c SIP/2.0"):
        with pytest.raises(Malformed) as error:
            parse(message(*many("X-Long", 5, "x" * 900), start=start), LOW)
        assert error.value.request is None


def test_so_small_a_message_is_never_too_large() -> None:
    fields = ["X: " + "x" * 1_500]
    assert len(message(*fields)) < PLAIN_OCTETS
    assert parse(message(*fields), LOW)


def test_the_lists_are_fields_that_we_keep_by_these_names() -> None:
    for name in LISTS[1:]:
        assert name in parse(message(f"{name.upper()}: <sip:a@b>")).headers


def test_a_body_beyond_the_limit_is_passed_over_on_a_stream() -> None:
    framer = StreamFramer(LOW)
    large, after = message(body=b"x" * 3_000), message()
    found = [item for start in range(0, len(large), 700) for item in framer.feed(large[start : start + 700])]
    assert found == [large[:-3_000]]
    assert isinstance(found[0], bytes)
    assert refusal(found[0]) == (413, "Request Entity Too Large")
    assert not framer.pending
    assert framer.feed(b"\r\n\r\n" + large + after) == [KeepAlive.PING, large[:-3_000], after]


def test_while_a_body_is_passed_over_the_stream_waits_for_its_end() -> None:
    framer = StreamFramer(LOW)
    assert framer.feed(message(length=2_000)) == [message(length=2_000)]
    assert framer.pending


def test_a_body_beyond_all_measure_ends_the_stream() -> None:
    framer = StreamFramer(LOW)
    with pytest.raises(Malformed) as error:
        framer.feed(message(length=LOW.body_octets * PASSED_OVER + 1))
    assert error.value.status == 513


def test_by_default_a_datagram_of_any_size_can_be_taken() -> None:
    assert parse(message(*many("X", 200, "x" * 250), body=b"x" * 10_000))
    assert NO_OTHERS.header_octets >= 65_535
