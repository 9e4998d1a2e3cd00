"""Which of some networks an address is in (RFC 4632): the narrowest one counts.

Owns the look-up, whose answers are remembered, so that a peer's later messages cost one look into a table.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

_REMEMBERED: Final = 16_384


class Networks:
    """Values by network. Networks are written `10.0.0.0/8` or `2001:db8::/32`; an address alone is one of itself."""

    __slots__ = ("_found", "_networks")

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        """Each network with its value. ValueError for what is no network."""
        read = [(ipaddress.ip_network(network), value) for network, value in entries]
        self._networks = sorted(read, key=lambda entry: -entry[0].prefixlen)
        self._found: dict[str, str | None] = {}

    def has(self, address: str) -> bool:
        """Whether this IP address is in any of them."""
        return bool(self._networks) and self.of(address) is not None

    def of(self, address: str) -> str | None:
        """The value of the narrowest network that this IP address is in; None for another one, or for no address."""
        if address in self._found:
            return self._found[address]
        found = self._search(address)
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[address] = found
        return found

    def _search(self, text: str) -> str | None:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return None
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return next((value for network, value in self._networks if address in network), None)


def plain(networks: Iterable[str]) -> Networks:
    """Networks that have no other value than themselves."""
    return Networks((network, network) for network in networks)
