"""The two requests that are made from another request: ACK of a failure, and CANCEL (RFC 3261 17.1.1.3 and 9.1).

Both repeat the request's own octets, so they are cut from what was sent, and only when one is needed.
"""

from __future__ import annotations

from typing import Final

_KEPT: Final = ("Via:", "Route:", "From:", "Call-ID:", "Max-Forwards:")


def _derived(request: bytes, method: str, to: str | None) -> bytes:
    head = request.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape").split("\r\n")
    uri = head[0].split(" ", 2)[1]
    lines = [f"{method} {uri} SIP/2.0"]
    for line in head[1:]:
        if line.startswith(_KEPT):
            lines.append(line)
        elif line.startswith("To:"):
            lines.append(line if to is None else f"To: {to}")
        elif line.startswith("CSeq:"):
            lines.append(f"CSeq: {line[5:].split()[0]} {method}")
    lines.append("Content-Length: 0\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def acknowledgement(request: bytes, to: str) -> bytes:
    """The ACK of a 3xx-6xx to an INVITE that we sent; `to` is the response's To (RFC 3261 17.1.1.3)."""
    return _derived(request, "ACK", to)


def cancellation(request: bytes) -> bytes:
    """The CANCEL of an INVITE that we sent: its branch, its Route, its To (RFC 3261 9.1)."""
    return _derived(request, "CANCEL", None)
