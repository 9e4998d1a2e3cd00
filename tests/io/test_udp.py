"""Datagrams over loopback, and what the network says of those that did not arrive."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from b2bua.effects import Effect, Flow, Send
from b2bua.io import udp
from b2bua.io.failure import ServerError
from b2bua.io.udp import BATCH, Datagrams, UdpSocket, open_udp
from b2bua.settings import Listener

from .edge import Edge


class Bench:
    """A listening socket on an edge, and peers to talk to it."""

    def __init__(self, edge: Edge, host: str) -> None:
        self.edge = edge
        free = self.peer(host)
        port = free.getsockname()[1]
        free.close()
        self.listener = Listener("UDP", host, port)
        self.socket = open_udp(self.listener)
        self.datagrams = Datagrams(edge.shell)
        self.udp = self.datagrams.add(self.socket, self.listener)
        edge.connect(datagrams=self.datagrams)

    @staticmethod
    def peer(host: str) -> socket.socket:
        peer = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind((host, 0))
        peer.settimeout(5)
        return peer

    def send(self, peer: socket.socket, data: bytes) -> None:
        peer.sendto(data, (self.listener.host, self.listener.port))

    def flow(self, peer: socket.socket) -> Flow:
        host, port = peer.getsockname()[:2]
        return Flow("UDP", self.listener.host, self.listener.port, host, port)


@pytest.fixture(params=["127.0.0.1", "::1"])
def bench(edge: Edge, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(edge, request.param)
    yield bench
    bench.socket.close()


async def test_a_datagram_goes_through_the_core_and_back(bench: Bench, nursery: trio.Nursery) -> None:
    def echo(data: bytes, flow: Flow) -> list[Effect]:
        return [Send(data.upper(), flow)]

    bench.edge.core.replies["datagram"] = echo
    nursery.start_soon(bench.udp.receive)
    with bench.peer(bench.listener.host) as peer:
        bench.send(peer, b"hello")
        assert await bench.edge.core.had(1) == [("datagram", b"hello", bench.flow(peer))]
        assert peer.recvfrom(100)[0] == b"HELLO"


async def test_an_unreachable_port_fails_its_flow_and_no_other(bench: Bench, nursery: trio.Nursery) -> None:
    nursery.start_soon(bench.udp.receive)
    nursery.start_soon(bench.edge.shell.clock.run)
    with bench.peer(bench.listener.host) as dead:
        gone = bench.flow(dead)
    with bench.peer(bench.listener.host) as alive:
        for _ in range(3):
            bench.datagrams.send(b"nobody", gone)
            bench.datagrams.send(b"hello", bench.flow(alive))
        bench.datagrams.flush()
        assert [alive.recv(100) for _ in range(3)] == [b"hello"] * 3
    await bench.edge.core.had(1)
    await wait_all_tasks_blocked(0.01)
    assert set(bench.edge.core.inputs) == {("flow_failed", gone)}


async def test_what_comes_and_goes_is_counted_but_not_errors(bench: Bench, nursery: trio.Nursery) -> None:
    nursery.start_soon(bench.udp.receive)
    nursery.start_soon(bench.edge.shell.clock.run)
    with bench.peer(bench.listener.host) as dead:
        gone = bench.flow(dead)
    bench.datagrams.send(b"nobody", gone)
    bench.datagrams.flush()
    assert await bench.edge.core.had(1) == [("flow_failed", gone)]
    assert (bench.udp.traffic.sent, bench.udp.traffic.received) == (1, 0)
    with bench.peer(bench.listener.host) as peer:
        bench.send(peer, b"hello")
        await bench.edge.core.had(2)
        await wait_all_tasks_blocked()
    assert (bench.udp.traffic.sent, bench.udp.traffic.received) == (1, 1)


async def test_what_only_keeps_a_binding_open_does_not_reach_the_core(bench: Bench, nursery: trio.Nursery) -> None:
    with bench.peer(bench.listener.host) as peer:
        for data in (b"\r\n\r\n", b"\0\0\0\0", b"", b"last"):
            bench.send(peer, data)
        nursery.start_soon(bench.udp.receive)
        assert await bench.edge.core.had(1) == [("datagram", b"last", bench.flow(peer))]
    assert bench.edge.shell.counters["keep_alives"] == 3


async def test_who_asks_by_stun_where_it_came_from_is_told(bench: Bench, nursery: trio.Nursery) -> None:
    """RFC 5626 section 8: a binding request on the SIP port."""
    nursery.start_soon(bench.udp.receive)
    transaction = bytes(range(12))
    with bench.peer(bench.listener.host) as peer:
        peer.settimeout(5)
        bench.send(peer, bytes.fromhex("000100002112a442") + transaction)
        told = await trio.to_thread.run_sync(peer.recv, 100)
        port = peer.getsockname()[1]
    assert told[:2] == bytes.fromhex("0101")
    assert told[8:20] == transaction
    assert int.from_bytes(told[26:28], "big") ^ 0x2112 == port
    assert bench.edge.shell.counters["keep_alives"] == 1
    assert not bench.edge.core.inputs


async def test_others_have_their_turn_after_a_batch(bench: Bench, nursery: trio.Nursery) -> None:
    wanted = 4 * BATCH
    seen: set[int] = set()

    async def other() -> None:
        while len(bench.edge.core.inputs) < wanted:
            seen.add(len(bench.edge.core.inputs))
            await trio.lowlevel.checkpoint()

    with bench.peer(bench.listener.host) as peer:
        for number in range(wanted):
            bench.send(peer, b"%d" % number)
        nursery.start_soon(bench.udp.receive)
        nursery.start_soon(other)
        await bench.edge.core.had(wanted)
    assert seen - {0}
    assert all(count % BATCH == 0 for count in seen)


async def test_peers_are_told_apart_and_the_same_is_the_same_value(bench: Bench, nursery: trio.Nursery) -> None:
    nursery.start_soon(bench.udp.receive)
    with bench.peer(bench.listener.host) as one, bench.peer(bench.listener.host) as two:
        for peer in (one, two, one):
            bench.send(peer, b"x")
        flows = [given[2] for given in await bench.edge.core.had(3)]
        assert flows == [bench.flow(one), bench.flow(two), bench.flow(one)]
        assert flows[0] is flows[2]


async def test_addresses_beyond_the_bound_are_made_anew(
    bench: Bench, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "FLOWS", 2)
    nursery.start_soon(bench.udp.receive)
    peers = [bench.peer(bench.listener.host) for _ in range(3)]
    for peer in (*peers, peers[0]):
        bench.send(peer, b"x")
    flows = [given[2] for given in await bench.edge.core.had(4)]
    assert flows[0] == flows[3]
    assert flows[0] is not flows[3]
    for peer in peers:
        peer.close()


async def test_a_flow_of_an_address_that_is_no_longer_ours_fails(edge: Edge, nursery: trio.Nursery) -> None:
    nursery.start_soon(edge.shell.clock.run)
    flow = Flow("UDP", "192.0.2.1", 5060, "127.0.0.1", 6000)
    datagrams = Datagrams(edge.shell)
    datagrams.send(b"x", flow)
    datagrams.flush()
    assert await edge.core.had(1) == [("flow_failed", flow)]


class Refusing:
    """A socket that refuses with some errors before it takes anything."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)
        self.taken: list[bytes] = []

    def sendto(self, data: bytes, _: object) -> int:
        if self.errors:
            raise OSError(self.errors.pop(0), "refused")
        self.taken.append(data)
        return len(data)


def refusing(edge: Edge, *errors: int) -> tuple[Refusing, UdpSocket]:
    sock = Refusing(*errors)
    return sock, UdpSocket(sock, Listener("UDP", "127.0.0.1", 5060), edge.shell)


HERE = Flow("UDP", "127.0.0.1", 5060, "127.0.0.1", 6000)


def test_a_full_send_buffer_is_a_counted_loss(edge: Edge) -> None:
    sock, opened = refusing(edge, errno.EAGAIN)
    opened.send(b"x", HERE)
    assert sock.taken == []
    assert edge.shell.counters == {"udp_full": 1}


def test_the_error_of_an_earlier_datagram_does_not_cost_this_one(edge: Edge) -> None:
    sock, opened = refusing(edge, errno.ECONNREFUSED)
    opened.send(b"x", HERE)
    assert sock.taken == [b"x"]
    assert "udp_refused" not in edge.shell.counters


async def test_what_the_kernel_will_not_send_fails_its_flow(edge: Edge, nursery: trio.Nursery) -> None:
    nursery.start_soon(edge.shell.clock.run)
    _, opened = refusing(edge, *[errno.ENETUNREACH] * 3)
    opened.send(b"x", HERE)
    assert await edge.core.had(1) == [("flow_failed", HERE)]


def test_a_port_in_use_is_said_with_what_to_do(bench: Bench) -> None:
    with pytest.raises(ServerError) as error:
        open_udp(bench.listener)
    host = f"[{bench.listener.host}]" if ":" in bench.listener.host else bench.listener.host
    assert str(error.value) == (
        f"cannot listen on udp:{host}:{bench.listener.port}: Address already in use; "
        "another program has this port: end it, or listen elsewhere with --listen, or `listen` in the settings file"
    )


def test_an_address_of_another_machine_is_said_with_what_to_do() -> None:
    with pytest.raises(ServerError, match="this machine has no such address"):
        open_udp(Listener("UDP", "192.0.2.1", 5060))


def test_drops_are_counted_by_the_kernel(bench: Bench) -> None:
    bench.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with bench.peer(bench.listener.host) as peer:
        for _ in range(50):
            bench.send(peer, b"x" * 1000)
    assert bench.datagrams.dropped() >= 40
