"""Strangers who spray RTP at ports that are not meant for them.

Owns well-formed packets from many sources, each with its own SSRC, so that one sees where any of them arrives.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import Self

from .message import Address
from .ports import Ports

_SILENCE = b"\xff" * 160


class Strangers:
    """One socket at each of `hosts`; `sent` counts packets, `ssrcs` are theirs."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in hosts]
        for opened, host in zip(self._sockets, hosts, strict=True):
            opened.bind((host, 0))
        self.ssrcs = frozenset(0x5BAD0000 + number for number in range(len(hosts)))
        self.sent = 0
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        for opened in self._sockets:
            opened.close()

    def spray(self, ports: Ports, *, rounds: int = 1) -> None:
        """Send a packet from everyone to every port, so many times."""
        for _ in range(rounds):
            self._sequence += 1
            for opened, ssrc in zip(self._sockets, sorted(self.ssrcs), strict=True):
                packet = struct.pack("!BBHII", 0x80, 0, self._sequence, self._sequence * 160, ssrc) + _SILENCE
                for port in range(ports.first, ports.last + 1):
                    opened.sendto(packet, Address(ports.host, port))
                    self.sent += 1
