"""The first hop of a request outside a dialog: what its URI says of transport, address and port (RFC 3263 section 4).

Owns what can be told from the URI alone. Leaves names to the resolver, and the choice of a socket to `ways`.
"""

from __future__ import annotations

from b2bua.dialog.dialog import is_address
from b2bua.dialog.ways import DEFAULT_PORT
from b2bua.effects import Address, Transport
from b2bua.sip.uri import Uri
from b2bua.values import Frozen

_ASKED: dict[str, Transport | None] = {"": None, "udp": "UDP", "tcp": "TCP"}


class Hop(Frozen):
    """`transport` is what the URI asks for, None where it leaves the choice; `address` where no name is to be found.

    Not `available` is what asks for a transport that is not here.
    """

    uri: Uri
    transport: Transport | None
    address: Address | None
    available: bool


def hop_of(uri: Uri) -> Hop:
    """What this URI says of where its requests go."""
    asked = (uri.param("transport") or "").lower() if uri.params else ""
    transport = _ASKED.get(asked)
    if uri.scheme == "sips" or asked not in _ASKED:
        return Hop(uri, transport, None, False)
    if not is_address(uri.host):
        return Hop(uri, transport, None, True)
    return Hop(uri, transport, Address(transport or "UDP", uri.host, uri.port or DEFAULT_PORT), True)
