"""The media of one call, where we have a hand in it: relayed, or with music for one who waits.

Owns the choice between media that flows past us and media that we relay, the ports that it takes, and who hears
music. What the ports do is computed anew from both sides' descriptions whenever these change; nothing is remembered
beside them but the policy's word on a hold. Leaves to the legs when a description is sent, and to `reply` and
`music` the requests that we answer or send ourselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from b2bua.call.events import Content
from b2bua.call.leg import Leg
from b2bua.call.streams import control_of, conversation, described, is_relayed, remote_of, stream_of
from b2bua.effects import Codec, Log, MediaPlan, MediaPort, Playing
from b2bua.media.ports import Ports
from b2bua.routing.destination import Destination
from b2bua.routing.verdicts import Answer, Continue, Media, Play, Sound
from b2bua.sdp.negotiation import (
    TELEPHONE_EVENT,
    answer,
    answer_direction,
    audio_of,
    common_formats,
    direction_of,
    first_answer,
    first_offer,
    formats_of,
    holds,
    playable,
    receives,
    sends,
)
from b2bua.sdp.origin import around_origin
from b2bua.sdp.rewriting import directed, limited, relayed
from b2bua.sdp.session import Direction, Session
from b2bua.sdp.session import Media as Stream

Hold: TypeAlias = Play | Continue

TONE = "tone"
"""The version of the sound that the media process makes itself."""

_SDP = (("Content-Type", "application/sdp"),)


class Side:
    """One leg's half of the media.

    `told` is what its peer was told last, as agreed, where that is not simply what the other peer said; `telling` is on
    its way to that. `ports` face the peer, one a stream, None where the stream passes by us; `relayed` is whether they
    shall. `hold` is the policy's word on the hold that the peer began at `held_at` (wall seconds), and `proposed` its
    word on one that is not agreed yet. `playing` is what the peer hears of us; `music` is the port for that where its
    media otherwise passes by, and `declined` whether the peer would not come there.
    """

    __slots__ = (
        "declined",
        "held_at",
        "hold",
        "leg",
        "music",
        "playing",
        "ports",
        "proposed",
        "relayed",
        "telling",
        "told",
    )

    def __init__(self, leg: Leg, relayed: bool) -> None:
        self.leg = leg
        self.relayed = relayed
        self.told: bytes | None = None
        self.telling: bytes | None = None
        self.ports: list[MediaPort | None] = []
        self.hold: Hold | None = None
        self.proposed: Hold | None = None
        self.held_at = 0.0
        self.music: MediaPort | None = None
        self.playing: Playing | None = None
        self.declined = False

    @property
    def said(self) -> Session:
        """What the peer said last of itself."""
        return described(self.leg.said)

    @property
    def host(self) -> str:
        """The address of ours that the peer sends media to."""
        return self.leg.stack.ways.place(self.leg.dialog.flow).host


class CallMedia:
    """Both sides of a call. `far` is the called side that talks; None before, and where we answered the call ourselves.

    `service` is then what we serve, and `ended` is called when its sound is over.
    """

    __slots__ = ("_ended", "_ports", "_sides", "_sounds", "far", "near", "service")

    def __init__(self, ports: Ports, sounds: Mapping[str, Sound], incoming: Leg, ended: Callable[[], None]) -> None:
        """`sounds` are the policy's, by name."""
        self._ports = ports
        self._sounds = sounds
        self._ended = ended
        self._sides: dict[int, Side] = {}
        self.near = self.join(incoming, relayed=False)
        self.far: Side | None = None
        self.service: Answer | None = None

    def join(self, leg: Leg, relayed: bool) -> Side:
        """Another leg of the call."""
        side = self._sides[leg.number] = Side(leg, relayed)
        leg.adapt = partial(self.tell, side)
        return side

    def can_relay(self) -> bool:
        """Whether there are ports for one leg more, beside those that others of this call will need."""
        near = self.near
        waiting = sum(1 for side in self._sides.values() if side.relayed and not side.ports)
        needed = _streams_of(near.leg.said) * (waiting + 1 + (not near.ports))
        return self._ports.free(near.leg.dialog.flow.local) >= needed

    def side(self, leg: Leg) -> Side:
        """The side of a leg; one that nobody told us of is not relayed."""
        return self._sides.get(leg.number) or self.join(leg, relayed=False)

    def other(self, side: Side) -> Side | None:
        """Whom this side talks to."""
        return self.far if side is self.near else self.near

    def talks(self, leg: Leg) -> None:
        """The caller gets the media of this called leg."""
        self.far = self.side(leg)

    @property
    def is_relayed(self) -> bool:
        """Whether the media that flows now flows through us."""
        return self.far is not None and self.far.relayed

    # Descriptions that pass.

    def tell(self, side: Side, content: Content) -> Content:
        """A description as this side's peer is to see it."""
        far = self.far if side is self.near else side
        body = content.body
        if far is not None and far.relayed:
            self._lend(far, described(content))
            ports: list[int | None] = [None] * len(described(content).media)
            for number, (own, partner) in enumerate(zip(side.ports, far.ports, strict=True)):
                if own is not None and partner is not None and number < len(ports):
                    ports[number] = own.port
            body = relayed(body, side.host, ports)
            content = Content(body, content.headers, around_origin(body))
        side.telling = body
        return content

    def told(self, side: Side) -> bytes | None:
        """What this side's peer was told last."""
        if side.told is not None:
            return side.told
        other = self.other(side)
        return other.leg.said.body if other is not None and other.leg.said is not None else None

    def agreed(self) -> None:
        """What was on its way holds from now on."""
        for side in self._sides_now():
            if side.telling is not None:
                side.told, side.telling = side.telling, None
        self.update()

    def told_of_hold(self, side: Side) -> bool:
        """Whether this side's peer was told that the other does not hear it."""
        told = self.told(side)
        return told is not None and holds(described(Content(told, ())))

    def disagreed(self) -> None:
        """An offer was refused: the session is what it was (RFC 3261 14.1)."""
        for side in self._sides_now():
            side.telling = side.proposed = None

    # What follows from them.

    def update(self) -> None:
        """Let our ports do what both descriptions say."""
        far = self.far
        if far is None:
            self._serve()
            return
        for side, other in ((self.near, far), (far, self.near)):
            wanted = self.wanted(side, other)
            side.declined = side.declined and wanted is not None
            self._choose(side, None if wanted is None else (self._sounds[wanted.sound].version, wanted.loop))
        for side, other in ((self.near, far), (far, self.near)):
            for number, port in enumerate(side.ports):
                if port is not None:
                    self._ports.set(port, self._plan(side, other, number))
            self._play_beside(side)

    def wanted(self, side: Side, other: Side) -> Play | None:
        """The music for this side: while the other holds, this one receives, and the policy said `play`."""
        if not isinstance(other.hold, Play) or not holds(other.said):
            return None
        stream = conversation(side.said)
        return other.hold if stream is not None and receives(stream) else None

    def uninvited(self) -> list[Side]:
        """Whoever shall hear music from us but sends and receives elsewhere, and has not been asked to come."""
        if self.is_relayed:
            return []
        return [side for side in self._sides_now() if side.playing and side.music is None and not side.declined]

    def played(self, playing: int) -> None:
        """A sound that does not loop has ended: so has the call that was for it."""
        service = self.service
        if service is not None and self.near.playing is not None and self.near.playing.id == playing:
            self._ended()

    def silent(self, playing: int) -> None:
        """Music was promised, and no packet of it has left."""
        turn = self.near.leg.stack.turn
        turn.count("music_silent")
        turn.effects.append(Log("error", "music is silent", {"playing": playing}))

    def over(self, leg: Leg) -> None:
        """A leg is over: its ports are free."""
        side = self._sides.pop(leg.number, None)
        if side is None:
            return
        leg.adapt = None
        self._release(side)
        if side is self.far:
            self.far = None

    def spare(self) -> None:
        """The call is answered: ports of the caller that the answering side has no use for are free."""
        if not self.is_relayed:
            self._release(self.near)

    # What we say ourselves.

    def answer(self, side: Side, offer: Content | None) -> Content | None:
        """Our own answer to this side's offer, or our offer where it made none; None where the other side has to.

        We say for the other side what that one can do; whoever hears music is sent it.
        """
        told, other = self.told(side), self.other(side)
        if told is None:
            return None
        before = described(Content(told, ()))
        if offer is None:
            body = directed(told, [self._direction(side, other, number) for number in range(len(before.media))])
            return Content(body, _SDP, around_origin(body))
        session = described(offer)
        asked, known = conversation(session), conversation(before)
        if asked is None or known is None or not common_formats(asked, known):
            return None
        body = answer(session, told, before, [self._reply(side, other, session, n) for n in range(len(session.media))])
        return Content(body, _SDP, around_origin(body))

    def serve(self, service: Answer, offer: Content | None) -> Content | None:
        """Our own description for a caller whom we answer ourselves; None where we cannot serve it."""
        near = self.near
        self.service = service
        codecs = self._ports.codecs
        if offer is None:
            port = self._take(near) if codecs else None
            if port is None:
                return None
            near.ports = [port]
            body = first_offer(near.host, port.port, codecs)
            return Content(body, _SDP, around_origin(body))
        session = described(offer)
        number, stream = audio_of(session), conversation(session)
        if number is None or stream is None:
            return None
        chosen = _spoken(stream, codecs, any_codec=service.kind == "echo")
        port = self._take(near) if chosen else None
        if port is None:
            return None
        near.ports = [None] * number + [port]
        body = first_answer(session, near.host, port.port, chosen)
        return Content(body, _SDP, around_origin(body))

    def invitation(self, side: Side) -> Content | None:
        """Our offer of music to a side whose media passes by us: its own codecs, our address; None without a port."""
        told = self.told(side)
        stream = conversation(side.said)
        if told is None or stream is None:
            return None
        session = described(Content(told, ()))
        number = audio_of(session)
        if number is None:
            return None
        side.music = side.music or self._take(side)
        if side.music is None:
            return None
        streams = range(len(session.media))
        body = directed(told, [Direction.SENDONLY if i == number else Direction.INACTIVE for i in streams])
        body = limited(body, [common_formats(stream, session.media[i]) if i == number else None for i in streams])
        body = relayed(body, side.host, [side.music.port if i == number else None for i in streams])
        return Content(body, _SDP, around_origin(body))

    # Inside.

    def _sides_now(self) -> Sequence[Side]:
        return (self.near,) if self.far is None else (self.near, self.far)

    def _take(self, side: Side) -> MediaPort | None:
        return self._ports.take(side.leg.dialog.flow.local, self)

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
        for port in (*side.ports, side.music):
            if port is not None:
                self._ports.give_back(port)
        side.ports = []
        side.music = side.playing = None

    def _serve(self) -> None:
        """Do for the caller what the policy had us answer with."""
        near, service = self.near, self.service
        number = audio_of(near.said)
        if service is None or number is None or number >= len(near.ports):
            return
        port, stream = near.ports[number], near.said.media[number]
        if port is None:
            return
        wanted = None
        if service.kind == "tone":
            wanted = (TONE, True)
        elif service.kind == "play" and service.sound is not None:
            wanted = (self._sounds[service.sound].version, service.loop)
        self._choose(near, wanted if receives(stream) else None)
        echo = port.id if service.kind == "echo" and receives(stream) else None
        self._ports.set(
            port, MediaPlan(remote_of(stream), control_of(stream), self._learn(near, stream), echo, near.playing)
        )

    def _choose(self, side: Side, wanted: tuple[str, bool] | None) -> None:
        """What this side hears from us: a sound's version, and whether it loops."""
        stream = conversation(side.said)
        if wanted is None or stream is None:
            side.playing = None
            return
        found = playable(stream, self._ports.codecs)
        if found is None:
            side.playing = None
            turn = side.leg.stack.turn
            turn.count("music_without_codec")
            turn.effects.append(Log("warning", "no music", {"why": "none of the agreed codecs can be played"}))
            return
        codec, payload_type = found
        playing = side.playing
        same = playing is not None and (playing.sound, playing.loop) == wanted
        id = playing.id if playing is not None and same else self._ports.next_playing()
        side.playing = Playing(id, wanted[0], codec, payload_type, wanted[1])

    def _plan(self, side: Side, other: Side, number: int) -> MediaPlan:
        mine, theirs = stream_of(side.said, number), stream_of(other.said, number)
        playing = side.playing if number == audio_of(side.said) else None
        partner = other.ports[number] if number < len(other.ports) else None
        # Whoever holds gets nothing of what the other still sends, and whoever hears music hears nothing else.
        crosses = partner is not None and theirs is not None and receives(theirs) and other.playing is None
        return MediaPlan(
            remote_of(mine),
            control_of(mine),
            self._learn(side, mine),
            partner.id if crosses and partner is not None and playing is None else None,
            playing,
        )

    def _learn(self, side: Side, stream: Stream | None) -> str | None:
        """The address of a peer whose packets may come from elsewhere than it says: one behind NAT."""
        source, remote = side.leg.dialog.flow.remote, remote_of(stream)
        return source if remote is None or remote[0] != source else None

    def _play_beside(self, side: Side) -> None:
        port = side.music
        if port is None:
            return
        if side.playing is None:
            self._ports.give_back(port)
            side.music = None
            return
        stream = conversation(side.said)
        plan = MediaPlan(remote_of(stream), control_of(stream), self._learn(side, stream), None, side.playing)
        self._ports.set(port, plan)

    def _reply(self, side: Side, other: Side | None, offer: Session, number: int) -> Direction:
        sending, receiving = self._abilities(side, other, number)
        return answer_direction(offer.media[number], sending, receiving)

    def _direction(self, side: Side, other: Side | None, number: int) -> Direction:
        return direction_of(*self._abilities(side, other, number))

    def _abilities(self, side: Side, other: Side | None, number: int) -> tuple[bool, bool]:
        """Whether we would send to this side, and would take what it sends, on the other's behalf."""
        if other is None:
            return True, True
        stream = stream_of(other.said, number)
        if stream is None or not stream.port:
            return False, False
        music = isinstance(other.hold, Play) and number == audio_of(other.said)
        return music or sends(stream.direction), receives(stream)


def _streams_of(offer: Content | None) -> int:
    """How many ports a leg needs that gets this offer; to be safe one, where it is to make its own."""
    return 1 if offer is None else sum(map(is_relayed, described(offer).media))


def _spoken(stream: Stream, codecs: Sequence[Codec], any_codec: bool) -> list[str]:
    """The payload types of our answer: the one that we speak, and keys pressed (RFC 4733) if they were offered."""
    formats = formats_of(stream)
    first = next((text for text, format in formats.items() if format[0] != TELEPHONE_EVENT), None)
    found = playable(stream, codecs)
    spoken = first if any_codec else None if found is None else str(found[1])
    if spoken is None:
        return []
    return [spoken, *(text for text, format in formats.items() if format[0] == TELEPHONE_EVENT)]


def relays(mode: Media, caller: Leg, destination: Destination) -> bool:
    """Whether the media between these two is to flow through us: in doubt it is.

    It may pass by us where both are known to send from the very address that they name: a caller whose description
    names the source of its INVITE, and a phone whose Contact names the source of its REGISTER.
    """
    if mode != "auto":
        return mode == "relay"
    source, called = caller.dialog.flow.remote, destination.source
    named = remote_of(conversation(described(caller.said)))
    if named is None or named[0] != source or called is None:
        return True
    return destination.hop.host != called or (":" in source) != (":" in called)
