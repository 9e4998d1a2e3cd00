"""The work for a message grows with its octets and no faster, whatever it is made of: steps are counted, not time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from types import FrameType
from typing import Any

import pytest

from b2bua.sdp.origin import around_origin
from b2bua.sdp.session import parse as parse_session
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.limits import MessageLimits
from b2bua.sip.parser import StreamFramer, parse

BOUNDLESS = MessageLimits(10**9, 10**9, 10**9, 10**9, 10**9)
HEAD = (
    "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"
    "Call-ID: 1\r\nCSeq: 1 INVITE\r\n"
)
BODY = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
NEW = count(1)
"""Numbers for lines that no message had before: those take fewer steps."""
GROWING: dict[str, Callable[[int], str]] = {
    "vias": lambda n: "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n" * n,
    "vias in one line": lambda n: "Via: SIP/2.0/UDP h" + ",SIP/2.0/UDP h" * n + "\r\n",
    "headers": lambda n: "".join(f"X-{next(NEW)}: a\r\n" for _ in range(n)),
    "one header": lambda n: "X: a\r\n" * n,
    "no headers": lambda n: "X\r\n" * n,
    "parameters": lambda n: "Route: <sip:a>" + ";a=b" * n + "\r\n",
    "parameters of a URI": lambda n: "Route: <sip:a" + ";a=b" * n + ">\r\n",
    "commas": lambda n: "Route: " + "," * n + "\r\n",
    "addresses": lambda n: "Route: <sip:a>" + ",<sip:a>" * n + "\r\n",
    "quotes": lambda n: "Route: " + '"' * n + "\r\n",
    "quoted pairs": lambda n: 'Route: "' + '\\"' * n + "\r\n",
    "quotes that open": lambda n: "Route: " + '"\\' * n + "\r\n",
    "brackets that open": lambda n: "Route: " + '<",' * n + "\r\n",
    "folded lines": lambda n: "X: a" + "\r\n a" * n + "\r\n",
    "blanks": lambda n: "Via: SIP" + " " * n + "/2.0/UDP h\r\n",
    "slashes": lambda n: "Via: " + "a/" * n + "\r\n",
    "digits": lambda n: "Content-Length: " + "1" * n + "\r\n",
    "escapes": lambda n: "Route: <sip:" + "%41" * n + "@a>\r\n",
}


def steps(work: Callable[[], object]) -> int:
    """How many instructions a piece of work takes."""
    taken = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal taken
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event == "opcode":
            taken += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return taken


def read(data: bytes) -> None:
    """Read a message with all that it says."""
    try:
        message = parse(data, BOUNDLESS)
    except PeerError:
        return
    for value in message.values("Route"):
        with suppress(PeerError):
            NameAddr.parse(value)


def frame_by_octets(data: bytes) -> None:
    framer = StreamFramer(BOUNDLESS)
    with suppress(PeerError):
        for place in range(len(data)):
            framer.feed(data[place : place + 1])


def read_body(data: bytes) -> None:
    with suppress(PeerError):
        parse_session(data)
    around_origin(data)


def grows_like_its_octets(work: Callable[[bytes], None], made: Callable[[int], bytes], few: int) -> None:
    work(made(few))
    small, large = (steps(partial(work, made(count))) for count in (few, 4 * few))
    assert large <= 5 * small + 300


@pytest.mark.parametrize("what", GROWING)
def test_reading_a_message(what: str) -> None:
    grows_like_its_octets(read, lambda count: f"{HEAD}{GROWING[what](count)}\r\n".encode(), 60)


@pytest.mark.parametrize("what", GROWING)
def test_reading_a_message_whose_lines_end_with_lf(what: str) -> None:
    grows_like_its_octets(read, lambda count: f"{HEAD}{GROWING[what](count)}\r\n".replace("\r", "").encode(), 60)


@pytest.mark.parametrize("what", GROWING)
def test_framing_octet_by_octet(what: str) -> None:
    grows_like_its_octets(frame_by_octets, lambda count: f"{HEAD}{GROWING[what](count)}\r\n".encode(), 40)


def test_framing_a_long_body_octet_by_octet() -> None:
    grows_like_its_octets(
        frame_by_octets, lambda count: f"{HEAD}Content-Length: {count * 10}\r\n\r\n".encode() + b"x" * count * 10, 50
    )


@pytest.mark.parametrize("line", ["m=audio 1 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "c=IN IP4 192.0.2.1", "o=", "a=a"])
def test_reading_a_description(line: str) -> None:
    grows_like_its_octets(read_body, lambda count: (BODY + f"{line}\r\n" * count).encode(), 60)
