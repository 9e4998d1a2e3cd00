"""Playing one sound to one listener (RFC 3550 section 5.1): which packet comes next.

Owns sequence numbers, timestamps and the place in the sound. Leaves when a packet is due to `schedule`, and sending it
to the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from b2bua.effects import Playing
from b2bua.media.rtcp import INTERVAL_SECONDS, sender_report
from b2bua.media.rtp import FRAME_SECONDS, HEADER, MARKER, TICKS, VERSION
from b2bua.media.sound import Sound

Draw: TypeAlias = Callable[[int], int]
"""Makes so many random bits."""

_REPORT_PACKETS = round(INTERVAL_SECONDS / FRAME_SECONDS)
_PACK = HEADER.pack


class Player:
    """The packets of one playing, in their order. `packets` and `octets` (of payload) count what was made."""

    __slots__ = (
        "_cname", "_loop", "_position", "_report_in", "_sequence", "_sound", "_ssrc", "_ticks", "_timestamp", "_type",
        "octets", "packets", "playing",
    )  # fmt: skip

    def __init__(self, playing: Playing, sound: Sound, draw: Draw) -> None:
        self._position = 0
        self.packets = self.octets = 0
        self._sequence = draw(16)
        self._anew(draw)
        self.change(playing, sound, draw)

    def _anew(self, draw: Draw) -> None:
        """Another stream: a receiver knows nothing of it (RFC 3550 section 8)."""
        self._ssrc, self._timestamp = draw(32), draw(32)
        self._cname = b"%024x" % draw(96)
        # The first report comes early and at random, so that those of many players do not leave together (6.2).
        self._report_in = 1 + draw(7)
        self._ticks = 0

    def change(self, playing: Playing, sound: Sound, draw: Draw) -> None:
        """Go on from the same place in the sound as this playing says: another codec or payload type, or no more loop.

        A stream keeps its clock for life (RFC 7160 section 4.1): when the clock changes, so does the stream.
        """
        ticks = TICKS[playing.codec]
        if self._ticks and self._ticks != ticks:
            self._anew(draw)
            self.packets = self.octets = 0
        self.playing = playing
        self._sound, self._loop, self._ticks = sound, playing.loop, ticks
        self._type = playing.payload_type | MARKER

    def packet(self) -> bytes | None:
        """The next packet; None when the sound is over."""
        sound, position = self._sound, self._position
        if position >= len(sound):
            if not self._loop:
                return None
            position = 0
        self._position = position + 1
        payload = sound.payload(position)
        kind, timestamp, sequence = self._type, self._timestamp, self._sequence
        # Only what follows a silence is marked (RFC 3551 section 4.1).
        self._type = kind & ~MARKER
        self._timestamp = (timestamp + self._ticks) & 0xFFFFFFFF
        self._sequence = (sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return _PACK(VERSION, kind, sequence, timestamp, self._ssrc) + payload

    def rest(self, periods: int) -> None:
        """So many packets did not leave when they were due: time went on, the sound did not.

        No sequence number is left out, so that nobody takes for lost what was never sent.
        """
        self._timestamp = (self._timestamp + periods * self._ticks) & 0xFFFFFFFF
        self._type |= MARKER

    def report(self, wall: float) -> bytes | None:
        """To be asked after each packet: the sender report that is due with it, mostly None. `wall` in seconds."""
        self._report_in -= 1
        if self._report_in:
            return None
        self._report_in = _REPORT_PACKETS
        last = (self._timestamp - self._ticks) & 0xFFFFFFFF
        return sender_report(self._ssrc, wall, last, self.packets, self.octets, self._cname)
