"""Who hears whom and what: packets followed in the mind, from the plans of the ports and what phones agreed.

A phone sends where it was told to, if that is to receive and its own description says that it sends; a port does what
its plan says, with the sources that the relay's rules let in (`b2bua.media.latch`). What arrives at a phone it hears,
whether it wants to or not. Owns no judgement of what is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from b2bua.effects import MediaPlan, MediaPort
from b2bua.sdp.negotiation import OWN, formats_of, receives, sends
from b2bua.sdp.session import Media, Session

Place = tuple[str, int]
_NOT_HEARD = ("telephone-event", "cn")


class Ear(msgspec.Struct, frozen=True):
    """One phone in one dialog: what it said of itself and what it was told.

    `host` is where the network sees it; `shift` is what a NAT adds to its ports, None where there is none: then its
    packets come from the ports that it names, and reach it there.
    """

    name: str
    host: str
    shift: int | None
    mine: Session
    theirs: Session


class Heard(msgspec.Struct, frozen=True, order=True):
    """What arrives: of whom or which sound, what kind of stream, which way it came, in which codec.

    The codec is `NOISE` where the number that it is sent under means something else to the listener, or nothing.
    """

    what: str
    kind: str
    way: str
    codec: str


class Hearing:
    """The media process as the core sees it, and the air between phones.

    `sounds` gives names by version; `begun` are the sounds that were begun, in their order, each once.
    """

    def __init__(self) -> None:
        self._ids: dict[Place, int] = {}
        self.plans: dict[int, MediaPlan] = {}
        self.sounds: Mapping[str, str] = {}
        self.up = False
        self.begun: dict[int, str] = {}
        self._locked: dict[int, Place] = {}

    def begin(self, ports: Iterable[MediaPort]) -> None:
        """The process is there, with these ports and no plans."""
        self.up = True
        self._ids = {(port.host, port.port): port.id for port in ports}
        self.plans, self._locked = {}, {}

    def end(self) -> None:
        """The process died."""
        self.up = False
        self.plans, self._locked = {}, {}

    def set(self, port: int, plan: MediaPlan | None) -> None:
        """What the core says of a port. Nobody hears it while there is no process."""
        if not self.up:
            return
        before = self.plans.get(port)
        if before is None or plan is None or before.remote != plan.remote:
            self._locked.pop(port, None)
        if plan is None:
            self.plans.pop(port, None)
        else:
            self.plans[port] = plan
            if plan.play is not None:
                self.begun.setdefault(plan.play.id, plan.play.sound)

    def playing_to(self, ears: Iterable[Ear], name: str) -> tuple[int, int] | None:
        """The port and the playing that this phone hears."""
        ears = list(ears)
        for id, plan in self.plans.items():
            to = self._peer(id)
            if plan.play is not None and to is not None and any(e.name == name and _stream_at(e, to) for e in ears):
                return id, plan.play.id
        return None

    def listen(self, ears: Iterable[Ear]) -> dict[str, list[Heard]]:
        """What each phone hears now; the ports learn from where phones send."""
        ears = list(ears)
        packets = [packet for ear in ears for packet in _packets(ear)]
        arriving = []
        for source, target, media, what, codec, number in packets:
            port = self._port_at(target)
            if port is None:
                arriving.append((target, media.kind, what, "direct", codec, number))
            elif self._admits(port, source):
                arriving.append((target, media.kind, what, "in", codec, number))
        heard: dict[str, list[Heard]] = {ear.name: [] for ear in ears}
        for target, kind, what, way, codec, number in arriving:
            to: Place | None = target
            if way == "in":
                to, way = self._forwarded(self._port_at(target)), "relayed"
            self._deliver(heard, ears, to, what, kind, way, codec, number)
        for id, plan in self.plans.items():
            if plan.play is not None:
                sound = self.sounds.get(plan.play.sound, plan.play.sound)
                own = OWN[plan.play.codec]
                meaning = (own.name.lower(), own.clock, own.channels)
                number = str(plan.play.payload_type)
                self._deliver(heard, ears, self._peer(id), sound, "audio", "played", meaning, number)
        return {name: sorted(each) for name, each in heard.items()}

    def _deliver(
        self,
        heard: dict[str, list[Heard]],
        ears: list[Ear],
        to: Place | None,
        what: str,
        kind: str,
        way: str,
        codec: tuple[str, int, int] | None,
        number: str,
    ) -> None:
        for ear in ears:
            media = _stream_at(ear, to) if to is not None else None
            if media is None:
                continue
            name = "itself" if what == ear.name else what
            spoken = "" if codec is None else codec[0].upper() if formats_of(media).get(number) == codec else "NOISE"
            heard[ear.name].append(Heard(name, kind, way, spoken))

    def _port_at(self, place: Place) -> int | None:
        return self._ids.get(place)

    def _admits(self, id: int, source: Place) -> bool:
        plan = self.plans.get(id)
        if plan is None:
            return False
        if id not in self._locked and (source == plan.remote or source[0] == plan.learn):
            self._locked[id] = source
        return self._locked.get(id) == source

    def _forwarded(self, id: int | None) -> Place | None:
        plan = self.plans.get(id) if id is not None else None
        partner = self.plans.get(plan.to) if plan is not None and plan.to is not None else None
        if plan is None or plan.to is None or partner is None or partner.play is not None:
            return None
        return self._peer(plan.to)

    def _peer(self, id: int) -> Place | None:
        """Where this port sends to."""
        plan = self.plans[id]
        return None if plan.remote is None else self._locked.get(id, plan.remote)


def _packets(ear: Ear) -> Iterable[tuple[Place, Place, Media, str, tuple[str, int, int] | None, str]]:
    """What a phone sends: source, target, its stream, its name, codec and payload number."""
    for mine, theirs in zip(ear.mine.media, ear.theirs.media, strict=False):
        if not mine.port or not sends(mine.direction) or not receives(theirs) or theirs.connection is None:
            continue
        known = set(formats_of(mine).values())
        formats = [(n, f) for n, f in formats_of(theirs).items() if f[0] not in _NOT_HEARD]
        number, codec = next(((n, f) for n, f in formats if f in known), ("", None))
        if mine.kind == "audio" and codec is None:
            continue
        source = (ear.host, mine.port + (ear.shift or 0))
        yield source, (theirs.connection.address, theirs.port), mine, ear.name, codec, number


def _stream_at(ear: Ear, place: Place) -> Media | None:
    """Which of a phone's streams what is sent there reaches."""
    if place[0] != ear.host:
        return None
    return next((m for m in ear.mine.media if m.port and m.port + (ear.shift or 0) == place[1]), None)
