"""Two phones in a call, one of which holds it: what each of them hears, by the packets that reach him.

Owns telling a phone's own voice from music by its SSRC, which a relay leaves alone, and waiting for enough of each.
Times are wall seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from . import hearing, music
from .baresip import Baresip
from .codecs import PCMU, Codec
from .ports import Ports
from .tap import Packet, Tap

PER_SECOND = 50
"""Packets, of 20 ms each."""

AT_ONCE = 0.1
"""Seconds within which music stops after a resume."""

SOON = 0.3
"""Seconds after which voices flow, or music, or what flowed before has ended."""

NO_GAP = 0.06
"""Seconds without a packet that nobody notices."""


@dataclass(frozen=True)
class Talk:
    """An established call; both phones speak `codec`."""

    tap: Tap
    caller: Baresip
    callee: Baresip
    codec: Codec

    @classmethod
    def begin(cls, tap: Tap, caller: Baresip, callee: Baresip, dialed: str, codec: Codec = PCMU) -> Self:
        """Call a phone that answers by itself, and return when both have sent something."""
        caller.dial(dialed)
        for phone in (caller, callee):
            phone.wait("CALL_ESTABLISHED")
            tap.wait(_from(phone.media), 1)
        return cls(tap, caller, callee, codec)

    def other(self, phone: Baresip) -> Baresip:
        """Return whom this phone talks with."""
        return self.callee if phone is self.caller else self.caller

    def voice(self, phone: Baresip) -> int:
        """Return the SSRC of what the phone sends."""
        return self.tap.out_of(phone.media)[0].ssrc

    def hears_other(self, phone: Baresip, *, since: float, seconds: float = 1.1) -> None:
        """Check that the phone hears the other one, from `since` on for so long."""
        other = self.other(phone)
        voice = self.voice(other)
        heard = self._arriving(phone, since, seconds, lambda packet: packet.ssrc == voice)
        assert hearing.likeness(heard, self.codec, music.read(other.tune)) > music.SAME

    def hears_music(self, phone: Baresip, tune: music.Sound, *, since: float, seconds: float = 1.5) -> list[Packet]:
        """Check that the phone hears this music from `since` on for so long, in one stream without a gap."""
        voice = self.voice(self.other(phone))
        heard = self._arriving(phone, since, seconds, lambda packet: packet.ssrc != voice)
        assert len(hearing.sources(heard)) == 1
        assert hearing.in_codec(heard, self.codec) == heard
        assert hearing.lost(heard) == 0
        assert hearing.longest_gap(heard) < NO_GAP
        assert hearing.likeness(heard, self.codec, music.looped(tune), seconds=seconds - 0.5) > music.SAME
        return heard

    def hears_no_music(self, phone: Baresip, *, since: float = 0.0) -> None:
        """Check that nothing but the other one's voice came, from `since` on up to now."""
        voices = {packet.ssrc for packet in self.tap.to(phone.media, since=since)}
        assert voices <= {self.voice(self.other(phone))}

    def hears_nothing(self, phone: Baresip, *, since: float, until: float) -> None:
        """Check that no packet came between these times."""
        assert hearing.between(self.tap.to(phone.media), since, until) == []

    def hold(self, phone: Baresip) -> float:
        """Let the phone hold the call; return when it was asked to."""
        return _asked(phone, "hold")

    def resume(self, phone: Baresip) -> float:
        """Let the phone come back; return when it was asked to."""
        return _asked(phone, "resume")

    def hang_up(self) -> float:
        """Let the caller hang up; return when it was asked to, when both phones have closed the call."""
        asked = _asked(self.caller, "hangup")
        for phone in (self.caller, self.callee):
            phone.wait("CALL_CLOSED")
        return asked

    def _arriving(self, phone: Baresip, since: float, seconds: float, wanted: Callable[[Packet], bool]) -> list[Packet]:
        count = round(seconds * PER_SECOND)
        return self.tap.wait(
            lambda packet: packet.target in phone.media and packet.time >= since and wanted(packet), count
        )


def _from(ports: Ports) -> Callable[[Packet], bool]:
    return lambda packet: packet.source in ports


def _asked(phone: Baresip, command: str) -> float:
    asked = time.time()
    phone.command(command)
    return asked
