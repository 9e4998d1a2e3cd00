"""What the ports of a call do, computed anew from both sides' descriptions each time: who hears whom, and what.

Owns the rule of music: it goes to a party exactly while the other holds, the party receives, and the policy said so for
that hold (RFC 5359 section 2.3). Leaves to `media` which ports there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from b2bua.call.side import Side
from b2bua.call.streams import conversation, stream_of
from b2bua.effects import TONE, Log, MediaPort, Playing
from b2bua.media.ports import Ports
from b2bua.routing.verdicts import Answer, Play, Sound
from b2bua.sdp.negotiation import audio_of, holds, playable, receives

Pairs: TypeAlias = Sequence[tuple[Side, Side]]
"""Each side that talks, with the other."""


class Plans:
    """Says what ports do. `sounds` are the policy's, by name."""

    __slots__ = ("_ports", "_sounds")

    def __init__(self, ports: Ports, sounds: Mapping[str, Sound]) -> None:
        self._ports = ports
        self._sounds = sounds

    def know(self, sounds: Mapping[str, Sound]) -> None:
        """The call follows another version, whose sounds are these."""
        self._sounds = {**self._sounds, **sounds}

    def talk(self, pairs: Pairs) -> None:
        """Let two who talk hear each other, or music."""
        for side, other in pairs:
            wanted = _wanted(side, other)
            side.declined = side.declined and wanted is not None
            self._choose(side, None if wanted is None else (self._sounds[wanted.sound].version, wanted.loop))
        for side, other in pairs:
            for number, port in enumerate(side.ports):
                if port is not None:
                    self._set(side, other, number, port)
            self._update_beside(side)

    def serve(self, near: Side, service: Answer) -> None:
        """Do for a caller whom we answer ourselves what the policy said."""
        number = audio_of(near.said)
        if number is None or number >= len(near.ports):
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
        echo = port if service.kind == "echo" and receives(stream) else None
        self._ports.set(port, near.plan(number, echo, near.playing))

    def _choose(self, side: Side, wanted: tuple[str, bool] | None) -> None:
        """What this side hears from us: a sound's version, and whether it loops."""
        stream = conversation(side.said)
        if wanted is None or stream is None:
            side.playing = None
            return
        found = playable(stream, self._ports.codecs)
        if found is None:
            side.playing = None
            if self._ports.codecs:
                turn = side.leg.stack.turn
                turn.count("music_without_codec")
                turn.effects.append(Log("warning", "no music", {"why": "none of the agreed codecs can be played"}))
            return
        codec, payload_type = found
        playing = side.playing
        same = playing is not None and (playing.sound, playing.loop) == wanted
        id = playing.id if playing is not None and same else self._ports.next_playing()
        side.playing = Playing(id, wanted[0], codec, payload_type, wanted[1])

    def _set(self, side: Side, other: Side, number: int, port: MediaPort) -> None:
        theirs = stream_of(other.said, number)
        playing = side.playing if number == audio_of(side.said) else None
        partner = other.ports[number] if number < len(other.ports) else None
        # Whoever holds gets nothing of what the other still sends, and whoever hears music hears nothing else.
        hears_us = other.playing is not None and number == audio_of(other.said)
        crosses = theirs is not None and receives(theirs) and playing is None and not hears_us
        self._ports.set(port, side.plan(number, partner if crosses else None, playing))

    def _update_beside(self, side: Side) -> None:
        port, number = side.beside, audio_of(side.said)
        if port is None:
            return
        if not side.is_beside or number is None:
            self._ports.give_back(port)
            side.beside = None
            return
        self._ports.set(port, side.plan(number, None, side.playing))


def _wanted(side: Side, other: Side) -> Play | None:
    """The music for this side: while the other holds, this one receives, and the policy said `play`."""
    if not isinstance(other.hold, Play) or not holds(other.said):
        return None
    stream = conversation(side.said)
    return other.hold if stream is not None and receives(stream) else None
