"""One leg's half of a call's media: what its peer was told, the ports that face it, and what it hears of us.

Owns remembering that, and nothing that follows from it: `media` computes the rest anew.
"""

from __future__ import annotations

from typing import TypeAlias

from b2bua.call.events import Content
from b2bua.call.leg import Leg
from b2bua.call.streams import control_of, described, read, remote_of, stream_of
from b2bua.dialog.ways import UNSPECIFIED
from b2bua.effects import MediaPlan, MediaPort, Playing
from b2bua.routing.verdicts import Continue, Play
from b2bua.sdp.negotiation import audio_of
from b2bua.sdp.session import Session

Hold: TypeAlias = Play | Continue


class Side:
    """One leg's half of the media.

    `told` is what its peer was told last, as agreed, None before we had a hand in that; `telling` is on its way to it,
    and `saying` the peer's own offer that is open. `ports` face the peer, one a stream, None where the stream passes by
    us; `relayed` is whether they shall. `hold` is the policy's word on the hold that the peer began at `held_at` (wall
    seconds), and `proposed` its word on one that is not agreed yet. `playing` is what the peer hears of us. `beside` is
    the port for that where its media otherwise passes by us, and for what a holder sends in vain; `declined` is whether
    the peer would not come there.
    """

    __slots__ = (
        "beside",
        "declined",
        "held_at",
        "hold",
        "leg",
        "playing",
        "ports",
        "proposed",
        "relayed",
        "saying",
        "telling",
        "told",
    )

    def __init__(self, leg: Leg, relayed: bool) -> None:
        self.leg = leg
        self.relayed = relayed
        self.told: bytes | None = None
        self.telling: bytes | None = None
        self.saying: Content | None = None
        self.ports: list[MediaPort | None] = []
        self.hold: Hold | None = None
        self.proposed: Hold | None = None
        self.held_at = 0.0
        self.beside: MediaPort | None = None
        self.playing: Playing | None = None
        self.declined = False

    @property
    def said(self) -> Session:
        """What the peer said last of itself, as agreed."""
        return described(self.leg.said)

    @property
    def host(self) -> str:
        """The address of ours that the peer sends media to.

        Where our ports are on the very address that we signal from, it is as the peer's network knows that one.
        """
        stack, flow, seen_at = self.leg.stack, self.leg.dialog.flow, self.leg.seen_at
        host = stack.ports.host(flow.local)
        if host not in UNSPECIFIED and host != flow.local:
            return host
        place = stack.ways.place(flow).host
        return place if seen_at is None else stack.ways.advertised(seen_at) or place

    @property
    def plays(self) -> bool:
        """Whether the policy has music for whoever this peer holds, or will hold once that is agreed."""
        return isinstance(self.proposed if self.hold is None else self.hold, Play)

    @property
    def is_beside(self) -> bool:
        """Whether the peer was told to send to the port beside its media's way, or is being told."""
        port = self.beside
        return port is not None and any(port.port == audio_port(body) for body in (self.told, self.telling))

    def plan(self, number: int, to: MediaPort | None, playing: Playing | None) -> MediaPlan:
        """What a port that faces this peer for that stream is to do.

        A peer whose packets may come from elsewhere than it says is one behind NAT.
        """
        stream = stream_of(self.said, number)
        source, remote = self.leg.seen_at or self.leg.dialog.flow.remote, remote_of(stream)
        learn = source if remote is None or remote[0] != source else None
        return MediaPlan(remote, control_of(stream), learn, None if to is None else to.id, playing)


def audio_port(body: bytes | None) -> int | None:
    """The port that a description names for the conversation."""
    if body is None:
        return None
    session = read(body)
    number = audio_of(session)
    return None if number is None else session.media[number].port
