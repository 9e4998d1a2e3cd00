"""From a host's name to its servers (RFC 3263 section 4.1 and 4.2).

Owns what is asked of DNS for a name, and in which order its services come. Leaves the order of servers within one
service, and remembering them, to `b2bua.names`.

Deviation: the services of a name (NAPTR) and the usual names of them (SRV) are asked at the same time, not one after
the other (4.1), so that a call waits for two answers and not for three.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import trio

from b2bua.effects import Address, Found, Resolve, Target, Transport
from b2bua.io.dns_queries import Naptr, NoAnswerError, NoSuchNameError, Records, Srv
from b2bua.io.hosts import Hosts
from b2bua.names.known import LONGEST_LIFE

MOST_SERVERS = 16
"""Of those that SRV names, the first so many are looked up."""

_PORTS: dict[Transport, int] = {"UDP": 5060, "TCP": 5060, "TLS": 5061}
_HOSTS_LIFE = 1.0
_SERVICES: dict[str, Transport] = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}
_USUAL: dict[Transport, str] = {"UDP": "_sip._udp", "TCP": "_sip._tcp", "TLS": "_sips._tcp"}

Value = TypeVar("Value")
Asked = Records[Value] | NoSuchNameError | NoAnswerError


class Queries(Protocol):
    """DNS. All raise NoSuchNameError or NoAnswerError."""

    async def naptr(self, name: str) -> Records[Naptr]:
        """The services of a name."""

    async def srv(self, name: str) -> Records[Srv]:
        """The servers of a service."""

    async def addresses(self, name: str, six: bool) -> Records[str]:
        """The addresses of a host, of one family."""


class Locator:
    """Finds servers. `reach` holds the (transport, whether IPv6) pairs for which there is a socket of ours."""

    def __init__(self, reach: frozenset[tuple[Transport, bool]], queries: Queries, hosts: Hosts) -> None:
        self._reach = reach
        self._queries = queries
        self._hosts = hosts

    def local(self, question: Resolve) -> Found | None:
        """What needs no DNS: an IP address, or a name of this machine's."""
        try:
            hosts: Sequence[str] = [str(ipaddress.ip_address(question.host))]
        except ValueError:
            hosts = self._hosts.addresses(question.host)
        return Found((self._host(question, hosts),), _HOSTS_LIFE) if hosts else None

    async def find(self, question: Resolve) -> Found:
        """Ask DNS. Raises NoSuchNameError or NoAnswerError."""
        servers, doubtful = Records[tuple[Transport, Srv]]((), LONGEST_LIFE), False
        if question.port is None:
            servers, doubtful = await self._servers(question)
        if servers.values:
            return await self._located(question, servers)
        try:
            hosts = await self._hosts_of(question.host)
        except NoSuchNameError:
            if doubtful:
                # It may have services all the same.
                raise NoAnswerError(f"{question.host}: no answer about its services") from None
            raise
        return Found((self._host(question, hosts.values),), min(servers.life, hosts.life), doubtful=doubtful)

    def _host(self, question: Resolve, hosts: Sequence[str]) -> Target:
        """A host without SRV: UDP where nothing else is asked, TLS for sips, and their ports."""
        transport = question.transport or ("TLS" if question.secure else "UDP")
        return Target(0, 0, 0, self._places(question, transport, hosts, question.port or _PORTS[transport]))

    def _places(self, question: Resolve, transport: Transport, hosts: Iterable[str], port: int) -> tuple[Address, ...]:
        """A certificate has to be for the name that was asked for, whatever servers it has (RFC 5922 7.3)."""
        name = question.host if transport == "TLS" else ""
        return tuple(Address(transport, host, port, name) for host in hosts if (transport, ":" in host) in self._reach)

    async def _servers(self, question: Resolve) -> tuple[Records[tuple[Transport, Srv]], bool]:
        """What SRV says for the services that we can speak, those that the name prefers first, and whether there was a
        question without an answer.

        A sips URI takes those of TLS alone; for a sip URI they are used where the name offers them (NAPTR).
        """
        speaks = {transport for transport, _ in self._reach}
        usable: list[Transport] = [at for at in _USUAL if at in speaks and (at == "TLS" or not question.secure)]
        asked = usable if question.secure else [at for at in usable if at != "TLS"]
        if question.transport is not None:
            asked = [at for at in usable if at == question.transport]
        names = [(transport, f"{_USUAL[transport]}.{question.host}") for transport in asked]
        naptr: list[Asked[Naptr]] = []
        srv: list[Asked[Srv]] = []
        async with trio.open_nursery() as nursery:
            if question.transport is None:
                nursery.start_soon(_gather, [partial(self._queries.naptr, question.host)], naptr)
            nursery.start_soon(_gather, [partial(self._queries.srv, name) for _, name in names], srv)
        found = dict(zip((name for _, name in names), srv, strict=True))
        names = _preferred(naptr, usable) or names
        others = [name for _, name in names if name not in found]
        more: list[Asked[Srv]] = []
        await _gather([partial(self._queries.srv, name) for name in others], more)
        found.update(zip(others, more, strict=True))
        # Many a name server at home knows no SRV: no answer counts as none, and the address alone will do.
        good = [(transport, found[name]) for transport, name in names]
        values = [
            (transport, record)
            for transport, records in good
            if isinstance(records, Records)
            for record in sorted(records.values)[:MOST_SERVERS]
        ]
        answers = [*naptr, *found.values()]
        return Records(tuple(values), _life(answers)), any(isinstance(answer, NoAnswerError) for answer in answers)

    async def _located(self, question: Resolve, servers: Records[tuple[Transport, Srv]]) -> Found:
        """Where the servers are. Those that cannot be found are left out, unless none can be."""
        names = list(dict.fromkeys(srv.target for _, srv in servers.values))
        found: list[Asked[str]] = []
        await _gather([partial(self._hosts_of, name) for name in names], found)
        hosts = dict(zip(names, found, strict=True))
        services = list(dict.fromkeys(transport for transport, _ in servers.values))
        targets = [
            Target(
                services.index(transport),
                srv.priority,
                srv.weight,
                self._places(question, transport, at.values, srv.port),
            )
            for transport, srv in servers.values
            if isinstance(at := hosts[srv.target], Records)
        ]
        if not targets:
            raise next(answer for answer in found if not isinstance(answer, Records))
        return Found(tuple(targets), min(servers.life, _life(found)))

    async def _hosts_of(self, name: str) -> Records[str]:
        """All addresses of a host in the families that we have, IPv4 first."""
        local = self._hosts.addresses(name)
        if local:
            return Records(local, _HOSTS_LIFE)
        families = sorted({six for _, six in self._reach})
        found: list[Asked[str]] = []
        await _gather([partial(self._queries.addresses, name, six) for six in families], found)
        hosts = [host for records in found if isinstance(records, Records) for host in records.values]
        failures = [answer for answer in found if not isinstance(answer, Records)]
        if failures and not hosts:
            raise failures[0]
        return Records(tuple(hosts), _life(found))


async def _gather(asks: Sequence[Callable[[], Awaitable[Records[Value]]]], into: list[Asked[Value]]) -> None:
    """Ask all at the same time; the answers, failures among them, in the order of the questions."""
    answers: dict[int, Asked[Value]] = {}

    async def one(number: int, ask: Callable[[], Awaitable[Records[Value]]]) -> None:
        try:
            answers[number] = await ask()
        except (NoSuchNameError, NoAnswerError) as error:
            answers[number] = error

    async with trio.open_nursery() as nursery:
        for number, ask in enumerate(asks):
            nursery.start_soon(one, number, ask)
    into.extend(answers[number] for number in range(len(asks)))


def _life(answers: Iterable[Records[Any] | Exception]) -> float:
    return min((records.life for records in answers if isinstance(records, Records)), default=LONGEST_LIFE)


def _preferred(answers: Iterable[Asked[Naptr]], usable: Sequence[Transport]) -> list[tuple[Transport, str]]:
    """The services that we speak, best first, each with the name of its SRV (RFC 3403)."""
    found: dict[str, Transport] = {}
    for records in answers:
        for record in sorted(records.values) if isinstance(records, Records) else ():
            transport = _SERVICES.get(record.service.upper())
            if transport is not None and transport in usable and record.flags.lower() == "s":
                found.setdefault(record.replacement, transport)
    return [(transport, name) for name, transport in found.items()]
