"""Messages out of a stream (RFC 3261 18.3, RFC 5626 3.5.1)."""

from __future__ import annotations

import pytest

from b2bua.sip.errors import Malformed
from b2bua.sip.framer import PASSED_OVER
from b2bua.sip.limits import NO_OTHERS
from b2bua.sip.parser import KeepAlive, StreamFramer, parse

HEAD_OCTETS, BODY_OCTETS = NO_OTHERS.header_octets, NO_OTHERS.body_octets


def message(body: bytes = b"", length: str | None = None) -> bytes:
    head = (
        "MESSAGE sip:b@c SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: sip:a@b;tag=1\r\nTo: sip:b@c\r\n"
        "Call-ID: 1\r\nCSeq: 1 MESSAGE\r\n"
    )
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def test_messages_and_pings_in_order() -> None:
    first, second = message(b"\r\n\r\n"), message()
    data = b"\r\n" + first + b"\r\n\r\n" + second + b"\r\n\r\n\r\n" + first
    assert StreamFramer().feed(data) == [first, KeepAlive.PING, second, KeepAlive.PING, first]


def test_every_cut_gives_the_same() -> None:
    data = message(b"abc") + b"\r\n\r\n" + message()
    for cut in range(len(data) + 1):
        framer = StreamFramer()
        assert framer.feed(data[:cut]) + framer.feed(data[cut:]) == [message(b"abc"), KeepAlive.PING, message()]
        assert not framer.pending


def test_odd_line_ends_between_messages_give_the_same_pings_however_they_are_cut() -> None:
    for data in (b"\n\r\n\r\n", b"\r\n\r\r\n\r\n", b"\r\r\n", b"\r\n\n\r\n\r\n\r\n"):
        data += message()
        whole = StreamFramer().feed(data)
        for cut in range(len(data) + 1):
            framer = StreamFramer()
            assert framer.feed(data[:cut]) + framer.feed(data[cut:]) == whole


def test_octet_by_octet() -> None:
    framer = StreamFramer()
    found = [item for octet in message(b"abc") for item in framer.feed(bytes([octet]))]
    assert found == [message(b"abc")]


def test_a_single_line_end_is_the_answer_to_a_ping_and_means_nothing() -> None:
    framer = StreamFramer()
    assert framer.feed(b"\r\n") == []
    assert framer.feed(message()) == [message()]


def test_what_is_framed_is_read_by_the_parser() -> None:
    (framed,) = StreamFramer().feed(message(b"abc"))
    assert isinstance(framed, bytes)
    assert parse(framed).body == b"abc"


@pytest.mark.parametrize("length", ["", "-1", "x", "1, 2", "0\r\nl: 0", "0\r\n 1"])
def test_framing_is_lost_without_one_length(length: str) -> None:
    with pytest.raises(Malformed) as error:
        StreamFramer().feed(message(length=length))
    assert error.value.status == 400
    assert error.value.request is not None


def test_what_came_before_the_fault_is_given_first() -> None:
    framer = StreamFramer()
    assert framer.feed(message() + message(length="x") + message()) == [message()]
    assert framer.error is not None
    for _ in range(2):
        with pytest.raises(Malformed):
            framer.feed(b"")


def test_a_head_beyond_the_limit_is_513() -> None:
    framer = StreamFramer()
    start = message().removesuffix(b"\r\n")
    framer.feed(start)
    with pytest.raises(Malformed) as error:
        for _ in range(HEAD_OCTETS // 1000 + 1):
            framer.feed(b"X: " + 995 * b"x" + b"\r\n")
    assert error.value.status == 513
    assert error.value.request is not None
    assert error.value.request.call_id == "1"


def test_a_line_beyond_the_limit_is_513_and_cannot_be_answered() -> None:
    with pytest.raises(Malformed) as error:
        StreamFramer().feed((HEAD_OCTETS + 4) * b"x")
    assert (error.value.status, error.value.request) == (513, None)


def test_the_longest_head_is_taken() -> None:
    start = message().removesuffix(b"\r\n") + b"X: "
    data = start + (HEAD_OCTETS - len(start)) * b"x" + b"\r\n\r\n"
    assert StreamFramer().feed(data) == [data]


def test_a_body_beyond_the_limit_is_513_before_it_comes() -> None:
    with pytest.raises(Malformed) as error:
        StreamFramer().feed(message(length=str(BODY_OCTETS * PASSED_OVER + 1)))
    assert error.value.status == 513
    assert error.value.request is not None
    framer = StreamFramer()
    assert framer.feed(message(length=str(BODY_OCTETS))) == []
    assert framer.pending


def test_a_bad_head_ends_the_stream() -> None:
    with pytest.raises(Malformed) as error:
        StreamFramer().feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (error.value.status, error.value.request) == (400, None)


def test_a_message_that_is_wrong_in_itself_does_not_end_the_stream() -> None:
    wrong = message().replace(b"1 MESSAGE", b"1 OPTIONS")
    assert StreamFramer().feed(wrong + message()) == [wrong, message()]


def test_a_length_in_any_form() -> None:
    for form in (b"l:3", b"CONTENT-LENGTH\t:\t3 ", b"Content-Length:\r\n 3", b"l : 0003"):
        data = message(b"abc").replace(b"Content-Length: 3", form)
        assert StreamFramer().feed(data + message()) == [data, message()]
