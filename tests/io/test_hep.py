"""Messages for a collector: their packets, whose call they are, and that nobody waits for it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from b2bua.effects import Flow
from b2bua.io.hep import WAITING, HepSender
from b2bua.settings import Hep, Host

from .edge import Edge

FLOW = Flow("UDP", "192.0.2.1", 5060, "192.0.2.7", 5070)
INVITE = b"INVITE sip:b@b SIP/2.0\r\nf: <sip:a@a>;tag=theirs\r\nTo: <sip:b@b>\r\nCall-ID: one\r\n\r\n"
RINGING = b"SIP/2.0 180 Ringing\r\nFrom: <sip:a@a>;tag=theirs\r\nTo: <sip:b@b>;tag=ours\r\nCall-ID: two\r\n\r\n"
OPTIONS = b"OPTIONS sip:b SIP/2.0\r\nFrom: <sip:a@a>;tag=x\r\nTo: <sip:b@b>\r\ni: three\r\n\r\n"


class Calls:
    """A core with one call, whose caller's dialog is `one`, and which has a leg of ours with the tag `ours`."""

    def __init__(self) -> None:
        self.since: list[float] = []

    def call_with(self, tag: str) -> str | None:
        return "call-1" if tag == "ours" else None

    def dialogs_since(self, since: float) -> list[tuple[str, str]]:
        self.since.append(since)
        return [("call-1", "one")] if len(self.since) == 1 else []


class Bench:
    def __init__(self, edge: Edge, address: str | None = None, password: str = "") -> None:
        self.collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.collector.bind(("127.0.0.1", 0))
        self.collector.settimeout(5.0)
        to = Host("127.0.0.1", self.collector.getsockname()[1])
        self.calls = Calls()
        self.edge = edge
        self.sender = HepSender(Hep(to, 2001, password), address, self.calls, edge.shell)

    def got(self) -> dict[int, bytes]:
        """The chunks of the next packet, by their type."""
        packet = self.collector.recv(65_535)
        assert packet[:4] == b"HEP3"
        assert struct.unpack("!H", packet[4:6])[0] == len(packet)
        chunks, at = {}, 6
        while at < len(packet):
            vendor, kind, length = struct.unpack_from("!HHH", packet, at)
            assert vendor == 0
            chunks[kind] = packet[at + 6 : at + length]
            at += length
        return chunks


@pytest.fixture
def bench(edge: Edge) -> Iterator[Bench]:
    bench = Bench(edge, password="secret")
    yield bench
    bench.sender.close()
    bench.collector.close()


def test_a_message_is_told_with_its_way_and_time(bench: Bench) -> None:
    bench.sender(1_700_000_000.25, "in", FLOW, OPTIONS)
    bench.sender.flush()
    chunks = bench.got()
    assert chunks == {
        0x01: b"\x02",
        0x02: b"\x11",
        0x03: bytes((192, 0, 2, 7)),
        0x04: bytes((192, 0, 2, 1)),
        0x07: struct.pack("!H", 5070),
        0x08: struct.pack("!H", 5060),
        0x09: struct.pack("!I", 1_700_000_000),
        0x0A: struct.pack("!I", 250_000),
        0x0B: b"\x01",
        0x0C: struct.pack("!I", 2001),
        0x0E: b"secret",
        0x11: b"three",
        0x0F: OPTIONS,
    }


def test_what_goes_out_comes_from_us_and_six_is_six(bench: Bench) -> None:
    bench.sender(1.0, "out", Flow("TLS", "2001:db8::1", 5061, "2001:db8::2", 40_000), OPTIONS)
    bench.sender.flush()
    chunks = bench.got()
    assert (chunks[0x01], chunks[0x02]) == (b"\x0a", b"\x06")
    assert chunks[0x05] == socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert chunks[0x06] == socket.inet_pton(socket.AF_INET6, "2001:db8::2")
    assert chunks[0x07] == struct.pack("!H", 5061)


def test_both_legs_have_the_id_of_their_call(bench: Bench) -> None:
    for data in (INVITE, RINGING):
        bench.sender(1.0, "in", FLOW, data)
    bench.sender.flush()
    # What is known of a dialog stays known when nothing of it is left.
    bench.sender(2.0, "out", FLOW, RINGING.replace(b"tag=ours", b"tag=another"))
    bench.sender.flush()
    assert [bench.got()[0x11] for _ in range(3)] == [b"call-1"] * 3
    assert bench.calls.since[0] == 0.0 < bench.calls.since[1]


def test_an_address_for_all_is_told_as_it_is_known(edge: Edge) -> None:
    bench = Bench(edge, address="198.51.100.9")
    bench.sender(1.0, "out", Flow("UDP", "0.0.0.0", 5060, "192.0.2.7", 5070), OPTIONS)
    bench.sender(1.0, "out", Flow("UDP", "::", 5060, "2001:db8::2", 5070), OPTIONS)
    bench.sender.flush()
    assert bench.got()[0x03] == bytes((198, 51, 100, 9))
    assert bench.got()[0x05] == bytes(16)
    bench.sender.close()
    bench.collector.close()


def test_what_is_too_long_for_a_datagram_is_a_counted_loss(bench: Bench) -> None:
    for size in (65_500, 70_000):
        bench.sender(1.0, "in", FLOW, OPTIONS + b"x" * size)
    bench.sender(1.0, "in", FLOW, OPTIONS)
    bench.sender.flush()
    assert bench.got()[0x0F] == OPTIONS
    assert dict(bench.edge.shell.counters) == {"hep_lost": 2, "hep_sent": 1}


def test_a_collector_that_is_full_or_gone_holds_nobody_up(bench: Bench) -> None:
    bench.collector.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    for _ in range(3):
        for _ in range(2000):
            bench.sender(1.0, "in", FLOW, OPTIONS)
        bench.sender.flush()
    bench.collector.close()
    bench.sender(1.0, "in", FLOW, OPTIONS)
    bench.sender.flush()
    assert sum(bench.edge.shell.counters.values()) == 6001


def test_what_waits_is_bounded(bench: Bench) -> None:
    for _ in range(WAITING + 5):
        bench.sender(1.0, "in", FLOW, OPTIONS)
    assert bench.edge.shell.counters["hep_lost"] == 5
