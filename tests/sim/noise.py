"""What strangers throw at a SIP port: octets that are no message, and messages broken in one place.

Every kind stays broken whatever is drawn, so none of them can act on a call by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .link import Passage

_STRANGER = b"Via: SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKnoise\r\n"


def garble(draw: Random, passages: Sequence[Passage]) -> bytes:
    """One such datagram. Real traffic is the raw material where there is some."""
    sample = draw.choice(passages).data if passages else b"OPTIONS sip:x SIP/2.0\r\n\r\n"
    head = sample.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    match draw.randrange(8):
        case 0:
            return draw.randbytes(draw.randrange(1, 1400))
        case 1:
            return head[: draw.randrange(1, max(2, len(lines[0])))]
        case 2:
            return _without(lines, b"call-id:")
        case 3:
            return _without(lines, b"cseq:") + b"\0" * draw.randrange(4)
        case 4:
            return _without(lines, b"via:")
        case 5:
            kept = _without(lines, b"cseq:")[:-4]
            return (
                kept
                + b"\r\nCSeq: "
                + draw.choice((b"-1 INVITE", b"x", b"1", b"99999999999 BYE", b"1 NOISE"))
                + b"\r\n\r\n"
            )
        case 6:
            return b"\r\n".join((lines[0], _STRANGER.strip(), b"From: <sip:" + b"x" * draw.randrange(9_000), b"", b""))
        case _:
            return draw.choice((b"", b"\r\n\r\n", b"\0" * 20, b"SIP/2.0 200", b"GET / HTTP/1.1\r\n\r\n"))


def _without(lines: Sequence[bytes], name: bytes) -> bytes:
    return b"\r\n".join([line for line in lines if not line.lower().startswith(name)] + [b"", b""])
