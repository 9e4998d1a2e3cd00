"""STUN binding requests on a SIP port: the keep-alive of a flow over datagrams (RFC 5626 3.5.2 and 8, RFC 8489).

Owns telling them from SIP, and what is answered: the address that the packet came from, so that a phone sees when its
NAT has given it another. Nothing is authenticated, since RFC 5626 wants none, and nothing is kept.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_COOKIE: Final = 0x2112A442
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_ERROR: Final = 0x0111
_ERROR_CODE: Final = 0x0009
_UNKNOWN_ATTRIBUTES: Final = 0x000A
_XOR_MAPPED_ADDRESS: Final = 0x0020
_OPTIONAL: Final = 0x8000
# MAPPED-ADDRESS, USERNAME, MESSAGE-INTEGRITY, ERROR-CODE, UNKNOWN-ATTRIBUTES, REALM, NONCE, MESSAGE-INTEGRITY-SHA256,
# PASSWORD-ALGORITHM, USERHASH, XOR-MAPPED-ADDRESS: understood, and of no use here (RFC 8489 18.3.1).
_KNOWN: Final = frozenset((0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E, 0x0020))
_MOST_UNKNOWN: Final = 8


def answer(data: bytes, host: str, port: int) -> bytes | None:
    """What to send back for a datagram from this IP address and port; None where it is no STUN binding request.

    An attribute that has to be understood and is not brings the error 420 (RFC 8489 6.3.1).
    """
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != _REQUEST or cookie != _COOKIE or length % 4 or length != len(data) - _HEADER.size:
        return None
    unknown = _unknown(data)
    if unknown is None:
        return None
    if unknown:
        return _refusal(transaction, unknown)
    return _message(_SUCCESS, transaction, _attribute(_XOR_MAPPED_ADDRESS, _mapped(transaction, host, port)))


def _unknown(data: bytes) -> list[int] | None:
    """The attributes that we would have to understand and don't; None where there are no whole attributes."""
    found: list[int] = []
    place, end = _HEADER.size, len(data)
    while place < end:
        kind, length = _ATTRIBUTE.unpack_from(data, place)
        place += _ATTRIBUTE.size + (length + 3) // 4 * 4
        if kind < _OPTIONAL and kind not in _KNOWN and kind not in found and len(found) < _MOST_UNKNOWN:
            found.append(kind)
    return found if place == end else None


def _mapped(transaction: bytes, host: str, port: int) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489 14.2)."""
    address = ipaddress.ip_address(host)
    mask = _COOKIE.to_bytes(4, "big") + transaction
    hidden = bytes([ours ^ theirs for ours, theirs in zip(address.packed, mask, strict=False)])
    return struct.pack("!xBH", 1 if address.version == 4 else 2, port ^ (_COOKIE >> 16)) + hidden


def _refusal(transaction: bytes, unknown: list[int]) -> bytes:
    reason = b"Unknown Attribute"
    code = struct.pack("!HBB", 0, 4, 20) + reason
    listed = struct.pack(f"!{len(unknown)}H", *unknown)
    return _message(_ERROR, transaction, _attribute(_ERROR_CODE, code) + _attribute(_UNKNOWN_ATTRIBUTES, listed))


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _message(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    return _HEADER.pack(kind, len(attributes), _COOKIE, transaction) + attributes
