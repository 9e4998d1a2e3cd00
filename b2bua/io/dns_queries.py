"""DNS by dnspython on trio: the few records that SIP asks for, as plain values with their lives.

Owns the queries, their time limits, and reading the system's configuration again when it has changed, where the
settings name no servers.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import dns.asyncresolver
import dns.exception
import dns.resolver
import msgspec
from dns.nameserver import Do53Nameserver

from b2bua.settings import NameServer

Value = TypeVar("Value")

QUERY_SECONDS = 4.0
"""For one query with its repetitions: some of them fit before a call's Timer B."""

_ATTEMPT_SECONDS = 1.3


class NoSuchNameError(Exception):
    """DNS says that there is no such name, for `life` seconds (RFC 2308); the text is for the operator."""

    def __init__(self, text: str, life: float = 0.0) -> None:
        super().__init__(text)
        self.life = life


class NoAnswerError(Exception):
    """DNS says nothing, or nonsense; the text is for the operator."""


class Records(msgspec.Struct, Generic[Value], frozen=True):
    """What a name has of the kind that was asked for, perhaps none, and for how many seconds that is true."""

    values: tuple[Value, ...]
    life: float


class Srv(NamedTuple):
    """A server of a service (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Naptr(NamedTuple):
    """A service of a name (RFC 3403); they sort as they are to be tried."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Dns:
    """These name servers or, without any, those of a resolver configuration (resolv.conf(5)). All queries raise
    NoSuchNameError where DNS denies the name, and NoAnswerError where it says nothing.
    """

    def __init__(
        self,
        configuration: Path = Path("/etc/resolv.conf"),
        port: int = 53,
        servers: tuple[NameServer, ...] = (),
    ) -> None:
        self._configuration = configuration
        self._port = port
        self._servers = servers
        self._version: tuple[int, int] | None = None
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def naptr(self, name: str) -> Records[Naptr]:
        """The services of a name."""
        answer = await self._query(name, "NAPTR")
        found = (
            Naptr(
                record.order,
                record.preference,
                record.flags.decode("ascii", "replace"),
                record.service.decode("ascii", "replace"),
                _text(record.replacement),
            )
            for record in _records(answer)
        )
        return Records(tuple(found), answer.chaining_result.minimum_ttl)

    async def srv(self, name: str) -> Records[Srv]:
        """The servers of a service; none where DNS says that it is not offered (target `.`)."""
        answer = await self._query(name, "SRV")
        found = (Srv(record.priority, record.weight, record.port, _text(record.target)) for record in _records(answer))
        return Records(tuple(srv for srv in found if srv.target), answer.chaining_result.minimum_ttl)

    async def addresses(self, name: str, six: bool) -> Records[str]:
        """The IPv6 or IPv4 addresses of a host."""
        answer = await self._query(name, "AAAA" if six else "A")
        found = (str(record.address) for record in _records(answer))
        return Records(tuple(found), answer.chaining_result.minimum_ttl)

    async def _query(self, name: str, kind: str) -> dns.resolver.Answer:
        try:
            resolver = self._configured()
            return await resolver.resolve(name, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchNameError(f"{name}: no such name", _life_of(error)) from None
        except dns.resolver.NoResolverConfiguration:
            raise NoAnswerError(f"no name servers are configured in {self._configuration}") from None
        except dns.resolver.LifetimeTimeout:
            raise NoAnswerError(f"{name}: no name server answers") from None
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise NoAnswerError(f"{name}: {reason}") from None

    def _configured(self) -> dns.asyncresolver.Resolver:
        """The resolver of the settings, or of the configuration as it is now."""
        if self._servers:
            if self._resolver is None:
                self._resolver = _bounded(dns.asyncresolver.Resolver(configure=False))
                self._resolver.nameservers = [Do53Nameserver(server.host, server.port) for server in self._servers]
            return self._resolver
        try:
            state = self._configuration.stat()
            version = state.st_mtime_ns, state.st_size
        except OSError:
            raise dns.resolver.NoResolverConfiguration from None
        if self._resolver is None or version != self._version:
            self._resolver = _bounded(dns.asyncresolver.Resolver(str(self._configuration)))
            self._resolver.port = self._port
            self._version = version
        return self._resolver


def _bounded(resolver: dns.asyncresolver.Resolver) -> dns.asyncresolver.Resolver:
    resolver.timeout, resolver.lifetime = _ATTEMPT_SECONDS, QUERY_SECONDS
    return resolver


def _life_of(denial: Any) -> float:
    """What the zone says of how long a name's absence may be remembered."""
    return min((answer.resolve_chaining().minimum_ttl for answer in denial.responses().values()), default=0.0)


def _records(answer: dns.resolver.Answer) -> Iterable[Any]:
    return answer.rrset or ()


def _text(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).lower().strip(".")
