"""What somebody hears, by the packets that reach him: which music, with what gaps, until when.

Owns putting packets in the order in which a phone would play them, and times between them. What it is given is one
direction of one call, as `tap.Tap.to` and `tap.Tap.out_of` return it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from . import music
from .codecs import OPUS, STATIC, Codec, heard
from .tap import Packet

TELEPHONE_EVENT = 101
"""Payload type of digits (RFC 4733), with every client here."""

_WRAP = 1 << 16


def in_codec(packets: Iterable[Packet], codec: Codec) -> list[Packet]:
    """Return the packets that carry sound in this codec."""
    return [packet for packet in packets if _codec(packet.payload_type) is codec]


def sources(packets: Iterable[Packet]) -> list[int]:
    """Return the SSRCs, in the order of their first packets."""
    return list(dict.fromkeys(packet.ssrc for packet in packets))


def between(packets: Iterable[Packet], start: float, end: float) -> list[Packet]:
    """Return what was delivered between two wall times."""
    return [packet for packet in packets if start <= packet.time < end]


def gaps(packets: Sequence[Packet]) -> list[float]:
    """Return the seconds between each packet and the next."""
    return [later.time - earlier.time for earlier, later in itertools.pairwise(packets)]


def longest_gap(packets: Sequence[Packet]) -> float:
    """Return the longest time without a packet between the first and the last, in seconds; 0 for none."""
    return max(gaps(packets), default=0.0)


def lost(packets: Sequence[Packet]) -> int:
    """Return how many sequence numbers are missing, over all sources."""
    missing = 0
    for ssrc in sources(packets):
        numbers = _numbers([packet for packet in packets if packet.ssrc == ssrc])
        missing += max(numbers) - min(numbers) + 1 - len(set(numbers))
    return missing


def when_last_packet(packets: Sequence[Packet]) -> float:
    """Return the wall time of the last delivery; ValueError when there was none."""
    return max(packet.time for packet in packets)


def sound(packets: Sequence[Packet], codec: Codec) -> music.Sound:
    """Return what one hears of it at 8 kHz: each source's packets in sequence, one source after the other."""
    payloads: list[bytes] = []
    for ssrc in sources(packets):
        stream = in_codec((packet for packet in packets if packet.ssrc == ssrc), codec)
        by_number = dict(zip(_numbers(stream), (packet.payload for packet in stream), strict=True))
        payloads += [by_number[number] for number in sorted(by_number)]
    return heard(codec, payloads)


def likeness(
    packets: Sequence[Packet], codec: Codec, tune: music.Sound, *, start: float = 0.25, seconds: float = 0.75
) -> float:
    """Return how much what one hears, from `start` seconds on, is that tune: 0 to 1, silence and nothing being 0.

    Raises ValueError where packets came, but not enough of them.
    """
    played = sound(packets, codec)
    return music.likeness(played, tune, start=start, seconds=seconds) if played.size else 0.0


def _codec(payload_type: int) -> Codec | None:
    if payload_type in STATIC:
        return STATIC[payload_type]
    return OPUS if payload_type >= 96 and payload_type != TELEPHONE_EVENT else None


def _numbers(packets: Sequence[Packet]) -> list[int]:
    """Sequence numbers that do not begin anew after 65,535."""
    numbers: list[int] = []
    last = packets[0].sequence if packets else 0
    for packet in packets:
        # The nearest number to the last one that is the same in 16 bits (RFC 3550 appendix A.1).
        last += (packet.sequence - last + _WRAP // 2) % _WRAP - _WRAP // 2
        numbers.append(last)
    return numbers
