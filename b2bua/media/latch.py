"""Who may send to one of our sockets (latching, RFC 7362 section 4, with the address that was signalled preferred).

Owns the rules for RTP and for RTCP. A packet from exactly where the peer's description says that it receives is the
peer's. A peer behind NAT sends from elsewhere: where that is expected, another port of one address may show itself to
be the peer's, as long as the peer has not been heard from where it should. Once somebody was found, nobody else gets in
until the description names another place. Leaves sockets and counting to the edge.
"""

from __future__ import annotations

import ipaddress
from typing import Final, TypeAlias

from b2bua.media import rtcp, rtp

Source: TypeAlias = tuple[str, int]

CONSISTENT: Final = 4
"""Packets of one stream, each following the last, that show a source to be the peer.

One may be anybody's: a stray, a stream's of the port's last call, a probe sprayed at all ports. Repeating one is no
more, for the sequence must go on. Four in a row mean somebody who talks to this port and means to; they take 80 ms,
which a listener hardly misses, and in which the peer itself, if it can send from where it said, has been heard.
"""

_AHEAD: Final = 5
"""How far a sequence number may be beyond the last one, packets on the way having been lost."""


def usable(address: Source | None, six: bool) -> Source | None:
    """An address as the kernel writes it; None when it is none to send to by a socket of that family.

    A name is none: to look it up would stop everything. So are groups and port 0.
    """
    if address is None:
        return None
    host, port = address
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if (ip.version == 6) is not six or ip.is_multicast or ip.is_unspecified or not 0 < port < 65_536:
        return None
    return ip.compressed, port


class Latch:
    """The sources of one RTP socket. `locked` is the one that gets in, once it is known; `ssrc` is what it sent with.

    `remote` is the place that was signalled, None if there is none; `learn` an address whose other ports may show
    themselves to be the peer's, None for no others. Both as the kernel writes them.
    """

    __slots__ = ("_count", "_from", "_stream", "learn", "locked", "remote", "ssrc")

    def __init__(self) -> None:
        self.remote: Source | None = None
        self.learn: str | None = None
        self.forget()

    def forget(self) -> None:
        """Nobody was heard yet."""
        self.locked: Source | None = None
        self.ssrc: int | None = None
        self._from: Source | None = None
        self._stream = (0, 0)
        self._count = 0

    def aim(self, remote: Source | None, learn: str | None) -> None:
        """What the plan says. Another remote is another peer, for all that is known."""
        if remote != self.remote:
            self.forget()
        self.remote, self.learn = remote, learn

    @property
    def address(self) -> Source | None:
        """Where to send to the peer; None for nowhere."""
        return None if self.remote is None else self.locked or self.remote

    def admits(self, source: Source, packet: rtp.Octets, size: int) -> bool:
        """Whether a packet of that size, at the start of `packet`, gets in. It may lock the source."""
        if self.locked is not None:
            return source == self.locked
        if source != self.remote and not (source[0] == self.learn and self._shown(source, packet, size)):
            return False
        self.locked = source
        self._note(packet, size)
        return True

    def _note(self, packet: rtp.Octets, size: int) -> None:
        found = rtp.stream(packet, size)
        self.ssrc = None if found is None else found[0]

    def _shown(self, source: Source, packet: rtp.Octets, size: int) -> bool:
        """Whether this packet is the one that shows its source to be the peer."""
        found = rtp.stream(packet, size)
        if found is None:
            return False
        ssrc, sequence = found
        before, last = self._stream
        follows = source == self._from and ssrc == before and 0 < (sequence - last) & 0xFFFF <= _AHEAD
        self._count = self._count + 1 if follows else 1
        self._from, self._stream = source, found
        return self._count >= CONSISTENT


class ControlLatch(Latch):
    """The sources of one RTCP socket, beside the RTP socket of `media`.

    Reports come some seconds apart, so that waiting for a row of them would take long: a report by whoever was locked
    for RTP, by its SSRC, is enough. Who only listens has no RTP: a row of his reports is waited for.
    """

    __slots__ = ("_media",)

    def __init__(self, media: Latch) -> None:
        super().__init__()
        self._media = media

    def _note(self, packet: rtp.Octets, size: int) -> None:
        self.ssrc = rtcp.sender(packet, size)

    def _shown(self, source: Source, packet: rtp.Octets, size: int) -> bool:
        ssrc = rtcp.sender(packet, size)
        if ssrc is None:
            return False
        if self._media.locked is not None and self._media.ssrc == ssrc and self._media.locked[0] == source[0]:
            return True
        follows = source == self._from and ssrc == self._stream[0]
        self._count = self._count + 1 if follows else 1
        self._from, self._stream = source, (ssrc, 0)
        return self._count >= CONSISTENT
