"""One stream, in memory: framing, pings, and every bound on what a peer may make us wait or hold."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MemoryReceiveStream, MockClock, memory_stream_pair, wait_all_tasks_blocked

from b2bua.effects import Flow, Send
from b2bua.io.connection import (
    CLOSE_SECONDS,
    FIRST_MESSAGE_SECONDS,
    MESSAGE_SECONDS,
    QUEUE_OCTETS,
    Connection,
)
from b2bua.sip.errors import Malformed

from .edge import Edge, request

FLOW = Flow("TCP", "127.0.0.1", 5060, "127.0.0.1", 6000, 7)
IDLE = 1000.0

Peer = trio.StapledStream[trio.testing.MemorySendStream, MemoryReceiveStream]


class Bench:
    """A connection that runs, its peer, and when it ended."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.connection = Connection(FLOW, edge.shell, IDLE, FIRST_MESSAGE_SECONDS)
        self.peer, self.ours = memory_stream_pair()
        self.began = trio.current_time()
        self.ended: float | None = None
        self.over = trio.Event()

    async def run(self) -> None:
        await self.connection.run(self.ours)
        self.ended = trio.current_time() - self.began
        self.over.set()


@pytest.fixture
async def bench(edge: Edge, nursery: trio.Nursery) -> Bench:
    bench = Bench(edge)
    nursery.start_soon(bench.run)
    return bench


async def test_messages_and_pings_in_pieces_come_whole_and_in_order(bench: Bench, autojump_clock: MockClock) -> None:
    data = request() + b"\r\n\r\n" + request("INVITE", b"v=0")
    for begun in range(0, len(data), 7):
        await bench.peer.send_all(data[begun : begun + 7])
    assert await bench.edge.core.had(2) == [
        ("datagram", request(), FLOW),
        ("datagram", request("INVITE", b"v=0"), FLOW),
    ]
    assert await bench.peer.receive_some() == b"\r\n"


async def test_what_is_sent_before_and_between_goes_out_in_order(bench: Bench, autojump_clock: MockClock) -> None:
    sent = [b"%d " % number for number in range(100)]
    for data in sent[:50]:
        assert bench.connection.send(data)
    got = bytes(await bench.peer.receive_some())
    for data in sent[50:]:
        assert bench.connection.send(data)
    while len(got) < len(b"".join(sent)):
        got += await bench.peer.receive_some()
    assert got == b"".join(sent)


async def test_lost_framing_is_answered_and_closed(bench: Bench, autojump_clock: MockClock) -> None:
    def answer(error: Malformed, flow: Flow) -> list[Send]:
        assert bench.connection.send(b"SIP/2.0 400 Bad\r\n\r\n")
        return []

    bench.edge.core.replies["malformed"] = answer
    await bench.peer.send_all(request() + request().replace(b"Content-Length: 0\r\n", b""))
    inputs = await bench.edge.core.had(2)
    assert [given[0] for given in inputs] == ["datagram", "malformed"]
    assert await bench.peer.receive_some() == b"SIP/2.0 400 Bad\r\n\r\n"
    assert await bench.peer.receive_some() == b""
    assert not bench.connection.send(b"too late")


async def test_a_peer_that_does_not_read_is_closed_when_its_queue_is_full(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.ours.send_stream.send_all_hook = trio.sleep_forever
    chunk = b"x" * 1024
    for _ in range(QUEUE_OCTETS // len(chunk)):
        assert bench.connection.send(chunk)
    await wait_all_tasks_blocked()
    assert not bench.connection.send(b"x")
    await bench.over.wait()
    assert bench.ended == 0
    assert bench.edge.shell.counters["stream_overflows"] == 1


@pytest.mark.parametrize("first", [b"", b"\r\n\r\n", b"INVITE sip:b"])
async def test_a_first_message_has_to_come_soon(bench: Bench, autojump_clock: MockClock, first: bytes) -> None:
    await bench.peer.send_all(first)
    await bench.over.wait()
    assert bench.ended == FIRST_MESSAGE_SECONDS
    assert bench.edge.shell.counters["streams_timed_out"] == 1


async def test_a_message_that_has_begun_has_to_end(bench: Bench, autojump_clock: MockClock) -> None:
    await bench.peer.send_all(request() + request()[:50])
    await trio.sleep(20)
    await bench.peer.send_all(request()[50:60])
    await bench.over.wait()
    assert bench.ended == MESSAGE_SECONDS


async def test_a_silent_peer_is_kept_for_its_idle_time(bench: Bench, autojump_clock: MockClock) -> None:
    await bench.peer.send_all(request())
    await trio.sleep(900)
    await bench.peer.send_all(b"\r\n\r\n")
    await bench.over.wait()
    assert bench.ended == 900 + IDLE


async def test_the_peers_end_ends_it_after_what_is_queued(bench: Bench, autojump_clock: MockClock) -> None:
    bench.connection.send(b"last")
    await bench.peer.send_eof()
    await bench.over.wait()
    assert await bench.peer.receive_some() == b"last"
    assert await bench.peer.receive_some() == b""
    assert bench.ended == 0


async def test_close_drops_what_still_comes_and_waits_for_the_peer(bench: Bench, autojump_clock: MockClock) -> None:
    await wait_all_tasks_blocked()
    bench.connection.close()
    await bench.peer.send_all(request())
    assert await bench.peer.receive_some() == b""
    await trio.sleep(1)
    await bench.peer.send_eof()
    await bench.over.wait()
    assert bench.ended == 1
    assert bench.edge.core.inputs == []


async def test_a_peer_that_reads_nothing_cannot_hold_a_close(bench: Bench, autojump_clock: MockClock) -> None:
    bench.ours.send_stream.send_all_hook = trio.sleep_forever
    bench.connection.send(b"x")
    bench.connection.close()
    await bench.over.wait()
    assert bench.ended == CLOSE_SECONDS


async def test_a_broken_stream_ends_it(bench: Bench, autojump_clock: MockClock) -> None:
    await bench.peer.receive_stream.aclose()
    bench.connection.send(b"x")
    await bench.over.wait()
    assert bench.ended == 0
