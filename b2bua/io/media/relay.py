"""The relay: what arrives at one port goes on to the peer of another, as it is.

Owns a packet's way through, and counting. Who may send is the latch's to say; what a port is to do is told to `route`.
RTP, RTCP, both on one port, and DTMF events (RFC 4733) pass unread.
"""

from __future__ import annotations

from b2bua.effects import MediaPlan
from b2bua.io.media.ports import Port, Way
from b2bua.media import rtp
from b2bua.media.latch import Source
from b2bua.media.player import Draw

BATCH = 8
"""Packets taken in one turn from a socket that had some in the turn before, too. From others one is taken: a stream
has one in 20 ms, and asking in vain whether there is another takes a sixth of the time of relaying it.
"""

_DATAGRAM_OCTETS = 65_536


class Relay:
    """All ports by their id, and what went through them. `draw` makes random bits; `turn` counts rounds of sockets."""

    def __init__(self, ports: dict[int, Port], draw: Draw) -> None:
        self._ports = ports
        self._draw = draw
        self._buffer = bytearray(_DATAGRAM_OCTETS)
        self._view = memoryview(self._buffer)
        self.turn = 0
        self.relayed = self.strangers = self.unwanted = self.lost = 0

    def route(self, port: Port, plan: MediaPlan | None) -> None:
        """Say where a port's packets come from and go to."""
        port.aim(plan)
        target = None if plan is None or plan.to is None else self._ports.get(plan.to)
        port.media.echo = port.control.echo = 0
        port.media.target = port.control.target = None
        if target is port:
            # Reports are no news to whom they come from: only RTP goes back.
            port.media.target = port.media
            port.media.echo = 1 + self._draw(31)
        elif target is not None:
            port.media.target, port.control.target = target.media, target.control

    def take(self, way: Way) -> None:
        """Packets have arrived there: let some go on."""
        receive, buffer, turn = way.receive, self._buffer, self.turn
        batch = BATCH if way.turn == turn - 1 else 1
        way.turn = turn
        for _ in range(batch):
            try:
                size, source = receive(buffer)
            except OSError:
                # There is no more; or the error of a packet that was sent, which is told once and is of no use.
                return
            if way.six:
                source = source[:2]
            if source != way.locked and not self._admitted(way, source, size):
                self.strangers += 1
                continue
            target = way.target
            if target is None or target.plays or (address := target.address) is None:
                self.unwanted += 1
                continue
            if way.echo and not rtp.echo(buffer, size, way.echo):
                self.unwanted += 1
                continue
            try:
                target.send(self._view[:size], address)
            except OSError:
                self.lost += 1
            else:
                self.relayed += 1

    def _admitted(self, way: Way, source: Source, size: int) -> bool:
        """Ask the latch about somebody who is not the one that it has locked."""
        admitted = way.latch.admits(source, self._buffer, size)
        if admitted:
            way.look()
        return admitted
