"""Messages that mean ill, on the wire: answered or dropped, and everybody else is served as before."""

from __future__ import annotations

import random
import socket

from .lab import Lab
from .peer import Dialog


def _options(lab: Lab, number: int, *fields: str, length: int = 0) -> bytes:
    lines = (
        f"OPTIONS sip:{lab.server.tcp} SIP/2.0",
        f"Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKrobust{number}",
        "Max-Forwards: 70",
        "From: <sip:mallory@lab.example>;tag=1",
        f"To: <sip:{lab.server.tcp}>",
        f"Call-ID: robust-{number}-{lab.call_id()}",
        "CSeq: 1 OPTIONS",
        *fields,
        f"Content-Length: {length}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def _answers(stream: socket.socket, count: int) -> list[bytes]:
    """The statuses of so many answers, none of which has a body; fewer where the stream ends."""
    heard = b""
    while heard.count(b"\r\n\r\n") < count:
        data = stream.recv(65_536)
        if not data:
            break
        heard += data
    return [head[8:11] for head in heard.split(b"\r\n\r\n")[:-1]]


def test_what_is_too_large_is_answered_and_the_stream_goes_on(lab: Lab) -> None:
    with socket.create_connection(lab.server.tcp, 5.0) as stream:
        body = 2_000_000
        stream.sendall(_options(lab, 1, length=body) + body * b"x")
        stream.sendall(_options(lab, 2, f"Subject: {'y' * 9_000}"))
        stream.sendall(_options(lab, 3, *[f"X-{number}: z" for number in range(600)]))
        for octet in _options(lab, 4):
            stream.sendall(bytes([octet]))
        assert _answers(stream, 4) == [b"413", b"513", b"513", b"200"]


def test_a_stream_whose_end_nobody_knows_is_closed(lab: Lab) -> None:
    for data in (_options(lab, 5, length=10**9 - 1), _options(lab, 6)[:-4] + b"\r\nX: " + b"x" * 70_000):
        with socket.create_connection(lab.server.tcp, 5.0) as stream:
            stream.sendall(data)
            assert _answers(stream, 2) == [b"513"]


def test_garbage_hurts_nobody(lab: Lab) -> None:
    draw = random.Random(1)
    valid = _options(lab, 7).replace(b"TCP", b"UDP")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mallory:
        for number in range(2_000):
            place, octets = draw.randrange(len(valid)), draw.randbytes(draw.randrange(1, 40))
            mallory.sendto(octets if number % 2 else valid[:place] + octets + valid[place:], lab.server.udp)
    alice = lab.peer()
    Dialog.registering(alice, lab.server.udp, "alice").request("REGISTER")
    alice.receive(r"SIP/2\.0 401 ", 20.0)
    status = lab.server.show("status")
    assert isinstance(status, dict)
    assert status["counters"].get("inputs_lost", 0) == 0
    assert status["counters"]["messages_malformed"] > 500
