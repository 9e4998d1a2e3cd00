"""When a request inside a call may not pass (RFC 3261 14.2, RFC 3311 5.2, RFC 4028 section 9).

Two offers must not cross: the later one is refused, and its sender tries again when its own timer says so (14.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from b2bua.call.leg import Leg
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """What to answer instead of passing the request on."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


class Offering(Protocol):
    """A request inside a call that is under way: `near` sent it, `asked` is to answer it; None where we are that.

    `offers` is whether a session description can be on its way.
    """

    @property
    def near(self) -> Leg | None:
        """Who sent it."""

    @property
    def asked(self) -> Leg | None:
        """Who is to answer it."""

    @property
    def offers(self) -> bool:
        """Whether a description can be on its way."""

    def acknowledged(self, request: Request) -> bool:
        """An ACK came on the leg that sent it: whether it was for this."""

    def drop(self) -> None:
        """The call ends."""

    def forget(self) -> None:
        """Wait for nothing any more, and hear of nothing."""


_PENDING = Refusal(491)
_TOO_SOON = Refusal(500, (("Retry-After", "1"),))


def refusal(request: Request, near: Leg, ready: bool, under_way: Iterable[Offering]) -> Refusal | None:
    """Why this request of the near leg's cannot be taken now; None when it can. `ready`: the call is set up."""
    if request.max_forwards == 0:
        return Refusal(483)
    offers = request.method == "INVITE" or (request.method == "UPDATE" and bool(request.body))
    if not ready:
        # The offer of the INVITE that sets the call up is still open (RFC 3311 5.2).
        return _TOO_SOON if offers or request.method == "UPDATE" else _PENDING
    if offers:
        for offering in under_way:
            if offering.offers:
                return _TOO_SOON if offering.near is near else _PENDING
    if request.method in ("INVITE", "UPDATE") and "Session-Expires" in request.headers:
        try:
            near.stack.refreshing.check(request)
        except PeerError as error:
            return Refusal(error.status, error.headers)
    return None
