"""Proxies in front of us: who really sent what one of them hands on (RFC 3261 18.2.1, RFC 3581 section 4).

Owns the question where a request came from, as the proxy next to its sender saw it: that stands in the Via below that
proxy's own. Only the proxies that the settings name are believed; whatever anybody else writes below the topmost Via
means nothing here. A proxy has to write `received` where a Via says another address than it saw, as RFC 3261 18.2.1
demands, and has to replace one that the sender wrote; two of them are believed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from b2bua.dialog.dialog import is_address
from b2bua.dialog.networks import plain
from b2bua.effects import Flow
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import Via
from b2bua.sip.message import Request

_MOST_PROXIES: Final = 8


class Fronts:
    """The front proxies of one server. `networks` are where they are."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = plain(networks)

    def source(self, request: Request, flow: Flow) -> str:
        """The IP address that a request came from: the flow's own, or what our proxies saw."""
        if not self._networks.has(flow.remote):
            return flow.remote
        source = flow.remote
        for value in request.values("Via")[1 : _MOST_PROXIES + 1]:
            seen = _seen(value)
            if seen is None:
                break
            source = seen
            if not self._networks.has(seen):
                break
        return source


def _seen(value: str) -> str | None:
    """Where the request that this Via belongs to came from, as the next hop saw it. None where it does not say."""
    try:
        via = Via.parse(value)
    except PeerError:
        return None
    received = [text or "" for name, text in via.params if name == "received"]
    if len(set(received)) > 1:
        return None
    host = received[0].strip("[]").lower() if received else via.host
    return host if is_address(host) else None
