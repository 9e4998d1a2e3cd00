"""The answer that takes none of the streams that an offer names (RFC 3264 section 6).

For the 2xx that has to be acknowledged with an answer although its call is over (RFC 3261 13.2.2.4).
"""

from __future__ import annotations


def refusing_answer(offer: bytes) -> bytes:
    """An answer with each stream of the offer at port 0. The o= line is a placeholder for the sender's own."""
    lines = [b"v=0", b"o=- 0 0 IN IP4 0.0.0.0", b"s=-", b"t=0 0"]
    for line in offer.splitlines():
        if line.startswith(b"m="):
            kind, _, rest = line.partition(b" ")
            _, _, formats = rest.partition(b" ")
            lines.append(b"%s 0 %s" % (kind, formats))
    return b"\r\n".join(lines) + b"\r\n"
