"""The media process's sockets: an RTP and an RTCP socket a port, bound in advance (RFC 3550 section 11).

Owns binding, and what each socket has to know of its peer so that a packet's way is short. Leaves reading and sending
to `relay` and `players`.
"""

from __future__ import annotations

import errno
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from b2bua.effects import MediaPlan, MediaPort
from b2bua.io.media.protocol import Open
from b2bua.media.latch import ControlLatch, Latch, Source, usable

SPARE_DESCRIPTORS = 64
"""Left for everything else."""


class Way:
    """One socket and its peer. What a packet needs on its way lies here, computed when a plan or a lock changes.

    `locked` is the only source that gets in, None while it is not known; `address` where the peer is sent to; `target`
    the way whose peer gets what arrives here; `echo` the mask of an echo, 0 for none; `plays`: its peer hears a sound,
    and nothing else. `turn` is the relay's last in which something had arrived.
    """

    __slots__ = ("address", "echo", "latch", "locked", "plays", "receive", "send", "six", "sock", "target", "turn")

    def __init__(self, sock: socket.socket, latch: Latch) -> None:
        self.sock = sock
        self.receive: Callable[[bytearray], tuple[int, Any]] = sock.recvfrom_into
        self.send: Callable[[bytes | memoryview, Source], int] = sock.sendto
        self.six = sock.family == socket.AF_INET6
        self.latch = latch
        self.locked: Source | None = None
        self.address: Source | None = None
        self.target: Way | None = None
        self.echo = 0
        self.plays = False
        self.turn = -1

    def aim(self, remote: Source | None, learn: str | None) -> None:
        """What the plan says of the peer."""
        self.latch.aim(usable(remote, self.six), learn)
        self.look()

    def look(self) -> None:
        """The latch has changed."""
        self.locked, self.address = self.latch.locked, self.latch.address


class Port:
    """A pair of sockets, and its plan. `media` is RTP's way and `control` RTCP's."""

    __slots__ = ("control", "id", "media", "plan", "shown")

    def __init__(self, id: int, media: socket.socket, control: socket.socket) -> None:
        self.id = id
        latch = Latch()
        self.media = Way(media, latch)
        self.control = Way(control, ControlLatch(latch))
        self.plan: MediaPlan | None = None
        host, number = media.getsockname()[:2]
        self.shown = MediaPort(id, host, number)

    @property
    def reporting(self) -> Way:
        """The way of our own reports: RTP's, where the peer takes both at one port (RFC 5761)."""
        return self.media if self.media.latch.remote == self.control.latch.remote else self.control

    def aim(self, plan: MediaPlan | None) -> None:
        """Take what a plan says of the peer; without one, forget it."""
        remote, control, learn = (None, None, None) if plan is None else (plan.remote, plan.control, plan.learn)
        self.media.aim(remote, learn)
        self.control.aim(control, learn)
        if plan is None:
            for way in (self.media, self.control):
                way.latch.forget()
                way.look()


def raise_descriptor_limit() -> int:
    """As many descriptors as we may have; how many these are."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return most
    return soft


def bind(opening: Open, descriptors: int, missing: Counter[str]) -> Iterator[Port]:
    """Bind what can be bound; the reasons of what cannot are counted in `missing`.

    A port's id depends on its place in the range only, so that after a restart it is the same port.
    """
    numbers = range(opening.first_port + opening.first_port % 2, opening.last_port, 2)
    for place, host in enumerate(opening.hosts):
        for index, number in enumerate(numbers):
            try:
                media, control = _pair(host, number, descriptors - SPARE_DESCRIPTORS)
            except OSError as error:
                missing[errno.errorcode.get(error.errno or 0, str(error))] += 1
            else:
                yield Port(place * len(numbers) + index, media, control)


def _pair(host: str, number: int, descriptors: int) -> tuple[socket.socket, socket.socket]:
    """Both sockets or none. Raises OSError."""
    media = _bound(host, number)
    try:
        control = _bound(host, number + 1)
    except OSError:
        media.close()
        raise
    if control.fileno() >= descriptors:
        media.close()
        control.close()
        raise OSError(errno.EMFILE, "too many open files")
    return media, control


def _bound(host: str, number: int) -> socket.socket:
    six = ":" in host
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, number))
    except OSError:
        sock.close()
        raise
    return sock
