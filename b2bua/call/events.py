"""What a leg tells its call: neutral events without a status line or header of the wire's.

`Content` is a body with its type; a session description in it is the peer's own, until the leg that sends it puts
our origin in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from b2bua.sdp.origin import around_origin
from b2bua.sdp.refusing import refusing_answer

if TYPE_CHECKING:
    from b2bua.call.early import Due


class Content(msgspec.Struct, frozen=True, gc=False):
    """A body as it came: `headers` are those that describe it (RFC 3261 7.4), Content-Length aside.

    Of a session description, `around` is what stands before and after its o= line, and `told` is whether it is the one
    that the peer was given before, not to be fitted again.
    """

    body: bytes
    headers: tuple[tuple[str, str], ...]
    around: tuple[bytes, bytes] | None = None
    told: bool = False


DESCRIPTION: tuple[tuple[str, str], ...] = (("Content-Type", "application/sdp"),)
"""The fields of a body that is a session description."""


def description(body: bytes) -> Content:
    """A session description of ours, which has an o= line to be replaced."""
    return Content(body, DESCRIPTION, around_origin(body))


def refusal_of(offer: Content) -> Content:
    """The answer to an offer that came too late to be passed on: no stream (RFC 3264 section 6)."""
    return description(refusing_answer(offer.body))


class Progressed(msgspec.Struct, frozen=True, gc=False):
    """The called side is on its way: a provisional response above 100; `due` is the PRACK that it waits for."""

    status: int
    reason: str
    content: Content | None
    headers: tuple[tuple[str, str], ...]
    due: Due | None = None


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The called side took the call."""

    content: Content | None
    headers: tuple[tuple[str, str], ...]


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """The called side did not take the call, or could not be reached (`reached` False).

    `contacts` are the URIs that a 3xx names, best first.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    contacts: tuple[str, ...] = ()
    reached: bool = True
