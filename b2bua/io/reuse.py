"""Whether a peer that connected takes our requests by its connection too (RFC 5923 section 8).

Owns reading that from a request of its. Leaves who may offer it, which is whoever proved an identity, to `connections`.
"""

from __future__ import annotations

from b2bua.sip.errors import Malformed, PeerError
from b2bua.sip.message import Request
from b2bua.sip.parser import parse

_SECURE_PORT = 5061


def port_for_requests(data: bytes) -> int | None:
    """The port that requests to this peer are for, where its topmost Via says `alias`; else None."""
    if b"alias" not in data:
        return None
    try:
        request = parse(data)
        if not isinstance(request, Request):
            return None
        via = request.via
    except (Malformed, PeerError):
        return None
    return (via.port or _SECURE_PORT) if via.param("alias") is not None else None
