"""The tape of a call: its messages as they went over the wire, and the form in which they are stored.

Owns the form alone: who listens, and how long a tape lives, is `b2bua.io.tapes`. A stored tape is one Zstandard frame
(RFC 8878) or several behind one another, each with the MessagePack of a list of messages: what comes late is added by
putting it behind what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec
from backports import zstd

# Half the time of level 1, for a tenth more octets.
_LEVEL = -1
_MOST_OCTETS = 64 * 1024 * 1024


class Kept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One message of a call, as it went over the wire, secrets blotted out.

    `wall` is in seconds since the epoch: for what was received, when it was taken from the socket. `sent` is what went
    out from us. Addresses are IP addresses as text, IPv6 without brackets.
    """

    wall: float
    sent: bool
    transport: str
    local: str
    local_port: int
    remote: str
    remote_port: int
    data: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Kept]).decode


def pack(messages: Sequence[Kept]) -> bytes:
    """Messages as they are stored; of two such tapes the second may be put behind the first."""
    return zstd.compress(_encode(messages), _LEVEL)


def unpack(stored: bytes) -> list[Kept]:
    """The messages of a stored tape, in the order of their times. Raises ValueError for octets that are none."""
    messages: list[Kept] = []
    try:
        while stored:
            frame = zstd.ZstdDecompressor()
            messages += _decode(frame.decompress(stored, _MOST_OCTETS))
            if not frame.eof:
                raise ValueError("a stored tape ends too early")
            stored = frame.unused_data
    except (zstd.ZstdError, msgspec.MsgspecError) as error:
        raise ValueError(f"this is no stored tape: {error}") from None
    return sorted(messages, key=attrgetter("wall"))
