"""Real queries to a name server of ours on loopback."""

from __future__ import annotations

from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest
import trio

from b2bua.io import dns_queries
from b2bua.io.dns_queries import Dns, Naptr, NoAnswerError, NoSuchNameError, Records, Srv


class NameServer:
    """Answers from a table of zone file lines by (name, type); a name that is in no key does not exist."""

    def __init__(self, sock: trio.socket.SocketType) -> None:
        self.socket = sock
        self.port: int = sock.getsockname()[1]
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.silent = False

    async def run(self) -> None:
        with self.socket:
            while True:
                data, peer = await self.socket.recvfrom(4096)
                if not self.silent:
                    await self.socket.sendto(self.answer(data), peer)

    def answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        if records := self.zone.get((name, kind)):
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *records))
        elif name not in {known for known, _ in self.zone}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


@pytest.fixture
async def server(nursery: trio.Nursery) -> NameServer:
    sock = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await sock.bind(("127.0.0.1", 0))
    server = NameServer(sock)
    nursery.start_soon(server.run)
    return server


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    return configure(tmp_path / "resolv.conf")


def configure(path: Path) -> Path:
    path.write_text("nameserver 127.0.0.1\n")
    return path


@pytest.fixture
def queries(server: NameServer, configuration: Path) -> Dns:
    return Dns(configuration, server.port)


async def test_each_kind_of_record_comes_as_a_plain_value(server: NameServer, queries: Dns) -> None:
    server.zone = {
        ("carrier.example.", "NAPTR"): ['10 20 "s" "SIP+D2U" "" _sip._udp.Carrier.example.'],
        ("_sip._udp.carrier.example.", "SRV"): ["1 2 5060 gw.carrier.example."],
        ("gw.carrier.example.", "A"): ["192.0.2.1", "192.0.2.2"],
        ("gw.carrier.example.", "AAAA"): ["2001:db8::1"],
    }
    naptr = await queries.naptr("carrier.example")
    assert naptr == Records((Naptr(10, 20, "s", "SIP+D2U", "_sip._udp.carrier.example"),), 60)
    srv = await queries.srv("_sip._udp.carrier.example")
    assert srv == Records((Srv(1, 2, 5060, "gw.carrier.example"),), 60)
    assert sorted((await queries.addresses("gw.carrier.example", six=False)).values) == ["192.0.2.1", "192.0.2.2"]
    assert (await queries.addresses("gw.carrier.example", six=True)).values == ("2001:db8::1",)


async def test_a_service_that_is_denied_has_no_servers(server: NameServer, queries: Dns) -> None:
    server.zone = {("_sip._udp.carrier.example.", "SRV"): ["0 0 0 ."]}
    assert (await queries.srv("_sip._udp.carrier.example")).values == ()


async def test_a_name_may_have_none_of_a_kind(server: NameServer, queries: Dns) -> None:
    server.zone = {("gw.example.", "A"): ["192.0.2.1"]}
    assert (await queries.addresses("gw.example", six=True)).values == ()


async def test_a_name_that_does_not_exist_is_told_from_one_that_nobody_answers_for(
    server: NameServer, queries: Dns, configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoSuchNameError, match=r"^nobody\.example: no such name$"):
        await queries.addresses("nobody.example", six=False)
    server.silent = True
    monkeypatch.setattr(dns_queries, "QUERY_SECONDS", 0.02)
    with pytest.raises(NoAnswerError, match=r"^nobody\.example: no name server answers$"):
        await Dns(configuration, server.port).addresses("nobody.example", six=False)


async def test_what_is_no_name_is_no_accident(server: NameServer, queries: Dns) -> None:
    for name in ("a" * 64, "..", "x" * 300, "\udce4.example"):
        with pytest.raises(NoAnswerError):
            await queries.addresses(name, six=False)


async def test_the_configuration_is_read_again_when_it_changes(server: NameServer, tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    queries = Dns(path, server.port)
    with pytest.raises(NoAnswerError, match="no name servers are configured in"):
        await queries.addresses("gw.example", six=False)
    configure(path)
    server.zone = {("gw.example.", "A"): ["192.0.2.1"]}
    assert (await queries.addresses("gw.example", six=False)).values == ("192.0.2.1",)
