"""Networks of addresses, IPv4 and IPv6 (RFC 4632, RFC 4291), and many of them behind one look-up.

Owns how a network is written and which of many networks hold an address. Addresses are text as the engine
sees them; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as that IPv4 address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from dsl.values import Frozen

_MOST_REMEMBERED = 16_384


class NetworkError(ValueError):
    """What is wrong with a network's text, and what to write instead."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class Network(Frozen):
    """The addresses of `bits` (32 or 128) whose first `length` bits are those of `first`."""

    bits: int
    first: int
    length: int

    def __str__(self) -> str:
        version = ipaddress.IPv4Network if self.bits == 32 else ipaddress.IPv6Network
        return str(version((self.first, self.length)))

    def overlaps(self, other: Network) -> bool:
        """Whether any address is in both."""
        if self.bits != other.bits:
            return False
        shift = self.bits - min(self.length, other.length)
        return self.first >> shift == other.first >> shift


def parse_network(text: str) -> Network:
    """Read `10.20.0.0/16`, `2001:db8::/32` or one address. Raises NetworkError."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise NetworkError(f"`{text}` is no address or network", "write `10.20.3.1` or `10.20.0.0/16`") from None
    first, length = int(network.network_address), network.prefixlen
    written = text.partition("/")[0]
    if int(ipaddress.ip_address(written)) != first:
        raise NetworkError(
            f"`{text}` is an address in a network, not a network",
            f"write `{network}`, or `{written}` for that address alone",
        )
    if network.version == 6 and length >= 96 and first >> 32 == 0xFFFF:
        return Network(32, first & 0xFFFFFFFF, length - 96)
    return Network(network.max_prefixlen, first, length)


def parse_address(text: str) -> tuple[int, int] | None:
    """An address as its bits (32 or 128) and number; None when the text is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return (128, int(address)) if mapped is None else (32, int(mapped))
    return 32, int(address)


def first_address(network: Network) -> str:
    """The first address that a host of this network can have; of one or two addresses the very first."""
    number = network.first + (1 if network.bits - network.length > 1 else 0)
    return str(ipaddress.IPv4Address(number) if network.bits == 32 else ipaddress.IPv6Address(number))


def counting_unit(source: str) -> str:
    """What `each source` counts as one: an IPv4 address, or the /64 around an IPv6 address."""
    if ":" not in source:
        return source
    address = parse_address(source)
    if address is None:
        return source
    bits, number = address
    if bits == 32:
        return str(ipaddress.IPv4Address(number))
    return str(ipaddress.IPv6Network((number >> 64 << 64, 64)))


class NetworkSet:
    """Networks by index; `match` gives the indices of all that hold an address, lowest first.

    One dictionary for each prefix length, so the cost grows with the lengths in use and never with the
    number of networks. Recent addresses are remembered up to a bound.
    """

    def __init__(self, networks: Iterable[tuple[int, Network]]) -> None:
        tables: dict[tuple[int, int], dict[int, list[int]]] = {}
        for index, network in networks:
            table = tables.setdefault((network.bits, network.length), {})
            table.setdefault(network.first >> (network.bits - network.length), []).append(index)
        self._tables: dict[int, list[tuple[int, dict[int, list[int]]]]] = {32: [], 128: []}
        for (bits, length), table in sorted(tables.items()):
            self._tables[bits].append((bits - length, table))
        self._remembered: dict[str, tuple[int, ...]] = {}

    def match(self, address: str) -> tuple[int, ...]:
        """Indices of the networks that hold the address, ascending; none for a text that is no address."""
        known = self._remembered.get(address)
        return self._find(address) if known is None else known

    def _find(self, text: str) -> tuple[int, ...]:
        found: set[int] = set()
        address = parse_address(text)
        if address is not None:
            bits, number = address
            for shift, table in self._tables[bits]:
                found.update(table.get(number >> shift, ()))
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        indices = self._remembered[text] = tuple(sorted(found))
        return indices
