"""Names (RFC 3263) by a real name server: which gateway is tried, which next, and what goes on without it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from .conftest import HERE
from .lab import Lab
from .message import Address
from .peer import Peer
from .ports import block
from .server import Server
from .sipp import OCCUPIED, Sipp
from .unbound import Unbound

ZONE = "carrier.test"
HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
T1 = 0.1

POLICY = """\
policy   "names"
domain   lab.example
timezone "UTC" country +49
users    staff from "users.yaml"
trunk carrier {{ uri "sip:carrier.test" number as-dialed }}
trunk secure  {{ uri "sip:carrier.test;transport=tcp" number as-dialed }}
trunk near    {{ uri "sip:127.0.0.2:{port}" number as-dialed }}
on register {{ otherwise -> reject 403 }}
on call {{
  when not authenticated -> challenge
  when dialed == "near"    -> dial "4930901820" via near for 20s
  when dialed == "by-tcp"  -> dial "4930901820" via secure for 20s
  when dialed == "unknown" -> dial "sip:x@slow.test" for 20s
  otherwise                -> dial "4930901820" via carrier for 20s
}}
"""


class Bench:
    """A server that asks a name server of ours, and gateways on three loopback addresses at the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = block(OCCUPIED, HOSTS[0])
        self._stack = ExitStack()
        self.lab: Lab

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def names(self, records: Sequence[str], address: Address | None = None) -> Unbound:
        """A name server with these records; `{port}` in them is the gateways'."""
        lines = [record.format(port=self.port) for record in records]
        return self._stack.enter_context(Unbound(ZONE, lines, self.folder / f"dns-{time.monotonic()}", address=address))

    def serve(self, *name_servers: Address) -> Server:
        """The server, started."""
        folder = self.folder / "policy"
        folder.mkdir()
        (folder / "users.yaml").write_bytes((HERE / "policies" / "users.yaml").read_bytes())
        route = folder / "names.route"
        route.write_text(POLICY.format(port=self.port), encoding="utf-8")
        servers = ", ".join(f"{at.host}:{at.port}" for at in name_servers)
        settings = f"timers: {{t1: {T1}}}\nname_servers: [{servers}]\n"
        server = self._stack.enter_context(Server(route, self.folder, settings=settings))
        self.lab = self._stack.enter_context(Lab(server, self.folder))
        return server

    def gateway(self, host: str, scenario: str = "answer", *, transport: str = "u1", **values: object) -> Sipp:
        """A gateway for as many calls as come."""
        return self._stack.enter_context(
            Sipp(scenario, self.folder, host=host, port=self.port, transport=transport, calls=200, values=values)
        )

    def mute(self, host: str) -> Peer:
        """A gateway that takes what comes and says nothing."""
        return self._stack.enter_context(Peer(host, self.port))

    def call(self, dial: str = "out", calls: int = 1, rate: int = 100) -> float:
        """Call and be answered; how many seconds it took."""
        began = time.monotonic()
        self.lab.caller("call", "alice", dial, calls=calls, rate=rate).wait()
        return time.monotonic() - began


def counters(server: Server) -> dict[str, int]:
    """What the server has counted."""
    status = server.show("status")
    assert isinstance(status, dict)
    counted: dict[str, int] = status["counters"]
    return counted


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as bench:
        yield bench


WEIGHED = (
    '@ 60 IN NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.carrier.test.',
    '@ 60 IN NAPTR 20 10 "s" "SIP+D2T" "" _sip._tcp.carrier.test.',
    "_sip._udp 60 IN SRV 10 75 {port} gw1.carrier.test.",
    "_sip._udp 60 IN SRV 10 25 {port} gw2.carrier.test.",
    "_sip._udp 60 IN SRV 20 0 {port} gw3.carrier.test.",
    "_sip._tcp 60 IN SRV 10 0 {port} gw3.carrier.test.",
    "gw1 60 IN A 127.0.0.2",
    "gw2 60 IN A 127.0.0.3",
    "gw3 60 IN A 127.0.0.4",
    "gw3 60 IN AAAA ::1",
)
ORDERED = (
    "_sip._udp {life} IN SRV 10 0 {{port}} gw1.carrier.test.",
    "_sip._udp {life} IN SRV 20 0 {{port}} gw2.carrier.test.",
    "gw1 {life} IN A 127.0.0.2",
    "gw2 {life} IN A 127.0.0.3",
)


def ordered(life: int) -> list[str]:
    """Two gateways, the first one to be preferred."""
    return [record.format(life=life) for record in ORDERED]


def test_w01_calls_are_spread_as_the_weights_say(bench: Bench) -> None:
    names = bench.names(WEIGHED)
    gateways = [bench.gateway(host) for host in HOSTS]
    bench.serve(names.address)
    bench.call(calls=60, rate=30)
    first, second, third = (len(gateway.received("INVITE ")) for gateway in gateways)
    assert first + second == 60
    assert first > second > 2
    assert third == 0
    assert "NAPTR" in names.asked(ZONE)
    # Asked once, for all of them
    assert len(names.asked(f"_sip._udp.{ZONE}")) == 1


def test_w02_the_transport_that_a_uri_names_is_the_one(bench: Bench) -> None:
    names = bench.names(WEIGHED)
    gateway = bench.gateway(HOSTS[2], transport="t1")
    bench.serve(names.address)
    bench.call("by-tcp")
    assert gateway.received("INVITE ")[0].header("Via").startswith("SIP/2.0/TCP")


def test_w03_nobody_there_leads_to_the_next_one(bench: Bench) -> None:
    names = bench.names(ordered(60))
    gateway = bench.gateway(HOSTS[1])
    server = bench.serve(names.address)
    bench.call()
    assert len(gateway.received("INVITE ")) == 1
    status = server.show("status")
    assert isinstance(status, dict)
    assert list(status["names"]["passed over"]) == [f"udp:{HOSTS[0]}:{bench.port}"]
    assert counters(server)["failovers"] == 1
    # The second call does not try the first one again.
    bench.call()
    assert counters(server)["failovers"] == 1


def test_w04_a_silent_one_is_left_and_passed_over(bench: Bench) -> None:
    names = bench.names(ordered(60))
    mute, gateway = bench.mute(HOSTS[0]), bench.gateway(HOSTS[1])
    bench.serve(names.address)
    began = time.monotonic()
    bench.call()
    assert time.monotonic() - began > 6 * T1
    silent = mute.receive("INVITE ")
    heard = gateway.received("INVITE ")[0]
    same = ("Call-ID", "CSeq", "From")
    assert [silent.header(name) for name in same] == [heard.header(name) for name in same]
    assert silent.header("Via") != heard.header("Via")
    bench.call()
    assert len({message.header("Call-ID") for message in gateway.received("INVITE ")}) == 2
    # Rings after all: it is cancelled.
    mute.answer(silent, 180)
    assert mute.receive("CANCEL ").header("Call-ID") == silent.header("Call-ID")


def test_w05_503_leads_to_the_next_one(bench: Bench) -> None:
    names = bench.names(ordered(60))
    full = bench.gateway(HOSTS[0], "refuse", status=503)
    gateway = bench.gateway(HOSTS[1])
    bench.serve(names.address)
    bench.call()
    bench.call()
    assert len(full.received("INVITE ")) == 1
    assert len(gateway.received("INVITE ")) == 2


def test_w06_calls_go_on_when_the_name_server_is_gone(bench: Bench) -> None:
    names = bench.names(ordered(1))
    gateway = bench.gateway(HOSTS[0])
    server = bench.serve(names.address)
    bench.call()
    names.program.stop()
    # What is known is over soon; from then on it serves stale.
    took = []

    def served_stale() -> bool:
        took.append(bench.call())
        return counters(server).get("lookups_stale", 0) >= 3

    _until(served_stale, 30.0)
    assert len(gateway.received("INVITE ")) == 1 + len(took)
    # Only one call may have waited, for as long as RFC 8767 lets it.
    assert sorted(took)[-1] < 4.0
    assert sorted(took)[-2] < 1.5


def test_w07_a_name_that_changes_is_followed(bench: Bench) -> None:
    names = bench.names(ordered(1))
    gateways = [bench.gateway(host) for host in HOSTS[:2]]
    bench.serve(names.address)
    bench.call()
    names.program.stop()
    moved = [record.replace("127.0.0.2", "127.0.0.3") for record in ordered(1)]
    bench.names(moved, names.address)

    def arrived() -> bool:
        bench.call()
        return len(gateways[1].received("INVITE ")) > 0

    _until(arrived, 60.0)


def test_w08_slow_dns_delays_no_call_that_needs_none(bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        gateway = bench.gateway(HOSTS[0])
        server = bench.serve(Address(*deaf.getsockname()))
        waiting = bench.lab.caller("call-refused", "alice", "unknown", status=480)
        deaf.recv(4096)
        took = bench.call("near", calls=20, rate=100)
        assert took < 4.0
        assert len(gateway.received("INVITE ")) == 20
        waiting.wait()
        assert counters(server)["lookups_failed"] >= 1


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
