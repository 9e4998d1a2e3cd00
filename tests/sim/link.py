"""The network between the parties: it loses, doubles, delays and reorders datagrams, each as often as it was told.

Owns who listens where, the fate of every packet (drawn from the run's seed), streams, which are reliable and in
order, and what happens where nobody listens: silence, or the sender hears that it failed (an ICMP error, a refused
connection). Everything that passed is kept, with its fate, for the ladder.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import NamedTuple, Protocol

import msgspec

from b2bua.effects import Flow, Transport

from .clock import Clock


class Place(NamedTuple):
    """Where somebody listens: a transport, an IP address, a port."""

    transport: Transport
    host: str
    port: int


class Endpoint(Protocol):
    """Somebody on the network. Flows are as that party sees them: `local` is its own address."""

    def received(self, data: bytes, flow: Flow) -> None:
        """Octets have come: one datagram, or one message of a stream."""

    def broken(self, flow: Flow) -> None:
        """What was sent there cannot be delivered, or the stream is closed."""


class Faults(msgspec.Struct, frozen=True):
    """How bad the network is. Rates are probabilities, delays seconds.

    `patience` bounds the bad luck: of the same message to the same place (start line and topmost header) at most so
    many are lost, so that what retransmits for 64*T1 gets through in every run and no rule has to allow for luck.
    """

    loss: float = 0.0
    twice: float = 0.0
    delay: tuple[float, float] = (0.001, 0.001)
    late: float = 0.0
    lateness: float = 0.0
    unreachable_heard: bool = True
    patience: int = 3


class Passage(NamedTuple):
    """One packet's way: who sent what to whom, and what became of it (`fate` empty: it arrived)."""

    time: float
    source: str
    target: str
    data: bytes
    fate: str


class _Stream:
    """A connection: its two ends by place, and when the last octets arrive at each, so that none overtake."""

    __slots__ = ("ends", "last", "open")

    def __init__(self, opener: Place, listener: Place) -> None:
        self.ends = (opener, listener)
        self.last = [float("-inf"), float("-inf")]
        self.open = True


class Link:
    """The network. `names` turns a host address into a party's name for the ladder; `proofs` has the names that the
    certificate of whoever listens by TLS at a host is for.
    """

    def __init__(self, clock: Clock, draw: Random, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self.passages: list[Passage] = []
        self.names: dict[str, str] = {}
        self.proofs: dict[str, frozenset[str]] = {}
        self._draw = draw
        self._listening: set[Place] = set()
        self._hosts: dict[str, Endpoint] = {}
        self._streams: dict[int, _Stream] = {}
        self._lost: dict[tuple[Place, bytes], int] = {}

    def attach(self, place: Place, endpoint: Endpoint) -> None:
        """Somebody listens there from now on. A host belongs to one party."""
        self._listening.add(place)
        self._hosts[place.host] = endpoint

    def detach(self, host: str) -> None:
        """Nobody is at that host any more; its streams break."""
        self._listening = {place for place in self._listening if place.host != host}
        self._hosts.pop(host, None)
        for number, stream in list(self._streams.items()):
            if stream.open and any(end.host == host for end in stream.ends):
                self.close(number)

    def connect(self, local: Place, remote: Place) -> Flow:
        """A new stream from `local` to `remote`, as the opener sees it. A refusal is heard when octets are sent."""
        number = len(self._streams) + 1
        self._streams[number] = _Stream(local, remote)
        return Flow(remote.transport, local.host, local.port, remote.host, remote.port, number)

    def close(self, number: int) -> None:
        """Break a stream; both ends that still listen hear of it."""
        stream = self._streams[number]
        if not stream.open:
            return
        stream.open = False
        for side in (0, 1):
            self._tell_broken(self._flow(number, side))

    def send(self, data: bytes, flow: Flow) -> None:
        """Send by a flow as the sender sees it."""
        if flow.transport == "UDP":
            self._send_datagram(data, flow)
        else:
            self._send_on_stream(data, flow)

    def _send_datagram(self, data: bytes, flow: Flow) -> None:
        faults, draw = self.faults, self._draw
        target = Place("UDP", flow.remote, flow.remote_port)
        if target not in self._listening:
            self._note(data, flow, "nobody there")
            if faults.unreachable_heard:
                self._tell_broken(flow)
            return
        if faults.loss and draw.random() < faults.loss:
            message = target, b"\r\n".join(data.split(b"\r\n", 2)[:2])
            lost = self._lost.get(message, 0)
            if lost < faults.patience:
                self._lost[message] = lost + 1
                self._note(data, flow, "lost")
                return
        self._note(data, flow, "")
        self._deliver_datagram(data, flow)
        if faults.twice and draw.random() < faults.twice:
            self._note(data, flow, "doubled")
            self._deliver_datagram(data, flow)

    def _deliver_datagram(self, data: bytes, flow: Flow) -> None:
        delay = self._pause()
        if self.faults.late and self._draw.random() < self.faults.late:
            delay += self._draw.random() * self.faults.lateness
        seen = Flow("UDP", flow.remote, flow.remote_port, flow.local, flow.local_port)
        self.clock.after(delay, partial(self._arrive, data, seen))

    def _arrive(self, data: bytes, flow: Flow) -> None:
        endpoint = self._hosts.get(flow.local)
        if endpoint is not None:
            endpoint.received(data, flow)

    def _send_on_stream(self, data: bytes, flow: Flow) -> None:
        number = flow.connection or self._find_stream(flow)
        stream = self._streams.get(number)
        if stream is None or not stream.open:
            self._note(data, flow, "no such connection")
            self._tell_broken(flow)
            return
        if stream.ends[1] not in self._listening or not self._proved(flow):
            self._note(data, flow, "refused")
            stream.open = False
            self._tell_broken(flow)
            return
        self._note(data, flow, "")
        other = 1 if stream.ends[0].host == flow.local else 0
        arrival = stream.last[other] = max(stream.last[other], self.clock.now + self._pause())
        self.clock.at(arrival, partial(self._arrive, data, self._flow(number, other)))

    def _find_stream(self, flow: Flow) -> int:
        """The open stream between these two hosts that reaches this port, else a new one."""
        remote = Place(flow.transport, flow.remote, flow.remote_port)
        for number, stream in self._streams.items():
            if stream.open and stream.ends[1] == remote and stream.ends[0].host == flow.local:
                return number
            if stream.open and stream.ends[0] == remote and stream.ends[1].host == flow.local and not flow.name:
                return number
        return self.connect(Place(flow.transport, flow.local, flow.local_port), remote).connection

    def _proved(self, flow: Flow) -> bool:
        """Whether who is there is who was dialled; only where a name was, which is by TLS."""
        return not flow.name or flow.name in self.proofs.get(flow.remote, ())

    def _flow(self, number: int, side: int) -> Flow:
        here, there = self._streams[number].ends[side], self._streams[number].ends[1 - side]
        return Flow(here.transport, here.host, here.port, there.host, there.port, number)

    def _tell_broken(self, flow: Flow) -> None:
        endpoint = self._hosts.get(flow.local)
        if endpoint is not None:
            self.clock.after(self._pause(), partial(endpoint.broken, flow))

    def _pause(self) -> float:
        shortest, longest = self.faults.delay
        return shortest if shortest == longest else shortest + self._draw.random() * (longest - shortest)

    def _note(self, data: bytes, flow: Flow, fate: str) -> None:
        source = self.names.get(flow.local, flow.local)
        target = self.names.get(flow.remote, flow.remote)
        self.passages.append(Passage(self.clock.now, source, target, data, fate))
