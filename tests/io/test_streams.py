"""TCP over loopback: which connection a message goes by, and what becomes of flows when connections end."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from b2bua.effects import Flow
from b2bua.io import arriving, connections, dialing
from b2bua.io.failure import ServerError
from b2bua.io.listening import open_listener
from b2bua.io.streams import Streams
from b2bua.settings import Listener

from .edge import Edge, request


class Bench:
    """A listening address on an edge."""

    def __init__(self, edge: Edge, host: str) -> None:
        self.edge = edge
        self.listener = Listener("TCP", host, free_port(host))
        self.socket = open_listener(self.listener)
        self.streams = Streams(edge.shell, 60.0)
        self.streams.add(self.socket, self.listener)
        edge.connect(streams=self.streams)

    async def connected(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(self.listener.host, self.listener.port, local_address=self.listener.host)

    def to(self, port: int, connection: int = 0) -> Flow:
        return Flow("TCP", self.listener.host, self.listener.port, self.listener.host, port, connection)


class Gateway:
    """A peer that takes connections."""

    def __init__(self, host: str) -> None:
        self.socket = open_listener(Listener("TCP", host, free_port(host)))
        self.port = self.socket.getsockname()[1]
        self.listening = trio.SocketListener(trio.socket.from_stdlib_socket(self.socket))


def free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(params=["127.0.0.1", "::1"])
async def bench(edge: Edge, request: pytest.FixtureRequest, nursery: trio.Nursery) -> AsyncIterator[Bench]:
    bench = Bench(edge, request.param)
    nursery.start_soon(bench.streams.run)
    nursery.start_soon(edge.shell.clock.run)
    await wait_all_tasks_blocked()
    yield bench
    bench.socket.close()


async def test_a_message_comes_by_a_numbered_flow_and_is_answered_by_it(bench: Bench) -> None:
    async with await bench.connected() as peer:
        await peer.send_all(request())
        ((_, data, flow),) = await bench.edge.core.had(1)
        assert data == request()
        assert flow == bench.to(peer.socket.getsockname()[1], flow.connection)
        assert flow.connection > 0
        bench.streams.send(b"answer", flow)
        assert await peer.receive_some() == b"answer"


async def test_connections_are_told_apart_by_numbers_that_rise_over_restarts(bench: Bench) -> None:
    before = int((time.time() - 60) * 1000)
    async with await bench.connected() as one, await bench.connected() as two:
        for peer in (one, two):
            await peer.send_all(request())
        numbers = {given[2].connection for given in await bench.edge.core.had(2)}
        assert len(numbers) == 2
        assert min(numbers) > before


async def test_a_flow_to_an_address_opens_one_connection_and_uses_it_again(bench: Bench) -> None:
    gateway = Gateway(bench.listener.host)
    flow = bench.to(gateway.port)
    bench.streams.send(b"one ", flow)
    bench.streams.send(b"two ", flow)
    async with await gateway.listening.accept() as taken:
        got = b""
        while len(got) < 8:
            got += await taken.receive_some()
        assert got == b"one two "
        assert taken.socket.getpeername()[0] == bench.listener.host
        bench.streams.send(b"three", flow)
        assert await taken.receive_some() == b"three"
        await taken.send_all(request())
        ((_, _, back),) = await bench.edge.core.had(1)
        assert back == bench.to(gateway.port, back.connection)
        assert len(bench.streams) == 1
    await gateway.listening.aclose()


async def test_an_open_connection_serves_whoever_asks_for_its_address(bench: Bench) -> None:
    async with await bench.connected() as peer:
        await peer.send_all(request())
        await bench.edge.core.had(1)
        bench.streams.send(b"hello", bench.to(peer.socket.getsockname()[1]))
        assert await peer.receive_some() == b"hello"
        assert len(bench.streams) == 1


async def test_a_refused_connection_fails_the_flow_that_was_asked(bench: Bench) -> None:
    flow = bench.to(free_port(bench.listener.host))
    bench.streams.send(b"x", flow)
    bench.streams.send(b"y", flow)
    assert await bench.edge.core.had(1) == [("flow_failed", flow)]
    assert len(bench.streams) == 0


async def test_a_connection_that_nobody_takes_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(flow: Flow) -> trio.SocketStream:
        return await trio.sleep_forever()

    monkeypatch.setattr(dialing, "_connected", never)
    monkeypatch.setattr(dialing, "CONNECT_SECONDS", 0.01)
    flow = bench.to(9)
    bench.streams.send(b"x", flow)
    assert await bench.edge.core.had(1) == [("flow_failed", flow)]


async def test_a_closed_connection_fails_its_number_and_the_flow_that_opened_it(bench: Bench) -> None:
    gateway = Gateway(bench.listener.host)
    flow = bench.to(gateway.port)
    bench.streams.send(b"x", flow)
    async with await gateway.listening.accept() as taken:
        await taken.receive_some()
    numbered, asked = await bench.edge.core.had(2)
    assert asked == ("flow_failed", flow)
    assert numbered == ("flow_failed", bench.to(gateway.port, numbered[1].connection))
    bench.streams.send(b"x", numbered[1])
    assert (await bench.edge.core.had(3))[2] == numbered
    await gateway.listening.aclose()


async def test_close_sends_what_is_queued_first(bench: Bench) -> None:
    async with await bench.connected() as peer:
        await peer.send_all(request())
        ((_, _, flow),) = await bench.edge.core.had(1)
        bench.streams.send(b"last words", flow)
        bench.streams.close(flow)
        assert await peer.receive_some() == b"last words"
        assert await peer.receive_some() == b""
    assert (await bench.edge.core.had(2))[1] == ("flow_failed", flow)


async def test_an_address_may_hold_so_many_connections(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "CONNECTIONS_OF_AN_ADDRESS", 2)
    async with await bench.connected() as one, await bench.connected() as two, await bench.connected() as three:
        assert await three.receive_some() == b""
        await one.aclose()
        await bench.edge.core.had(1)
        async with await bench.connected() as four:
            for peer in (two, four):
                await peer.send_all(request())
            inputs = await bench.edge.core.had(3)
    assert [given[0] for given in inputs[1:3]] == ["datagram", "datagram"]
    assert bench.edge.shell.counters["streams_refused"] == 1


async def test_there_is_a_bound_on_all_connections(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS", 1)
    async with await bench.connected() as one:
        await one.send_all(request())
        await bench.edge.core.had(1)
        flow = bench.to(9)
        bench.streams.send(b"x", flow)
        assert (await bench.edge.core.had(2))[1] == ("flow_failed", flow)
        async with await bench.connected() as two:
            assert await two.receive_some() == b""


async def test_a_port_in_use_is_said(bench: Bench) -> None:
    with pytest.raises(ServerError, match=r"cannot listen on tcp:.*: Address already in use; another program"):
        open_listener(bench.listener)
