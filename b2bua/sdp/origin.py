"""The o= line of a session description, written in our name (RFC 8866 section 5.2).

Owns that one line: all other octets pass as they came. A back-to-back user agent needs it, since each
side has to see one session whose version rises by one with each change (RFC 3264 section 8).
"""

from __future__ import annotations

import re

from b2bua.sip.errors import LocalError

_ORIGIN = re.compile(rb"^o=[^\r\n]*", re.MULTILINE)
_SPACES = 5


def around_origin(body: bytes) -> tuple[bytes, bytes] | None:
    """What stands before and after the o= line; None for a body that has none before its first media.

    Two descriptions with the same surroundings say the same, whatever their owners' versions.
    """
    found = _ORIGIN.search(body)
    if found is None:
        return None
    start, end = found.span()
    return None if body.find(b"\nm=", 0, start) >= 0 else (body[:start], body[end:])


def origin(username: str, session_id: int, version: int, address: str) -> bytes:
    """An o= line without its end. `address` is an IP address, IPv6 without brackets.

    LocalError for a username or address that is no single word.
    """
    family = "IP6" if ":" in address else "IP4"
    line = f"o={username} {session_id} {version} IN {family} {address}"
    if not username or not address or line.count(" ") != _SPACES or not line.isprintable():
        raise LocalError("an origin of ours cannot be written")
    return line.encode("utf-8", "surrogateescape")
