"""The media of one call, where we have a hand in it: relayed, or with music for one who waits.

Owns the choice between media that flows past us and media that we relay, the ports that it takes, and who hears
music. What the ports do is computed anew from both sides' descriptions whenever these change; nothing is remembered
beside them but the policy's word on a hold. Leaves to the legs when a description is sent, and to `reply` and
`music` the requests that we answer or send ourselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from b2bua.call.events import Content
from b2bua.call.leg import Leg
from b2bua.call.streams import control_of, conversation, described, is_relayed, remote_of, stream_of
from b2bua.effects import Log, MediaPlan, MediaPort, Playing
from b2bua.media.ports import Ports
from b2bua.routing.verdicts import Continue, Play
from b2bua.sdp.negotiation import (
    answer,
    answer_direction,
    audio_of,
    common_formats,
    direction_of,
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

_SDP = (("Content-Type", "application/sdp"),)


class Side:
    """One leg's half of the media.

    `told` is what its peer was told last, as agreed, where that is not simply what the other peer said; `telling` is on
    its way to that. `ports` face the peer, one a stream, None where the stream passes by us; `relayed` is whether they
    shall. `hold` is the policy's word on the hold that the peer began at `held_at` (wall seconds), and `proposed` its
    word on one that is not agreed yet. `playing` is what the peer hears of us; `music` is the port for that where its
    media otherwise passes by.
    """

    __slots__ = ("held_at", "hold", "leg", "music", "playing", "ports", "proposed", "relayed", "telling", "told")

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

    @property
    def said(self) -> Session:
        """What the peer said last of itself."""
        return described(self.leg.said)

    @property
    def host(self) -> str:
        """The address of ours that the peer sends media to."""
        return self.leg.stack.ways.host(self.leg.dialog.flow)


class CallMedia:
    """Both sides of a call. `far` is the called side that talks, None where we answered the call ourselves."""

    __slots__ = ("_ports", "_sounds", "far", "near")

    def __init__(self, ports: Ports, sounds: dict[str, str], incoming: Leg) -> None:
        """`sounds` gives the versions of the policy's sounds by name."""
        self._ports = ports
        self._sounds = sounds
        self.near = Side(incoming, relayed=False)
        self.far: Side | None = None

    def other(self, side: Side) -> Side | None:
        """Whom this side talks to."""
        return self.far if side is self.near else self.near

    # Descriptions that pass.

    def tell(self, side: Side, content: Content) -> Content:
        """A description as this side's peer is to see it."""
        far = self.far if side is self.near else side
        body = content.body
        if far is not None and far.relayed:
            self._lend(far, described(content))
            paired = zip(side.ports, far.ports, strict=False)
            ports = [own.port if own is not None and other is not None else None for own, other in paired]
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
        for side in self._sides():
            if side.telling is not None:
                side.told, side.telling = side.telling, None
        self.update()

    def disagreed(self) -> None:
        """An offer was refused: the session is what it was (RFC 3261 14.1)."""
        for side in self._sides():
            side.telling = side.proposed = None

    # What follows from them.

    def update(self) -> None:
        """Let our ports do what both descriptions say."""
        far = self.far
        if far is None:
            return
        for side, other in ((self.near, far), (far, self.near)):
            self._choose(side, other)
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

    def release(self, side: Side) -> None:
        """A leg is over: its ports are free."""
        for port in (*side.ports, side.music):
            if port is not None:
                self._ports.give_back(port)
        side.ports = []
        side.music = side.playing = None

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
        side.music = side.music or self._ports.take(side.leg.dialog.flow.local)
        if side.music is None:
            return None
        streams = range(len(session.media))
        body = directed(told, [Direction.SENDONLY if i == number else Direction.INACTIVE for i in streams])
        body = limited(body, [common_formats(stream, session.media[i]) if i == number else None for i in streams])
        body = relayed(body, side.host, [side.music.port if i == number else None for i in streams])
        return Content(body, _SDP, around_origin(body))

    # Inside.

    def _sides(self) -> Sequence[Side]:
        return (self.near,) if self.far is None else (self.near, self.far)

    def _lend(self, far: Side, session: Session) -> None:
        """A port on each side for each stream that we relay; a stream for which one is missing passes by us."""
        for number, stream in enumerate(session.media):
            for side in (self.near, far):
                if len(side.ports) <= number:
                    side.ports.append(None)
            if far.ports[number] is not None or not is_relayed(stream):
                continue
            near_port = self.near.ports[number] or self._ports.take(self.near.leg.dialog.flow.local)
            far_port = self._ports.take(far.leg.dialog.flow.local) if near_port is not None else None
            self.near.ports[number], far.ports[number] = near_port, far_port

    def _choose(self, side: Side, other: Side) -> None:
        """What this side hears from us."""
        wanted = self.wanted(side, other)
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
        version, playing = self._sounds[wanted.sound], side.playing
        if playing is None or (playing.sound, playing.loop) != (version, wanted.loop):
            side.playing = Playing(self._ports.next_playing(), version, codec, payload_type, wanted.loop)
        elif (playing.codec, playing.payload_type) != found:
            side.playing = Playing(playing.id, version, codec, payload_type, wanted.loop)

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
