"""Calls to sips URIs (RFC 3261 26.2.2, RFC 5630): they reach whom they reach by TLS, or nobody.

Owns which destinations are left for such a call, and how it is said that none is.
"""

from __future__ import annotations

from typing import Final

import msgspec

from b2bua.routing.destination import Destination, Refused

# RFC 5630 section 7.1.
_NOT_ALLOWED: Final = (("Warning", '380 b2bua "SIPS Not Allowed: there is no way by TLS"'),)


def secured(found: tuple[Destination, ...] | Refused) -> tuple[Destination, ...] | Refused:
    """Those of the destinations, and of their spare flows, that are reached by TLS."""
    if isinstance(found, Refused):
        return found
    kept = tuple([left for destination in found if (left := _secured(destination)) is not None])
    return kept or Refused("unreachable", "no way by TLS, which a sips URI demands", _NOT_ALLOWED)


def _secured(destination: Destination) -> Destination | None:
    spare = destination.spare and _secured(destination.spare)
    if not _by_tls(destination):
        return spare
    return destination if spare is destination.spare else msgspec.structs.replace(destination, spare=spare)


def _by_tls(destination: Destination) -> bool:
    flow, hop = destination.flow, destination.hop
    return (hop.transport if flow is None else flow.transport) == "TLS"
