"""Where a contact may lead: to whoever registers it, and to nobody else.

Owns refusing those that would have us call ourselves, a whole network, or somebody who has not asked for it: an account
must not turn our calls on others. Leaves to `reach` how a contact is reached.

A contact that is only ever reached by the flow that it was registered by (a phone behind NAT, on a stream, with
RFC 5626) may say whatever it likes, for no request is sent there. The same goes for one that is a name, unless others
are allowed: who has registered it is where its REGISTER came from. Any other has to be the address that its REGISTER
came from; a Path has to begin there, for it is what is called then (RFC 3327).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from b2bua.dialog.networks import plain
from b2bua.effects import Flow
from b2bua.registrar.reach import same_host
from b2bua.settings import ANYWHERE, Settings
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.uri import Uri

_HOSTED: Final = ("sip", "sips")


class Contacts:
    """What one server takes. `ours` tells whether a sip or sips URI leads back to it."""

    def __init__(self, ours: Callable[[Uri], bool], settings: Settings) -> None:
        security = settings.security
        self._ours = ours
        self._anywhere = ANYWHERE in security.contacts
        self._allowed = plain(network for network in security.contacts if network != ANYWHERE)
        self._senders = plain((*security.trusted, *settings.proxies))

    def check(self, uri: Uri) -> None:
        """PeerError 403 for a contact that nobody may have."""
        if uri.scheme not in _HOSTED:
            return
        if self._ours(uri):
            raise PeerError(403, "Contact Is This Server")
        if _many(uri.host):
            raise PeerError(403, "Contact Is No Address Of A Phone")

    def by_flow(self, uri: Uri, path: tuple[str, ...], flow: Flow, source: str) -> bool:
        """For a contact that would be called at its own address, or by its Path: whether it is to be called by the flow
        that it was registered by, rather. PeerError 403 where it leads to somebody else.
        """
        if self._anywhere or uri.scheme not in _HOSTED or self._is_trusted(source) or self._is_trusted(flow.remote):
            return False
        if path:
            host = NameAddr.parse(path[0]).uri.host
            if not self._is_near(host, flow, source):
                raise PeerError(403, "Path Leads To A Third Party")
            return False
        if self._is_near(uri.host, flow, source):
            return False
        if _is_name(uri.host):
            return True
        raise PeerError(403, "Contact Of A Third Party")

    def _is_near(self, host: str, flow: Flow, source: str) -> bool:
        if same_host(host, flow.remote) or same_host(host, source):
            return True
        return self._allowed.has(host)

    def _is_trusted(self, address: str) -> bool:
        return self._senders.has(address)


@lru_cache(maxsize=4096)
def _many(host: str) -> bool:
    """Whether a host is no single one's address: multicast, broadcast, or none at all."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_multicast or address.is_unspecified or host == "255.255.255.255"


@lru_cache(maxsize=4096)
def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
