"""RTP packets as far as we write them, or look at them (RFC 3550 section 5.1).

Owns the header's layout, how far the codecs' clocks go in a packet (RFC 3551, RFC 7587), and telling RTCP from RTP
where both come to one port (RFC 5761). What is relayed passes unread; what plays is `player`'s.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

from b2bua.effects import Codec

Octets: TypeAlias = bytes | bytearray | memoryview

FRAME_SECONDS: Final = 0.02
"""The sound in one packet of ours, in every codec."""

TICKS: Final[dict[Codec, int]] = {"PCMU": 160, "PCMA": 160, "G722": 160, "opus": 960}
"""How far the RTP clock goes in a packet. G.722's runs at 8000 Hz though it samples at 16000 (RFC 3551 4.5.2)."""

VERSION: Final = 0x80
"""The first octet: version 2, no padding, no extension, no contributing sources."""

MARKER: Final = 0x80
HEADER: Final = struct.Struct("!BBHII")
"""The first octet; marker and payload type; sequence number; timestamp; SSRC."""

_SSRC = 8
_RTCP_TYPES = range(192, 224)


def is_rtcp(packet: Octets) -> bool:
    """Whether a packet of at least two octets that came to an RTP port is RTCP (RFC 5761 section 4)."""
    return packet[1] in _RTCP_TYPES


def stream(packet: Octets, size: int) -> tuple[int, int] | None:
    """The SSRC and the sequence number of the RTP packet of that size at the start of `packet`; None if it is none."""
    if size < HEADER.size or packet[0] >> 6 != 2 or is_rtcp(packet):
        return None
    _, _, sequence, _, ssrc = HEADER.unpack_from(packet)
    return ssrc, sequence


def echo(packet: bytearray, size: int, mask: int) -> bool:
    """Make a packet fit to go back to where it came from; whether it is.

    Its sender would take its own SSRC for a loop, and drop it (RFC 3550 8.2): the SSRC is changed by `mask`, 32 bits
    that are not all zero. Its own reports are no news to it: RTCP does not go back.
    """
    found = stream(packet, size)
    if found is None:
        return False
    packet[_SSRC : HEADER.size] = (found[0] ^ mask).to_bytes(4, "big")
    return True
