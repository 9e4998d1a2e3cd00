"""TLS over loopback: who is believed by which name, which connection serves whom, and what a handshake may cost."""

from __future__ import annotations

import shutil
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from b2bua.effects import Flow
from b2bua.io import arriving
from b2bua.io.listening import open_listener
from b2bua.io.streams import Streams
from b2bua.io.tls import Tls
from b2bua.settings import Certificate, Listener
from b2bua.settings import Tls as Settings
from tests.authority import Authority

from .edge import Edge, request
from .patience import in_time
from .test_streams import free_port
from .tls_peer import Gateway

HOST = "127.0.0.1"
ALIAS = request().replace(b"TCP 127.0.0.1;", b"TLS 127.0.0.1:5999;alias;")


class Bench:
    """A listening address on an edge, with the files that it reads."""

    def __init__(self, edge: Edge, authority: Authority, nursery: trio.Nursery) -> None:
        self.edge = edge
        self.authority = authority
        self.own = authority.pair("sip.example")
        self.listener = Listener("TLS", HOST, free_port(HOST))
        self._nursery = nursery

    async def begin(self, **settings: Any) -> None:
        """Listen, with more settings than the certificate and the authority."""
        chosen = {"certificate": self.own.certificate, "key": self.own.key, "ca": self.authority.file} | settings
        self.tls = Tls(Settings(**chosen), time.time())
        self.socket = open_listener(self.listener)
        self.streams = Streams(self.edge.shell, 60.0, self.tls)
        self.streams.add(self.socket, self.listener)
        self.edge.connect(streams=self.streams)
        self._nursery.start_soon(self.streams.run)
        self._nursery.start_soon(self.edge.shell.clock.run)
        await wait_all_tasks_blocked()

    async def connected(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(HOST, self.listener.port)

    async def secured(
        self, pair: Certificate | None = None, name: str = "sip.example"
    ) -> trio.SSLStream[trio.SocketStream]:
        """A peer of ours that has connected by TLS."""
        context = self.authority.client(pair)
        stream = trio.SSLStream(await self.connected(), context, server_hostname=name, https_compatible=True)
        with in_time():
            await stream.do_handshake()
        return stream

    def to(self, port: int, name: str, connection: int = 0) -> Flow:
        return Flow("TLS", HOST, self.listener.port, HOST, port, connection, name)

    async def failed(self, flow: Flow) -> str:
        """Why nothing goes by a flow."""
        assert await self.edge.core.had(1) == [("flow_failed", flow)]
        (why,) = [entry["why"] for entry in self.edge.logged.entries if entry["event"] == "connection failed"]
        assert self.edge.core.whys == [why]
        return str(why)


@pytest.fixture
async def bench(edge: Edge, tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Bench]:
    bench = Bench(edge, Authority(tmp_path), nursery)
    yield bench
    if hasattr(bench, "socket"):
        bench.socket.close()


async def test_a_message_comes_by_a_numbered_flow_and_is_answered_by_it(bench: Bench) -> None:
    await bench.begin()
    async with await bench.secured() as peer:
        await peer.send_all(request())
        ((_, data, flow),) = await bench.edge.core.had(1)
        assert data == request()
        port = peer.transport_stream.socket.getsockname()[1]
        assert flow == Flow("TLS", HOST, bench.listener.port, HOST, port, flow.connection)
        bench.streams.send(b"answer", flow)
        assert await peer.receive_some() == b"answer"
        bench.streams.close(flow)
        assert await peer.receive_some() == b""
    assert (await bench.edge.core.had(2))[1] == ("flow_failed", flow)


async def test_a_gateway_that_proves_its_name_gets_our_messages(bench: Bench) -> None:
    await bench.begin()
    gateway = Gateway(bench.authority.pair("gw.example"))
    flow = bench.to(gateway.port, "gw.example")
    bench.streams.send(b"one ", flow)
    bench.streams.send(b"two", flow)
    async with await gateway.accept() as taken:
        got = b""
        while len(got) < 7:
            got += await taken.receive_some()
        assert got == b"one two"
        assert gateway.asked == ["gw.example"]
        await taken.send_all(request())
        ((_, _, back),) = await bench.edge.core.had(1)
        assert back == bench.to(gateway.port, "gw.example", back.connection)
        bench.streams.send(b"three", flow)
        assert await taken.receive_some() == b"three"
        assert len(bench.streams) == 1
    assert {given[1] for given in (await bench.edge.core.had(3))[1:]} == {flow, back}
    gateway.socket.close()


@pytest.mark.parametrize(
    ("names", "days", "why"),
    [
        (("other.example",), 365, "its certificate is for other.example, not for gw.example (RFC 5922 7.3)"),
        (("*.example",), 365, "its certificate is for *.example, not for gw.example (RFC 5922 7.3)"),
        (("127.0.0.1",), 365, "its certificate is for 127.0.0.1, not for gw.example (RFC 5922 7.3)"),
        (("gw.example",), -1, "its certificate is not believed: certificate has expired"),
    ],
)
async def test_a_gateway_that_does_not_is_not_called(
    bench: Bench, names: tuple[str, ...], days: float, why: str
) -> None:
    await bench.begin()
    gateway = Gateway(bench.authority.pair(*names, days=days))
    flow = bench.to(gateway.port, "gw.example")
    bench.streams.send(b"x", flow)
    await gateway.refused()
    assert await bench.failed(flow) == why
    assert len(bench.streams) == 0
    assert bench.edge.shell.counters["handshakes_failed"] == 1
    gateway.socket.close()


async def test_a_stranger_s_certificate_proves_nothing(bench: Bench, tmp_path: Path) -> None:
    await bench.begin()
    gateway = Gateway(Authority(tmp_path / "else").pair("gw.example"))
    flow = bench.to(gateway.port, "gw.example")
    bench.streams.send(b"x", flow)
    await gateway.refused()
    assert (await bench.failed(flow)).startswith("its certificate is not believed: ")
    gateway.socket.close()


async def test_a_host_may_be_let_off_its_proof_but_no_other(bench: Bench, tmp_path: Path) -> None:
    await bench.begin(unverified=("gw.example",))
    gateway = Gateway(Authority(tmp_path / "else").pair("whoever.example"))
    bench.streams.send(b"x", bench.to(gateway.port, "GW.example"))
    async with await gateway.accept() as taken:
        assert await taken.receive_some() == b"x"
        other = bench.to(gateway.port, "other.example")
        bench.streams.send(b"y", other)
        await gateway.refused()
        assert (await bench.failed(other)).startswith("its certificate is not believed: ")
    gateway.socket.close()


async def test_an_address_that_was_dialled_is_proved_by_an_address(bench: Bench) -> None:
    await bench.begin()
    gateway = Gateway(bench.authority.pair("gw.example", HOST))
    bench.streams.send(b"x", bench.to(gateway.port, HOST))
    async with await gateway.accept() as taken:
        assert await taken.receive_some() == b"x"
    gateway.socket.close()


@pytest.mark.parametrize("name", [".example", "a" * 300])
async def test_a_name_that_nobody_can_have_is_said(bench: Bench, name: str) -> None:
    await bench.begin()
    gateway = Gateway(bench.authority.pair("gw.example"))
    flow = bench.to(gateway.port, name)
    bench.streams.send(b"x", flow)
    assert await bench.failed(flow) == f"{name} is no name that can be asked for"
    gateway.socket.close()


async def test_a_connection_serves_the_names_that_it_has_proved(bench: Bench) -> None:
    await bench.begin()
    gateway = Gateway(bench.authority.pair("one.example", "two.example"))
    one, two, three = (bench.to(gateway.port, f"{name}.example") for name in ("one", "two", "three"))
    bench.streams.send(b"1", one)
    async with await gateway.accept() as taken:
        assert await taken.receive_some() == b"1"
        bench.streams.send(b"2", two)
        assert await taken.receive_some() == b"2"
        assert len(bench.streams) == 1
        bench.streams.send(b"3", three)
        await gateway.refused()
        assert await bench.failed(three) == (
            "its certificate is for one.example, two.example, not for three.example (RFC 5922 7.3)"
        )
    assert {given[1] for given in (await bench.edge.core.had(4))[1:]} >= {one, two}
    gateway.socket.close()


async def test_what_is_no_tls_is_said(bench: Bench) -> None:
    await bench.begin()
    async with await bench.connected() as peer:
        await peer.send_all(request())
        while await peer.receive_some():
            pass
    (entry,) = bench.edge.logged.entries
    assert (entry["event"], entry["remote"]) == ("TLS handshake failed", HOST)
    assert entry["why"] in ("wrong version number", "http request", "unsupported protocol")
    assert bench.edge.shell.counters["handshakes_failed"] == 1


async def test_a_handshake_that_does_not_go_on_is_given_up(bench: Bench) -> None:
    await bench.begin(handshake=0.05)
    async with await bench.connected() as peer:
        with in_time():
            assert await peer.receive_some() == b""
    (entry,) = bench.edge.logged.entries
    assert entry["why"] == "no handshake within 0.05 s"
    assert len(bench.streams) == 0


async def test_an_address_may_have_so_many_handshakes_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "HANDSHAKES_OF_AN_ADDRESS", 1)
    await bench.begin()
    async with await bench.connected():
        await wait_all_tasks_blocked()
        async with await bench.connected() as second:
            with in_time():
                assert await second.receive_some() == b""
    assert bench.edge.shell.counters["handshakes_refused"] == 1


async def test_lines_about_failed_handshakes_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "LOGGED_A_MINUTE", 2)
    await bench.begin()
    for _ in range(4):
        async with await bench.connected() as peer:
            await peer.send_all(b"GET / HTTP/1.0\r\n\r\n")
            while await peer.receive_some():
                pass
    assert 2 <= len(bench.edge.logged.entries) <= 4
    assert bench.edge.shell.counters["handshakes_failed"] == 4


@pytest.mark.parametrize(
    ("name", "shown"),
    [("sip.example", 0), ("two.example", 1), ("TWO.example", 1), ("a.three.example", 2), ("unheard.example", 0)],
)
async def test_the_name_that_is_asked_for_chooses_the_certificate(bench: Bench, name: str, shown: int) -> None:
    others = bench.authority.pair("two.example"), bench.authority.pair("*.three.example")
    await bench.begin(certificates=others)
    async with await bench.secured(name=name) as peer:
        certificate = peer.getpeercert()
    assert certificate is not None
    assert certificate["subjectAltName"] == ((("DNS", bench.tls.contexts.shown[shown].names[0])),)


async def test_an_old_version_of_tls_is_refused(bench: Bench) -> None:
    await bench.begin(minimum="1.3")
    context = bench.authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    stream = trio.SSLStream(await bench.connected(), context, server_hostname="sip.example", https_compatible=True)
    with pytest.raises(trio.BrokenResourceError):
        await stream.do_handshake()
    await trio.aclose_forcefully(stream)


async def test_a_client_without_a_certificate_is_refused_where_one_is_required(bench: Bench) -> None:
    await bench.begin(client_ca=bench.authority.file, require_client=True)
    async with await bench.secured() as peer:
        assert await peer.receive_some() == b""
    assert bench.edge.shell.counters["handshakes_failed"] == 1


async def test_a_client_whose_authority_is_another_is_refused(bench: Bench, tmp_path: Path) -> None:
    await bench.begin(client_ca=bench.authority.file)
    stranger = Authority(tmp_path / "else").pair("gw.example")
    async with await bench.secured(stranger) as peer:
        assert await peer.receive_some() == b""
    (entry,) = bench.edge.logged.entries
    assert str(entry["why"]).startswith("its certificate is not believed: ")


async def test_we_prove_who_we_are_to_a_gateway_that_asks(bench: Bench, tmp_path: Path) -> None:
    ours = Authority(tmp_path / "carrier")
    shown = ours.pair("us.example")
    await bench.begin(client_certificate=shown.certificate, client_key=shown.key)
    gateway = Gateway(bench.authority.pair("gw.example"), clients=ours.file)
    bench.streams.send(b"x", bench.to(gateway.port, "gw.example"))
    async with await gateway.accept() as taken:
        assert await taken.receive_some() == b"x"
        certificate = taken.getpeercert()
        assert certificate is not None
        assert certificate["subjectAltName"] == (("DNS", "us.example"),)
    gateway.socket.close()


async def test_a_gateway_that_refuses_our_certificate_is_heard(bench: Bench, tmp_path: Path) -> None:
    await bench.begin()
    gateway = Gateway(bench.authority.pair("gw.example"), clients=Authority(tmp_path / "else").file)
    flow = bench.to(gateway.port, "gw.example")
    bench.streams.send(b"x", flow)
    await trio.to_thread.run_sync(gateway.refuse_aloud)
    assert ("flow_failed", flow) in await bench.edge.core.had(2)
    assert [(entry["event"], entry["why"]) for entry in bench.edge.logged.entries] == [
        ("TLS broken", "tlsv1 alert unknown ca")
    ]
    gateway.socket.close()


async def test_a_peer_with_a_proof_takes_requests_by_the_connection_that_it_opened(bench: Bench) -> None:
    await bench.begin(client_ca=bench.authority.file)
    async with await bench.secured(bench.authority.pair("gw.example")) as peer:
        await peer.send_all(ALIAS)
        await bench.edge.core.had(1)
        bench.streams.send(b"hello", bench.to(5999, "gw.example"))
        assert await peer.receive_some() == b"hello"
        other = bench.to(5999, "other.example")
        bench.streams.send(b"not for you", other)
        assert (await bench.edge.core.had(2))[1] == ("flow_failed", other)
    assert ("flow_failed", bench.to(5999, "gw.example")) in await bench.edge.core.had(4)
    gone = bench.to(5999, "gw.example")
    bench.streams.send(b"gone", gone)
    assert (await bench.edge.core.had(5))[4] == ("flow_failed", gone)


@pytest.mark.parametrize(("proof", "first"), [(False, ALIAS), (True, request())])
async def test_without_proof_or_offer_it_takes_none(bench: Bench, proof: bool, first: bytes) -> None:
    await bench.begin(client_ca=bench.authority.file)
    async with await bench.secured(bench.authority.pair("gw.example") if proof else None) as peer:
        await peer.send_all(first)
        await bench.edge.core.had(1)
        flow = bench.to(5999, "gw.example")
        bench.streams.send(b"hello", flow)
        assert (await bench.edge.core.had(2))[1] == ("flow_failed", flow)


async def test_two_servers_share_one_connection_both_ways(bench: Bench, nursery: trio.Nursery) -> None:
    other = Bench(Edge(), bench.authority, nursery)
    await bench.begin()
    await other.begin(client_ca=bench.authority.file)
    there = bench.to(other.listener.port, "sip.example")
    back = Flow("TLS", HOST, other.listener.port, HOST, bench.listener.port, 0, "sip.example")
    bench.streams.send(ALIAS.replace(b":5999", b":%d" % bench.listener.port), there)
    await other.edge.core.had(1)
    other.streams.send(request(), back)
    ((_, data, flow),) = await bench.edge.core.had(1)
    assert data == request()
    assert flow == bench.to(other.listener.port, "sip.example", flow.connection)
    assert (len(bench.streams), len(other.streams)) == (1, 1)
    other.socket.close()


async def test_new_connections_use_what_was_read_last(bench: Bench) -> None:
    await bench.begin()
    async with await bench.secured() as before:
        renewed = bench.authority.pair("sip.example", "new.example")
        shutil.copy(renewed.certificate, bench.own.certificate)
        shutil.copy(renewed.key, bench.own.key)
        bench.tls.read(time.time())
        async with await bench.secured() as after:
            certificate = after.getpeercert()
            assert certificate is not None
            assert certificate["subjectAltName"] == (("DNS", "sip.example"), ("DNS", "new.example"))
        await before.send_all(request())
        await bench.edge.core.had(1)
