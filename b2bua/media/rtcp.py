"""RTCP packets as far as we write them, or look at them (RFC 3550 section 6).

Owns the sender report of a player (6.4.1) with its CNAME (6.5.1), and who a report is from. Reports of others pass the
relay unread.

Deviation: no BYE (6.6) when a player ends, since what comes after it on the same port is the same call's.
"""

from __future__ import annotations

import struct
from typing import Final

from b2bua.media.rtp import Octets, is_rtcp

_SENDER_REPORT, _SOURCE_DESCRIPTION = 200, 202
_CNAME = 1
_HEADER = struct.Struct("!BBHI")
_SENDER = struct.Struct("!IIIII")
_EPOCH = 2_208_988_800
"""From 1900, where NTP's time begins, to 1970, in seconds."""

INTERVAL_SECONDS: Final = 5.0
"""Between two reports: the least that section 6.2 recommends."""


def sender(packet: Octets, size: int) -> int | None:
    """The SSRC of whoever sent the RTCP packet of that size; None if it is none."""
    if size < _HEADER.size or packet[0] >> 6 != 2 or not is_rtcp(packet):
        return None
    ssrc: int = _HEADER.unpack_from(packet)[3]
    return ssrc


def sender_report(ssrc: int, wall: float, timestamp: int, packets: int, octets: int, cname: bytes) -> bytes:
    """A compound packet: how much was sent, and which wall time the RTP timestamp stands for.

    `octets` is payload only; both counts wrap at 32 bits. `cname` is at most 255 octets.
    """
    seconds = int(wall)
    fraction = int((wall - seconds) * 2**32)
    report = _HEADER.pack(0x80, _SENDER_REPORT, 6, ssrc) + _SENDER.pack(
        (seconds + _EPOCH) % 2**32, fraction, timestamp, packets % 2**32, octets % 2**32
    )
    item = bytes((_CNAME, len(cname))) + cname
    # The list of items ends with at least one zero octet, on a boundary of 32 bits.
    item += bytes(4 - len(item) % 4)
    return report + _HEADER.pack(0x81, _SOURCE_DESCRIPTION, 1 + len(item) // 4, ssrc) + item
