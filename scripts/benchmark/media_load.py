"""Phones: listeners whose packets are timed as they arrive, pairs that talk by relay, and deaf ones that count.

Owns their sockets and what is counted. The kernel notes when a packet arrives (SO_TIMESTAMPNS), so that it does not
matter when this process, on its own core, comes to read it. A listener's packet is late by as much as it came after
its turn: turns are 20 ms apart, and by the earliest packet none is early. A talker's packet carries when it was sent.
"""

from __future__ import annotations

import ctypes
import select
import socket
import struct
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from b2bua.media.schedule import Schedule

LISTENING = "127.0.0.5"
"""Where phones are."""

_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("=9I")
"""What the kernel says of a socket, last how many packets it has dropped there (linux/sock_diag.h)."""
_DROP = struct.pack("=HBBI", 6, 0, 0, 0)
"""A filter of one step: take none of it (linux/filter.h)."""
_TIMESPEC = struct.Struct("=qq")
_HEADER = struct.Struct("!BBHII")
_SENT = struct.Struct("!Q")
_CLOCK = 8_000
_TICKS = 160
_OCTETS = 172
_READ_SECONDS = 0.005
_LAST_SECONDS = 0.3
_BUFFER_OCTETS = 1 << 20


class Phone:
    """One socket. `late` are a listener's packets, each by how many seconds it came after its turn by the first."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_OCTETS)
        self.sock.bind((LISTENING, 0))
        self.at: tuple[str, int] = self.sock.getsockname()
        self.receive = self.sock.recvmsg
        self.late = array("d")
        self._first: tuple[float, int] | None = None
        self._sequence = 0

    def hear(self, at: float, data: bytes) -> None:
        """A packet of the sound arrived at that time (wall seconds)."""
        timestamp = _HEADER.unpack_from(data)[3]
        if self._first is None:
            self._first = at, timestamp
        began, start = self._first
        self.late.append(at - began - ((timestamp - start) & 0xFFFFFFFF) / _CLOCK)

    def deafen(self) -> None:
        """Let the kernel count what arrives, and drop it."""
        drop = ctypes.create_string_buffer(_DROP)
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(drop)))

    @property
    def dropped(self) -> int:
        """How many packets have arrived since it became deaf."""
        dropped: int = _MEMINFO.unpack(self.sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1]
        return dropped

    def say(self, to: tuple[str, int]) -> None:
        """Send the next packet of a talk."""
        self._sequence = sequence = (self._sequence + 1) & 0xFFFF
        header = _HEADER.pack(0x80, 0, sequence, sequence * _TICKS, 7) + _SENT.pack(time.time_ns())
        self.sock.sendto(header.ljust(_OCTETS, b"\0"), to)


@dataclass
class Heard:
    """What one load came to. Lateness and delays in seconds, sorted."""

    lateness: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    said: int = 0
    missed: int = 0
    """Turns at which a phone should have talked and this process was too late for it."""

    @property
    def lost(self) -> int:
        """Packets that were said and not heard."""
        return self.said - len(self.delays)


def part(values: list[float], share: float) -> float:
    """The value that so large a share of sorted ones does not exceed; 0 without any."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


class Load:
    """Listeners, and pairs of talkers each of whom sends to a port of his own."""

    def __init__(self, listeners: list[Phone], talkers: dict[Phone, tuple[str, int]]) -> None:
        self._listeners = listeners
        self._talkers = talkers
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, Phone] = {}
        for phone in (*listeners, *talkers):
            self._epoll.register(phone.sock, select.EPOLLIN)
            self._by_descriptor[phone.sock.fileno()] = phone
        self._delays = array("d")

    def close(self) -> None:
        """Hang up."""
        self._epoll.close()
        for phone in self._by_descriptor.values():
            phone.sock.close()

    def run(self, warm_up: float, seconds: float, opens: Callable[[], None], closes: Callable[[], None]) -> Heard:
        """Talk and listen; what comes while it warms up does not count. `opens` and `closes` bound what counts."""
        self._talk(warm_up)
        # What is still on its way belongs to the warm-up.
        time.sleep(_LAST_SECONDS)
        self._drain()
        self._delays = array("d")
        for phone in self._listeners:
            phone.late = array("d")
        opens()
        heard = self._talk(seconds)
        closes()
        time.sleep(_LAST_SECONDS)
        self._drain()
        heard.delays = sorted(self._delays)
        for phone in self._listeners:
            earliest = min(phone.late, default=0.0)
            heard.lateness += [late - earliest for late in phone.late]
        heard.lateness.sort()
        return heard

    def _talk(self, seconds: float) -> Heard:
        heard = Heard()
        now = time.monotonic()
        until, read_at = now + seconds, now
        schedule: Schedule[Phone] = Schedule(now)
        for phone in self._talkers:
            schedule.add(phone, now)
        while now < until:
            for _, missed, phones in schedule.turns(now):
                heard.missed += missed * len(phones)
                heard.said += len(phones)
                for phone in phones:
                    phone.say(self._talkers[phone])
            if now >= read_at:
                self._drain()
                read_at = now + _READ_SECONDS
            due = schedule.due
            time.sleep(max(0.0, min(read_at, until if due is None else due) - time.monotonic()))
            now = time.monotonic()
        return heard

    def _drain(self) -> None:
        """Read what has arrived."""
        talkers, delays = self._talkers, self._delays
        space = socket.CMSG_SPACE(_TIMESPEC.size)
        while found := self._epoll.poll(0, 4_096):
            for descriptor, _ in found:
                phone = self._by_descriptor[descriptor]
                data, extra, _, _ = phone.receive(2_048, space)
                seconds, nanoseconds = _TIMESPEC.unpack(extra[0][2])
                if phone in talkers:
                    sent = _SENT.unpack_from(data, _HEADER.size)[0]
                    delays.append((seconds * 1_000_000_000 + nanoseconds - sent) * 1e-9)
                else:
                    phone.hear(seconds + nanoseconds * 1e-9, data)
