"""The messages of a call as a capture file (libpcap's format), for Wireshark, tshark, sngrep and the like.

Owns the packets made up around messages. UDP and TCP stand in IP packets with the addresses and ports that they had
(LINKTYPE_RAW). TLS was read in clear, and no packet can say so: a call that has some is written as "exported PDUs"
(LINKTYPE_WIRESHARK_UPPER_PDU), which name the protocol and the addresses, and which Wireshark and tshark dissect alike.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from b2bua.tape import Kept

_HEADER = struct.Struct("!IHHiIII")
_PACKET = struct.Struct("!IIII")
_MAGIC = 0xA1B2C3D4
_LONGEST = 262_144
_RAW, _EXPORTED = 101, 252

_UDP, _TCP = 17, 6
_MOST_IN_A_PACKET = 65_000
_HOPS = 64
_PUSH_AND_ACK = 0x18

# Wireshark's epan/exported_pdu.h.
_TAG_END, _TAG_DISSECTOR = 0, 12
_TAG_SOURCE, _TAG_TARGET = {4: 20, 6: 22}, {4: 21, 6: 23}
_TAG_PORT_TYPE, _TAG_SOURCE_PORT, _TAG_TARGET_PORT = 24, 25, 26
_PORT_TYPES = {"TCP": 2, "TLS": 2, "UDP": 3}


def pcap(messages: Sequence[Kept]) -> bytes:
    """The whole file. A message that is longer than a packet can be becomes several where that is TCP, else is cut."""
    secure = any(kept.transport == "TLS" for kept in messages)
    parts = [_HEADER.pack(_MAGIC, 2, 4, 0, 0, _LONGEST, _EXPORTED if secure else _RAW)]
    streams: dict[tuple[str, int, str, int], int] = {}
    for kept in messages:
        for packet in [_exported(kept)] if secure else _packets(kept, streams):
            seconds, micros = divmod(round(kept.wall * 1_000_000), 1_000_000)
            parts += [_PACKET.pack(seconds, micros, len(packet), len(packet)), packet]
    return b"".join(parts)


def _ends(kept: Kept) -> tuple[str, int, str, int]:
    """Where it came from, and where it went."""
    ours, theirs = (kept.local, kept.local_port), (kept.remote, kept.remote_port)
    return (*ours, *theirs) if kept.sent else (*theirs, *ours)


def _exported(kept: Kept) -> bytes:
    source, source_port, target, target_port = _ends(kept)
    tags = [
        (_TAG_DISSECTOR, b"sip\0"),
        (_TAG_SOURCE[ip_address(source).version], ip_address(source).packed),
        (_TAG_TARGET[ip_address(target).version], ip_address(target).packed),
        (_TAG_PORT_TYPE, struct.pack("!I", _PORT_TYPES[kept.transport])),
        (_TAG_SOURCE_PORT, struct.pack("!I", source_port)),
        (_TAG_TARGET_PORT, struct.pack("!I", target_port)),
        (_TAG_END, b""),
    ]
    return b"".join(struct.pack("!HH", tag, len(value)) + value for tag, value in tags) + kept.data


def _packets(kept: Kept, streams: dict[tuple[str, int, str, int], int]) -> Iterator[bytes]:
    """`streams` has how many octets went each way of a connection so far."""
    source, source_port, target, target_port = _ends(kept)
    if kept.transport == "UDP":
        data = kept.data[:_MOST_IN_A_PACKET]
        head = struct.pack("!HHHH", source_port, target_port, 8 + len(data), 0)
        yield _ip(source, target, _UDP, head, data, 6)
        return
    for begin in range(0, len(kept.data), _MOST_IN_A_PACKET):
        data = kept.data[begin : begin + _MOST_IN_A_PACKET]
        there, back = (source, source_port, target, target_port), (target, target_port, source, source_port)
        sequence, acknowledged = (1 + streams.get(way, 0) & 0xFFFFFFFF for way in (there, back))
        streams[there] = streams.get(there, 0) + len(data)
        window = 65_535
        head = struct.pack(
            "!HHIIBBHHH", source_port, target_port, sequence, acknowledged, 5 << 4, _PUSH_AND_ACK, window, 0, 0
        )
        yield _ip(source, target, _TCP, head, data, 16)


def _ip(source: str, target: str, protocol: int, head: bytes, data: bytes, checked_at: int) -> bytes:
    """An IP packet (RFC 791, 8200) around a UDP or TCP header, whose checksum stands `checked_at` octets into it."""
    addresses = [ip_address(source), ip_address(target)]
    six = any(address.version == 6 for address in addresses)
    ends = b"".join(address.packed.rjust(16, b"\0") if six else address.packed for address in addresses)
    length = len(head) + len(data)
    checksum = _checksum(ends + struct.pack("!II", length, protocol) + head + data) or 0xFFFF
    payload = head[:checked_at] + struct.pack("!H", checksum) + head[checked_at + 2 :] + data
    if six:
        return struct.pack("!IHBB", 6 << 28, length, protocol, _HOPS) + ends + payload
    fields = (0x45, 0, 20 + length, 0, 0, _HOPS, protocol)
    without = struct.pack("!BBHHHBBH", *fields, 0) + ends
    return struct.pack("!BBHHHBBH", *fields, _checksum(without)) + ends + payload


def _checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
