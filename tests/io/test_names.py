"""Where a name leads: the hosts file, SRV and NAPTR, the order of servers, and what is remembered."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from b2bua.effects import Address, Failed, Resolve, Resolved, Transport
from b2bua.io.dns_queries import Naptr, NoAnswerError, NoSuchNameError, Records, Srv
from b2bua.io.hosts import Hosts
from b2bua.io.location import Locator, Question
from b2bua.io.resolver import FAILED_SECONDS, LOOK_UPS, STALE_SECONDS, Resolver
from b2bua.io.targets import MOST_ADDRESSES, Target, ordered

from .edge import Edge

Value = TypeVar("Value")
BOTH: frozenset[tuple[Transport, bool]] = frozenset({("UDP", False), ("TCP", False), ("UDP", True)})


class Zone:
    """DNS as a table. What is missing does not exist; `dead` answers nothing; `asked` notes the queries."""

    def __init__(self) -> None:
        self.services: dict[str, list[Naptr]] = {}
        self.servers: dict[str, list[Srv]] = {}
        self.hosts: dict[str, list[str]] = {}
        self.life = 300.0
        self.dead = False
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
        if self.dead:
            raise NoAnswerError(f"{name}: no name server answers")
        if found is None:
            raise NoSuchNameError(f"{name}: no such name")
        return Records(tuple(found), self.life)


class Bench:
    """A resolver on an edge, with a zone and a hosts file of its own."""

    def __init__(self, edge: Edge, folder: Path) -> None:
        self.edge = edge
        self.zone = Zone()
        self.hosts = folder / "hosts"
        self.resolver = Resolver(edge.shell, Locator(BOTH, self.zone, Hosts(self.hosts)), Random(1).random)
        self.last = 0

    async def ask(self, host: str, port: int | None = None, transport: Transport | None = None) -> Resolved | Failed:
        self.last += 1
        self.resolver.ask(Resolve(self.last, host, port, transport))
        inputs = await self.edge.core.had(self.last)
        name, id, answer = inputs[-1]
        assert (name, id) == ("answered", self.last)
        assert isinstance(answer, Resolved | Failed)
        return answer


@pytest.fixture
async def bench(edge: Edge, tmp_path: Path, nursery: trio.Nursery) -> Bench:
    bench = Bench(edge, tmp_path)
    nursery.start_soon(bench.resolver.run)
    nursery.start_soon(edge.shell.clock.run)
    await wait_all_tasks_blocked()
    return bench


def found(*places: str) -> Resolved:
    """`UDP 192.0.2.1 5060` and the like."""
    words = [place.split() for place in places]
    return Resolved(tuple(Address("UDP" if word[0] == "UDP" else "TCP", word[1], int(word[2])) for word in words))


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
        Naptr(1, 10, "s", "SIPS+D2T", "_sips._tcp.carrier.example"),
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
    assert await bench.ask("carrier.example", None, "UDP") == Failed("gone.example: no such name")


async def test_a_name_without_srv_is_a_host(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    assert await bench.ask("gw.example") == found("UDP 192.0.2.1 5060")


async def test_addresses_that_no_socket_reaches_are_no_answer(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["six.example"] = ["2001:db8::1"]
    answer = await bench.ask("six.example", 5060, "TCP")
    assert answer == Failed("six.example has no address that our listeners can reach")


async def test_many_who_ask_at_once_cause_one_look_up(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    for id in (1, 2, 3):
        bench.resolver.ask(Resolve(id, "gw.example", 5060, None))
    inputs = await bench.edge.core.had(3)
    assert inputs == [("answered", id, found("UDP 192.0.2.1 5060")) for id in (1, 2, 3)]
    assert sorted(bench.zone.asked) == ["A gw.example", "AAAA gw.example"]


async def test_an_answer_is_kept_for_its_life(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    await bench.ask("gw.example", 5060)
    bench.zone.hosts["gw.example"] = ["192.0.2.2"]
    await trio.sleep(bench.zone.life - 1)
    assert await bench.ask("gw.example", 5060) == found("UDP 192.0.2.1 5060")
    await trio.sleep(2)
    assert await bench.ask("gw.example", 5060) == found("UDP 192.0.2.2 5060")


async def test_calls_go_on_while_the_name_servers_are_dead(bench: Bench, autojump_clock: MockClock) -> None:
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    await bench.ask("gw.example", 5060)
    bench.zone.dead = True
    await trio.sleep(STALE_SECONDS)
    assert await bench.ask("gw.example", 5060) == found("UDP 192.0.2.1 5060")
    await trio.sleep(STALE_SECONDS)
    assert await bench.ask("gw.example", 5060) == Failed("gw.example: no name server answers")


async def test_a_failure_is_not_asked_again_at_once(bench: Bench, autojump_clock: MockClock) -> None:
    assert await bench.ask("gw.example", 5060) == Failed("gw.example: no such name")
    bench.zone.hosts["gw.example"] = ["192.0.2.1"]
    assert await bench.ask("gw.example", 5060) == Failed("gw.example: no such name")
    await trio.sleep(FAILED_SECONDS)
    assert await bench.ask("gw.example", 5060) == found("UDP 192.0.2.1 5060")


async def test_look_ups_have_a_bound(bench: Bench, autojump_clock: MockClock) -> None:
    for id in range(LOOK_UPS + 1):
        bench.resolver.ask(Resolve(id, f"host{id}.example", 5060, None))
    inputs = await bench.edge.core.had(1)
    assert inputs[0] == ("answered", LOOK_UPS, Failed("too many names are being looked up"))


def test_weights_come_true_over_many_calls() -> None:
    def server(weight: int) -> Target:
        return Target(0, 1, weight, (Address("UDP", f"192.0.2.{weight}", 5060),))

    draw = Random(7).random
    first = Counter(ordered([server(0), server(10), server(30)], draw)[0].host for _ in range(4000))
    assert 2800 < first["192.0.2.30"] < 3200
    assert first["192.0.2.0"] < 10


def test_each_address_is_tried_once_and_not_endlessly_many() -> None:
    places = tuple(Address("UDP", f"192.0.2.{number}", 5060) for number in range(30))
    answer = ordered([Target(0, 1, 1, places), Target(0, 2, 1, places)], lambda: 0.5)
    assert answer == places[:MOST_ADDRESSES]


def test_a_question_without_reach_has_no_services() -> None:
    locator = Locator(frozenset(), Zone(), Hosts(Path("/nonexistent")))
    assert locator.local(Question("192.0.2.1", None, None)) == Target(0, 0, 0, ())
