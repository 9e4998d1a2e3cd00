"""The first hop of a request outside a dialog: what its URI says of transport, address and port (RFC 3263 section 4).

Owns what can be told from the URI alone. Leaves names to the resolver, and the choice of a socket to `ways`.
"""

from __future__ import annotations

from b2bua.dialog.dialog import is_address
from b2bua.dialog.ways import port_of, transport_of
from b2bua.effects import Address, Transport
from b2bua.sip.uri import Uri
from b2bua.values import Frozen


class Hop(Frozen):
    """`transport` is what the URI asks for, None where it leaves the choice; `address` where no name is to be found.

    Not `available` is what asks for a transport that we do not speak.
    """

    uri: Uri
    transport: Transport | None
    address: Address | None
    available: bool


def hop_of(uri: Uri) -> Hop:
    """What this URI says of where its requests go."""
    try:
        transport = transport_of(uri)
    except KeyError:
        return Hop(uri, None, None, False)
    if not is_address(uri.host):
        return Hop(uri, transport, None, True)
    address = Address(transport or "UDP", uri.host, port_of(uri))
    return Hop(uri, transport, address, True)
