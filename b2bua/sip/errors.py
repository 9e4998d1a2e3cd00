"""Whose fault it is: the peer's, with the status to answer with, or ours.

Owns the three exceptions that the pure core knows. Leaves to the core what becomes of a call when one is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2bua.sip.message import Request


class PeerError(Exception):
    """What a peer did wrong. `status`, `reason` and `headers` are what to answer with (RFC 3261 section 21).

    A reason is a phrase of ours: it never repeats what the peer wrote.
    """

    def __init__(self, status: int, reason: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"


class Malformed(PeerError):  # noqa: N818 - it names what the octets are, as Stale and Refused do
    """Octets that are no message.

    `request` is the request as far as it could be read, with what a response has to repeat: Via, From, To, Call-ID
    and CSeq (RFC 3261 8.2.6.2). It is None where nothing may or can be answered: a response, an ACK, or a request that
    lacks one of these; such a message is dropped.
    """

    def __init__(self, status: int, reason: str, request: Request | None = None) -> None:
        super().__init__(status, reason)
        self.request = request


class LocalError(Exception):
    """What we did wrong: the call concerned ends with 500, all others go on."""
