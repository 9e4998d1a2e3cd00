"""What the network says of datagrams that did not arrive: the error queue of a UDP socket (Linux, ip(7)).

Owns reading it, and which errors are a failure (RFC 3261 18.4: unreachable and parameter problem; not what passes:
time exceeded, a datagram to be fragmented). An unconnected socket learns where a datagram was going in this way only.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

# linux/in.h, linux/in6.h and linux/errqueue.h; Python's socket module lacks these names.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_ORIGIN_LOCAL = 1
_ORIGIN_ICMP = 2
_ORIGIN_ICMP6 = 3
_ERROR = struct.Struct("=IBBBxII")
_ANCILLARY_OCTETS = 512

# ICMP's types (RFC 792, RFC 4443) that say that nothing will arrive, and the code of the first that doesn't.
_UNREACHABLE = 3
_FRAGMENTATION_NEEDED = 4
_FAILURES = {_ORIGIN_ICMP: (_UNREACHABLE, 12), _ORIGIN_ICMP6: (1, 4)}


def enable(sock: socket.socket) -> None:
    """Ask for errors. From now on a pending one makes the next send or receive fail, whomever that was for."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def unreachable(sock: socket.socket, most: int) -> Iterator[tuple[str, int]]:
    """Take up to `most` errors from the queue; the addresses to which nothing goes."""
    for _ in range(most):
        try:
            _, ancillary, _, address = sock.recvmsg(0, _ANCILLARY_OCTETS, socket.MSG_ERRQUEUE)
        except OSError:
            return
        for level, kind, data in ancillary:
            if (level, kind) in _RECVERR and len(data) >= _ERROR.size and _is_failure(data):
                yield address[0], address[1]


_RECVERR = ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR))


def _is_failure(data: bytes) -> bool:
    _, origin, kind, code, _, _ = _ERROR.unpack_from(data)
    if origin == _ORIGIN_ICMP and (kind, code) == (_UNREACHABLE, _FRAGMENTATION_NEEDED):
        return False
    return kind in _FAILURES.get(origin, ())
