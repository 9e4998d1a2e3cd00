"""The media of one call, where we have a hand in it: relayed, or with music for one who waits.

Owns the choice between media that flows past us and media that we relay, the ports that it takes, and who hears
music. What the ports do is computed anew from both sides' descriptions whenever these change; nothing is remembered
beside them but the policy's word on a hold. Leaves to the legs when a description is sent, to `speaking` those that we
make ourselves, and to `reply` and `invitation` the requests that we answer or send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Protocol

from b2bua.call.events import Content, description
from b2bua.call.leg import Leg
from b2bua.call.plans import Plans
from b2bua.call.side import Side
from b2bua.call.streams import conversation, described, is_relayed, named_host, read, stream_of
from b2bua.effects import Codec, Log, MediaPort
from b2bua.media.ports import Ports
from b2bua.routing.destination import Destination
from b2bua.routing.verdicts import Answer, Media, Sound
from b2bua.sdp.negotiation import (
    answer_direction,
    audio_of,
    direction_of,
    holds,
    playable,
    receives,
    same_content,
    sends,
)
from b2bua.sdp.origin import around_origin
from b2bua.sdp.rewriting import directed, relayed
from b2bua.sdp.session import Direction, Session


class MediaUser(Protocol):
    """The call whose media it is."""

    def sound_over(self) -> None:
        """What we answered with has been heard to its end."""

    def music_possible(self) -> None:
        """There is a media process again: somebody may have to be asked to come to the music."""


class CallMedia:
    """Both sides of a call. `far` is the called side that talks; None before, and where we answered the call ourselves.

    `service` is then what we serve.
    """

    __slots__ = ("_plans", "_ports", "_sides", "_user", "far", "near", "service")

    def __init__(self, ports: Ports, sounds: Mapping[str, Sound], incoming: Leg, user: MediaUser) -> None:
        """`sounds` are the policy's, by name."""
        self._ports = ports
        self._plans = Plans(ports, sounds)
        self._user = user
        self._sides: dict[Leg, Side] = {}
        self.near = self.join(incoming, relayed=False)
        self.far: Side | None = None
        self.service: Answer | None = None

    def know(self, sounds: Mapping[str, Sound]) -> None:
        """The call follows another version of the policy, whose sounds are these, by name."""
        self._plans.know(sounds)

    def join(self, leg: Leg, relayed: bool) -> Side:
        """Another leg of the call."""
        side = self._sides[leg] = Side(leg, relayed)
        leg.adapt = partial(self.tell, side)
        return side

    def fit(self, leg: Leg) -> None:
        """Descriptions for this leg are made here from now on, not by the media of another call."""
        leg.adapt = partial(self.tell, self.side(leg))

    def can_relay(self) -> bool:
        """Whether there are ports for one leg more, beside those that others of this call will need."""
        near = self.near
        waiting = sum(1 for side in self._sides.values() if side.relayed and not side.ports)
        needed = _streams_of(near.leg.said) * (waiting + 1 + (not near.ports))
        return self._ports.free(near.leg.dialog.flow.local) >= needed

    def side(self, leg: Leg) -> Side:
        """The side of a leg; one that nobody told us of is not relayed."""
        return self._sides.get(leg) or self.join(leg, relayed=False)

    def known(self, leg: Leg) -> tuple[Session, ...]:
        """What a leg's party was told last, where that is known, and has said."""
        told, said = self.side(leg).told, described(leg.said)
        return (said,) if told is None else (read(told), said)

    def other(self, side: Side) -> Side | None:
        """Whom this side talks to."""
        return self.far if side is self.near else self.near

    def talks(self, leg: Leg) -> None:
        """The caller gets the media of this called leg."""
        self.far = self.side(leg)

    def face(self, leg: Leg) -> None:
        """Let others be called for this leg's side: it is the near one from now on."""
        far = self.far
        if far is not None and far.leg is leg:
            self.near, self.far = far, self.near
            self.far.relayed = far.relayed

    def stand_in(self, leg: Leg) -> None:
        """The peer of this leg is about to leave, and the other waits for somebody else: it hears what it heard.

        A side without ports holds it in the leaving one's place.
        """
        side = self.far
        if side is None or side.leg is not leg or leg.said is None:
            return
        leg.said = description(directed(leg.said.body, [Direction.SENDONLY] * len(side.said.media)))
        self.far = Side(leg, side.relayed)
        self.far.hold, self.far.held_at = side.hold, side.held_at
        self.update()

    @property
    def is_relayed(self) -> bool:
        """Whether the media that flows now flows through us."""
        return self.far is not None and self.far.relayed

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """What we can play; nothing before there was a media process."""
        return self._ports.codecs

    # Descriptions that pass.

    def tell(self, side: Side, content: Content) -> Content:
        """A description as this side's peer is to see it."""
        far = self.far if side is self.near else side
        body = self._fitting(side, content)
        if far is not None and far.relayed:
            session = described(content)
            self._lend(far, session)
            ports: list[int | None] = [None] * len(session.media)
            for number, (own, partner) in enumerate(zip(side.ports, far.ports, strict=True)):
                if own is not None and partner is not None and number < len(ports):
                    ports[number] = own.port
            body = relayed(body, side.host, ports)
        elif self._sends_in_vain(side):
            body = self.led_away(side, body)
        side.telling = body
        return content if body is content.body else Content(body, content.headers, around_origin(body))

    def can_play(self, side: Side) -> bool:
        """Whether this side could hear music from us."""
        stream = conversation(side.said)
        if stream is None or playable(stream, self._ports.codecs) is None:
            return False
        return self.is_relayed or self.port_beside(side) is not None

    def knows(self, side: Side, offer: Content) -> bool:
        """Whether this side's peer was told just what the other says now."""
        return side.told is not None and same_content(read(side.told), described(offer))

    def agreed(self, legs: Iterable[Leg | None]) -> None:
        """What was on its way to these legs holds from now on."""
        for leg in legs:
            side = None if leg is None else self.side(leg)
            if side is not None and side.telling is not None:
                side.told = side.telling
            self._settle(side)
        for side, other in self._pairs():
            if side.told is None and other.leg.said is not None:
                # It was told before we had a hand in it: just what the other said.
                side.told = other.leg.said.body
        self.update()

    def disagreed(self, legs: Iterable[Leg | None]) -> None:
        """An offer between these legs was refused: the session is what it was (RFC 3261 14.1)."""
        for leg in legs:
            self._settle(None if leg is None else self.side(leg))
        self.update()

    # What follows from them.

    def update(self) -> None:
        """Let our ports do what both descriptions say."""
        if self.far is not None:
            self._plans.talk(self._pairs())
        elif self.service is not None:
            self._plans.serve(self.near, self.service)

    def uninvited(self) -> list[Side]:
        """Whoever shall hear music from us but sends and receives elsewhere, and has not been asked to come."""
        if self.far is None or self.is_relayed:
            return []
        return [side for side in (self.near, self.far) if side.playing and not side.is_beside and not side.declined]

    def played(self, playing: int) -> None:
        """A sound that does not loop has ended: so has the call that was for it."""
        service = self.service
        if service is not None and self.near.playing is not None and self.near.playing.id == playing:
            self._user.sound_over()

    def back(self) -> None:
        """There is a media process again: what could not be played meanwhile is."""
        self.update()
        self._user.music_possible()

    def silent(self, playing: int) -> None:
        """Music was promised, and no packet of it has left."""
        turn = self.near.leg.stack.turn
        turn.count("music_silent")
        turn.effects.append(Log("error", "music is silent", {"playing": playing}))

    def over(self, leg: Leg) -> None:
        """A leg is over: its ports are free."""
        side = self._sides.pop(leg, None)
        if side is None:
            return
        leg.adapt = None
        self._release(side)
        if side is self.far:
            self.far = None
        if not self._sides:
            self._ports.forget(self)

    def spare(self) -> None:
        """The call is answered: ports of the caller that the answering side has no use for are free."""
        if not self.is_relayed:
            self._release(self.near)

    # Ports.

    def port_beside(self, side: Side) -> MediaPort | None:
        """The port for a side whose media passes by us, None where there is none."""
        side.beside = side.beside or self._take(side)
        return side.beside

    def led_away(self, side: Side, body: bytes) -> bytes:
        """The answer for a holder whose media passes by us: what it still sends comes to us and goes nowhere.

        So the held phone hears the music and nothing else. Without a port the answer stays as it is.
        """
        session = read(body)
        number = audio_of(session)
        port = None if number is None else self.port_beside(side)
        if port is None:
            return body
        return relayed(body, side.host, [port.port if n == number else None for n in range(len(session.media))])

    def port_for_service(self, number: int) -> MediaPort | None:
        """The port for a caller whom we answer ourselves, for that stream of its description."""
        self._release(self.near)
        port = self._take(self.near)
        if port is not None:
            self.near.ports = [*[None] * number, port]
        return port

    # Inside.

    def _pairs(self) -> tuple[tuple[Side, Side], ...]:
        """Each side that talks with the other."""
        return () if self.far is None else ((self.near, self.far), (self.far, self.near))

    def _take(self, side: Side) -> MediaPort | None:
        port = self._ports.take(side.leg.dialog.flow.local, self)
        if port is None:
            self._ports.wait(self)
        return port

    def _lend(self, far: Side, session: Session) -> None:
        """A port on each side for each stream that we relay; a stream for which one is missing passes by us."""
        streams = max(len(session.media), len(self.near.ports), len(far.ports))
        for side in (self.near, far):
            side.ports += [None] * (streams - len(side.ports))
        for number, stream in enumerate(session.media):
            if far.ports[number] is not None or not is_relayed(stream):
                continue
            near_port = self.near.ports[number] or self._take(self.near)
            far_port = self._take(far) if near_port is not None else None
            self.near.ports[number], far.ports[number] = near_port, far_port

    def _release(self, side: Side) -> None:
        for port in (*side.ports, side.beside):
            if port is not None:
                self._ports.give_back(port)
        side.ports = []
        side.beside = side.playing = None

    def _settle(self, side: Side | None) -> None:
        if side is not None:
            side.telling = side.saying = side.proposed = None

    def _sends_in_vain(self, side: Side) -> bool:
        """Whether this side offers to hold one who will hear music from us instead."""
        other = self.other(side)
        holding = side.plays and side.saying is not None and holds(described(side.saying))
        return holding and other is not None and self.can_play(other)

    def _fitting(self, side: Side, content: Content) -> bytes:
        """A description in which whoever shall hear music from us is sent something, whatever its holder says.

        An answer to an offer of the side's own stays one that this offer allows (RFC 3264 section 6.1).
        """
        other = self.other(side) if side is self.near else self.near
        session = described(content)
        number = audio_of(session)
        if number is None or other is None or not (other.plays or side.plays) or not self._ports.codecs:
            return content.body
        ways = [stream.direction for stream in session.media]
        stream = session.media[number]
        sending, receiving = sends(stream.direction) or (other.plays and not receives(stream)), receives(stream)
        offered = stream_of(described(side.saying), number)
        ways[number] = direction_of(sending, receiving)
        if offered is not None:
            ways[number] = answer_direction(offered, sending, receiving)
        return content.body if ways[number] is stream.direction else directed(content.body, ways)


def _streams_of(offer: Content | None) -> int:
    """How many ports a leg needs that gets this offer; to be safe one, where it is to make its own."""
    return 1 if offer is None else sum(map(is_relayed, described(offer).media))


def relays(mode: Media, caller: Leg, destination: Destination) -> bool:
    """Whether the media between these two is to flow through us: in doubt it is.

    It may pass by us where both are known to send from the very address that they name: a caller whose description
    names the source of its INVITE, and a phone whose Contact names the source of its REGISTER.
    """
    if mode != "auto":
        return mode == "relay"
    source, called = caller.seen_at or caller.dialog.flow.remote, destination.source
    if called is None or named_host(caller.said) != source:
        return True
    return destination.hop.uri.host != called or (":" in source) != (":" in called)
