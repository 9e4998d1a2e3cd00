"""Free ports on loopback, and how one sees that a program has bound its own.

Blocks are handed out once per process, from a place that depends on the process id, so that two runs on
one machine seldom meet; each is tried by binding it, for UDP and for TCP.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .message import Address
from .program import Program, WireError

FIRST, LAST = 20_000, 32_000
"""The range, below the one from which the kernel picks ports for outgoing traffic."""


@dataclass(frozen=True)
class Ports:
    """A range of ports on a host, both ends included."""

    host: str
    first: int
    last: int

    def __contains__(self, address: Address) -> bool:
        return address.host == self.host and self.first <= address.port <= self.last


_lock = threading.Lock()
_next = FIRST + os.getpid() * 40 % (LAST - FIRST)


def block(count: int = 1, host: str = "127.0.0.1") -> int:
    """Return the first of `count` consecutive ports that nobody holds on `host`: an even number, for RTP."""
    global _next
    with _lock:
        for _ in range((LAST - FIRST) // 2):
            first = _next + _next % 2
            _next = FIRST if first + count >= LAST else first + count
            if first + count < LAST and all(_free(host, port) for port in range(first, first + count)):
                return first
    raise WireError(f"no {count} free ports in a row on {host} between {FIRST} and {LAST}")


def bound(host: str, port: int, transport: str) -> bool:
    """Tell whether some program has bound this UDP port, or listens on this TCP port."""
    version = ipaddress.ip_address(host).version
    table = f"/proc/net/{transport}{'6' if version == 6 else ''}"
    state = "0A" if transport == "tcp" else "07"
    wanted = f"{_in_kernel_order(host)}:{port:04X}"
    rows = (line.split() for line in Path(table).read_text(encoding="ascii").splitlines()[1:])
    return any(row[1] == wanted and row[3] == state for row in rows)


def wait_bound(program: Program, host: str, port: int, transport: str = "udp", timeout: float = 10.0) -> None:
    """Return when `program` has bound its port. There is no event for this: the kernel's table is polled."""
    deadline = time.monotonic() + timeout
    while not bound(host, port, transport):
        if program.code is not None or time.monotonic() > deadline:
            raise WireError(f"nobody bound {transport} {host}:{port}, exit code {program.code}\n{program.tail()}")
        time.sleep(0.005)


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def _in_kernel_order(host: str) -> str:
    packed = ipaddress.ip_address(host).packed
    return "".join(packed[i : i + 4][::-1].hex().upper() for i in range(0, len(packed), 4))
