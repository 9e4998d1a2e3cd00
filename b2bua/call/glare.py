"""When a request inside a call may not pass (RFC 3261 14.2, RFC 3311 5.2).

Two offers must not cross: the later one is refused, and its sender tries again when its own timer says so (14.1).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from b2bua.call.exchange import Exchange
from b2bua.call.leg import Leg
from b2bua.sip.message import Request


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """What to answer instead of passing the request on."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


_PENDING = Refusal(491)
_TOO_SOON = Refusal(500, (("Retry-After", "1"),))


def refusal(request: Request, near: Leg, far: Leg | None, exchanges: Iterable[Exchange]) -> Refusal | None:
    """Why this request of the near leg's cannot pass now; None when it can."""
    if request.max_forwards == 0:
        return Refusal(483)
    offers = request.method == "INVITE" or (request.method == "UPDATE" and bool(request.body))
    if far is None or not far.confirmed or not near.confirmed:
        # The offer of the INVITE that sets the call up is still open (RFC 3311 5.2).
        return _TOO_SOON if offers or request.method == "UPDATE" else _PENDING
    if offers:
        for exchange in exchanges:
            if exchange.offers:
                return _TOO_SOON if exchange.near is near else _PENDING
    return None
