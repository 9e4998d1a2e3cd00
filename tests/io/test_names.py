"""Where a name leads: the hosts file, NAPTR, SRV and addresses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from b2bua.effects import Failed, Found, Resolve, Target, Transport
from b2bua.io.dns_queries import Naptr, NoAnswerError, NoSuchNameError, Records, Srv
from b2bua.io.hosts import Hosts
from b2bua.io.location import Locator
from b2bua.io.resolver import Resolver
from b2bua.names.targets import ordered

from .edge import Edge

Value = TypeVar("Value")
BOTH: frozenset[tuple[Transport, bool]] = frozenset({("UDP", False), ("TCP", False), ("TLS", False), ("UDP", True)})


class Zone:
    """DNS as a table. What is missing does not exist; `dead` answers nothing, and `mute` is a kind of question that it
    leaves unanswered; `asked` notes the queries.
    """

    def __init__(self) -> None:
        self.services: dict[str, list[Naptr]] = {}
        self.servers: dict[str, list[Srv]] = {}
        self.hosts: dict[str, list[str]] = {}
        self.life = 300.0
        self.dead = False
        self.mute = ""
        self.asked: list[str] = []

    async def naptr(self, name: str) -> Records[Naptr]:
        return await self._answer("NAPTR", name, self.services.get(name))

    async def srv(self, name: str) -> Records[Srv]:
        return await self._answer("SRV", name, self.servers.get(name))

    async def addresses(self, name: str, six: bool) -> Records[str]:
        hosts = self.hosts.get(name)
        found = None if hosts is None else [host for host in hosts if (":" in host) == six]
        return await self._answer("AAAA" if six else "A", name, found)

    async def _answer(self, kind: str, name: str, found: list[Value] | None) -> Records[Value]:
        self.asked.append(f"{kind} {name}")
        await trio.sleep(0.1)
        if self.dead or kind == self.mute:
            raise NoAnswerError(f"{name}: no name server answers")
        if found is None:
            raise NoSuchNameError(f"{name}: no such name", 33.0)
        return Records(tuple(found), self.life)


class Bench:
    """A resolver on an edge, with a zone and a hosts file of its own."""

    def __init__(self, edge: Edge, folder: Path) -> None:
        self.edge = edge
        self.zone = Zone()
        self.hosts = folder / "hosts"
        self.resolver = Resolver(edge.shell, Locator(BOTH, self.zone, Hosts(self.hosts)))
        self.last = 0

    async def answer(
        self, host: str, port: int | None = None, transport: Transport | None = None, secure: bool = False
    ) -> Found | Failed:
        self.last += 1
        self.resolver.ask(Resolve(self.last, host, port, transport, secure))
        inputs = await self.edge.core.had(self.last)
        name, id, answer = inputs[-1]
        assert (name, id) == ("answered", self.last)
        assert isinstance(answer, Found | Failed)
        return answer

    async def ask(
        self, host: str, port: int | None = None, transport: Transport | None = None, secure: bool = False
    ) -> list[str] | str:
        """The addresses in the order in which they are to be tried, or why there are none."""
        answer = await self.answer(host, port, transport, secure)
        if isinstance(answer, Failed) or not answer.targets:
            return answer.reason
        addresses = ordered(answer.targets, lambda: 0.5)
        return [" ".join(filter(None, (at.transport, at.host, str(at.port), at.name))) for at in addresses]


@pytest.fixture
async def bench(edge: Edge, tmp_path: Path, nursery: trio.Nursery) -> Bench:
    bench = Bench(edge, tmp_path)
    nursery.start_soon(bench.resolver.run)
    nursery.start_soon(edge.shell.clock.run)
    await wait_all_tasks_blocked()
    return bench


def found(*places: str) -> list[str]:
    return list(places)


async def test_an_address_stands_for_itself(bench: Bench, autojump_clock: MockClock) -> None:
    assert await bench.ask("192.0.2.1") == found("UDP 192.0.2.1 5060")
    assert await bench.ask("2001:DB8::1", 5070, "UDP") == found("UDP 2001:db8::1 5070")
    assert bench.zone.asked == []


async def test_the_hosts_file_comes_before_dns_and_is_read_again(bench: Bench, autojump_clock: MockClock) -> None:
    bench.hosts.write_text("127.0.0.2  gw.example  gw # the gateway\nnonsense gw.example\n::2 GW.example\n")
    assert await bench.ask("gw.example", None, "TCP") == found("TCP 127.0.0.2 5060")
    assert await bench.ask("gw.example") == found("UDP 127.0.0.2 5060", "UDP ::2 5060")
    bench.hosts.write_text("127.0.0.30 gw.example\n")
    os.utime(bench.hosts, ns=(1, 1))
    assert await bench.ask("gw.example", 5070) == found("UDP 127.0.0.30 5070")
    assert bench.zone.asked == []


async def test_localhost_needs_no_file(bench: Bench, autojump_clock: MockClock) -> None:
    assert await bench.ask("localhost") == found("UDP 127.0.0.1 5060", "UDP ::1 5060")


async def test_a_port_asks_for_addresses_only(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1", "2001:db8::1"]
    assert await bench.ask("gw.example", 5080) == found("UDP 192.0.2.1 5080", "UDP 2001:db8::1 5080")
    assert await bench.ask("gw.example", 5080, "TCP") == found("TCP 192.0.2.1 5080")
    assert {query.split()[0] for query in bench.zone.asked} == {"A", "AAAA"}


async def test_srv_gives_servers_by_priority_udp_first(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.servers["_sip._udp.carrier.example"] = [Srv(20, 0, 5061, "b.example"), Srv(10, 0, 5060, "a.example")]
    bench.zone.servers["_sip._tcp.carrier.example"] = [Srv(5, 0, 5062, "a.example")]
    bench.zone.hosts |= {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]}
    everything = found("UDP 192.0.2.1 5060", "UDP 192.0.2.2 5061", "TCP 192.0.2.1 5062")
    assert await bench.ask("carrier.example") == everything
    assert await bench.ask("carrier.example", None, "TCP") == found("TCP 192.0.2.1 5062")


async def test_naptr_says_which_service_is_preferred(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.services["carrier.example"] = [
        Naptr(20, 10, "s", "SIP+D2U", "_sip._udp.elsewhere.example"),
        Naptr(10, 10, "s", "SIP+D2T", "_sip._tcp.carrier.example"),
        Naptr(1, 10, "s", "SIP+D2S", "_sip._sctp.carrier.example"),
    ]
    bench.zone.servers["_sip._udp.elsewhere.example"] = [Srv(1, 0, 5060, "a.example")]
    bench.zone.servers["_sip._tcp.carrier.example"] = [Srv(1, 0, 5060, "a.example")]
    bench.zone.hosts["a.example"] = ["192.0.2.1"]
    assert await bench.ask("carrier.example") == found("TCP 192.0.2.1 5060", "UDP 192.0.2.1 5060")


async def test_a_server_that_cannot_be_found_is_left_out(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.servers["_sip._udp.carrier.example"] = [Srv(1, 0, 5060, "gone.example"), Srv(2, 0, 5060, "a.example")]
    bench.zone.hosts["a.example"] = ["192.0.2.1"]
    assert await bench.ask("carrier.example") == found("UDP 192.0.2.1 5060")
    del bench.zone.hosts["a.example"]
    assert await bench.ask("carrier.example", None, "UDP") == "gone.example: no such name"


async def test_a_name_without_srv_is_a_host(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    assert await bench.ask("gw.example") == found("UDP 192.0.2.1 5060")


async def test_addresses_that_no_socket_reaches_are_left_out(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["six.example"] = ["2001:db8::1"]
    assert await bench.ask("six.example", 5060, "TCP") == []


async def test_a_sips_uri_has_servers_of_tls_alone(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.servers["_sip._udp.carrier.example"] = [Srv(1, 0, 5060, "a.example")]
    bench.zone.servers["_sips._tcp.carrier.example"] = [Srv(1, 0, 5071, "b.example")]
    bench.zone.hosts |= {"a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"]}
    # RFC 5922 7.3: the certificate is for the name that was asked for, not for the server's
    secure = found("TLS 192.0.2.2 5071 carrier.example")
    assert await bench.ask("carrier.example", None, None, secure=True) == secure
    assert await bench.ask("carrier.example", None, "TLS") == secure
    assert await bench.ask("carrier.example") == found("UDP 192.0.2.1 5060")
    bench.zone.services["carrier.example"] = [
        Naptr(10, 10, "s", "SIP+D2U", "_sip._udp.carrier.example"),
        Naptr(20, 10, "s", "SIPS+D2T", "_sips._tcp.carrier.example"),
    ]
    assert await bench.ask("carrier.example", None, None, secure=True) == secure
    # 4.1: a SIP URI takes what NAPTR offers, TLS included
    assert await bench.ask("carrier.example") == found("UDP 192.0.2.1 5060", *secure)


async def test_sips_without_srv_is_tls_at_its_port(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    assert await bench.ask("gw.example", None, None, secure=True) == found("TLS 192.0.2.1 5061 gw.example")
    assert await bench.ask("gw.example", 5070, None, secure=True) == found("TLS 192.0.2.1 5070 gw.example")
    assert await bench.ask("gw.example", None, "TLS") == found("TLS 192.0.2.1 5061 gw.example")


async def test_an_answer_has_the_shortest_life_of_what_it_is_made_of(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.servers["_sip._udp.carrier.example"] = [Srv(1, 0, 5060, "a.example")]
    bench.zone.hosts["a.example"] = ["192.0.2.1"]
    bench.zone.life = 70.0
    answer = await bench.answer("carrier.example")
    assert isinstance(answer, Found)
    assert answer.life == 70.0


async def test_services_without_an_answer_leave_a_doubt(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    bench.zone.mute = "SRV"
    answer = await bench.answer("gw.example")
    assert isinstance(answer, Found)
    assert answer.doubtful
    assert [target.addresses[0].host for target in answer.targets] == ["192.0.2.1"]
    # Whether there is such a name cannot be told without them.
    assert await bench.answer("carrier.example") == Failed("carrier.example: no answer about its services")
    # A port asks for no services, and a service that is found needs no other.
    answer = await bench.answer("gw.example", 5060)
    assert isinstance(answer, Found)
    assert not answer.doubtful


async def test_a_name_that_is_denied_is_no_failure(bench: Bench, autojump_clock: MockClock) -> None:
    assert await bench.answer("gw.example", 5060) == Found((), 33.0, "gw.example: no such name")
    bench.zone.dead = True
    assert await bench.answer("gw.example", 5060) == Failed("gw.example: no name server answers")


def test_a_question_without_reach_has_no_services() -> None:
    locator = Locator(frozenset(), Zone(), Hosts(Path("/nonexistent")))
    assert locator.local(Resolve(1, "192.0.2.1", None, None)) == Found((Target(0, 0, 0, ()),), 1.0)
