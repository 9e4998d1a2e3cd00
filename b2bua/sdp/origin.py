"""The o= line of a session description, written in our name (RFC 8866 section 5.2).

Owns that one line: all other octets pass as they came. A back-to-back user agent needs it, since each
side has to see one session whose version rises by one with each change (RFC 3264 section 8).
"""

from __future__ import annotations

from b2bua.sip.errors import LocalError


def around_origin(body: bytes) -> tuple[bytes, bytes] | None:
    """What stands before and after the o= line; None for a body that has none before its first media.

    Two descriptions with the same surroundings say the same, whatever their owners' versions.
    """
    start = body.find(b"\no=") + 1
    if body[:2] == b"o=":
        start = 0
    elif not start:
        return None
    end = body.find(b"\n", start)
    if end < 0:
        end = len(body)
    returned = body.find(b"\r", start, end)
    if returned >= 0:
        end = returned
    return None if body.find(b"\nm=", 0, start) >= 0 else (body[:start], body[end:])


def located(address: str) -> str:
    """The part of an o= line that says where it was written. `address` is an IP address, IPv6 without brackets.

    LocalError for one that is no single word.
    """
    if not address or " " in address or not address.isprintable():
        raise LocalError("an origin of ours cannot be written")
    return f"IN IP6 {address}" if ":" in address else f"IN IP4 {address}"


def origin(session_id: int, version: int, place: str) -> bytes:
    """An o= line without its end; `place` is as `located` writes it."""
    return f"o=- {session_id} {version} {place}".encode()
