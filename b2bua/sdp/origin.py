"""The o= line of a session description, written in our name (RFC 8866 section 5.2).

Owns that one line: all other octets pass as they came. A back-to-back user agent needs it, since each
side has to see one session whose version rises by one with each change (RFC 3264 section 8).
"""

from __future__ import annotations

import re

from b2bua.sip.errors import LocalError, PeerError

_ORIGIN = re.compile(rb"^o=[^\r\n]*", re.MULTILINE)
_BREAKS = re.compile(r"[\s\x00]")


def has_origin(body: bytes) -> bool:
    """Whether a description has an o= line before its first media, as each must (RFC 8866 section 5)."""
    found = _ORIGIN.search(body)
    return found is not None and body.find(b"\nm=", 0, found.start()) < 0


def rewrite_origin(body: bytes, username: str, session_id: int, version: int, address: str) -> bytes:
    """The description with its o= line replaced. `address` is an IP address, IPv6 without brackets.

    PeerError 488 for a body that has none before its first media, LocalError for a username that is
    no single word.
    """
    found = _ORIGIN.search(body)
    if found is None or body.find(b"\nm=", 0, found.start()) >= 0:
        raise PeerError(488, "Session Description Without Origin")
    if not username or _BREAKS.search(username) or _BREAKS.search(address):
        raise LocalError("an origin of ours cannot be written")
    family = "IP6" if ":" in address else "IP4"
    line = f"o={username} {session_id} {version} IN {family} {address}".encode("utf-8", "surrogateescape")
    return body[: found.start()] + line + body[found.end() :]
