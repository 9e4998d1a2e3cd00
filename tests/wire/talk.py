"""Two phones in a call, one of which holds it: what each of them hears, by the packets that reach him.

Owns telling a phone's own voice from music by its SSRC, which a relay leaves alone, and waiting for enough of each.
Times are wall seconds. What is not heard as it should be is a WireError.
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
from .program import WireError
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
    """An established call, which began after `since`; both phones speak `codec`."""

    tap: Tap
    caller: Baresip
    callee: Baresip
    codec: Codec
    since: float

    @classmethod
    def begin(cls, tap: Tap, caller: Baresip, callee: Baresip, dialed: str, codec: Codec = PCMU) -> Self:
        """Call a phone that answers by itself, and return when both have sent something."""
        begun = time.time()
        caller.dial(dialed)
        return cls.established(tap, caller, callee, codec, since=begun)

    @classmethod
    def established(
        cls, tap: Tap, caller: Baresip, callee: Baresip, codec: Codec = PCMU, *, since: float = 0.0
    ) -> Self:
        """Return when a call that began after `since` is established, and both have sent something."""
        for phone in (caller, callee):
            phone.wait("CALL_ESTABLISHED")
            tap.wait(_from(phone.media, since), 1)
        return cls(tap, caller, callee, codec, since)

    def other(self, phone: Baresip) -> Baresip:
        """Return whom this phone talks with."""
        return self.callee if phone is self.caller else self.caller

    def voice(self, phone: Baresip) -> int:
        """Return the SSRC of what the phone sends."""
        return self.tap.out_of(phone.media, since=self.since)[0].ssrc

    def hears_other(self, phone: Baresip, *, since: float, seconds: float = 1.1) -> float:
        """Check that the phone hears the other one, from `since` on for so long; return how like it is."""
        other = self.other(phone)
        voice = self.voice(other)
        heard = self._arriving(phone, since, seconds, lambda packet: packet.ssrc == voice)
        like = hearing.likeness(heard, self.codec, music.read(other.tune))
        _must(like > music.SAME, f"{phone.user} hears something that is only {like:.2f} like {other.user}")
        return like

    def hears_music(self, phone: Baresip, tune: music.Sound, *, since: float, seconds: float = 1.5) -> list[Packet]:
        """Check that the phone hears this music from `since` on for so long, in one stream without a gap."""
        voice = self.voice(self.other(phone))
        heard = self._arriving(phone, since, seconds, lambda packet: packet.ssrc != voice)
        _must(len(hearing.sources(heard)) == 1, f"{phone.user} hears several streams: {hearing.sources(heard)}")
        _must(hearing.in_codec(heard, self.codec) == heard, f"{phone.user} is sent other codecs than {self.codec.name}")
        _must(hearing.lost(heard) == 0, f"{phone.user} lost {hearing.lost(heard)} packets of the music")
        gap = hearing.longest_gap(heard)
        _must(gap < NO_GAP, f"{phone.user} hears a gap of {gap:.3f} s in the music")
        like = hearing.likeness(heard, self.codec, music.looped(tune), seconds=seconds - 0.5)
        _must(like > music.SAME, f"{phone.user} hears something that is only {like:.2f} like the music")
        return heard

    def hears_no_music(self, phone: Baresip) -> None:
        """Check that nothing but the other one's voice came in this call up to now."""
        strange = hearing.sources(self.music_of(phone, since=self.since))
        _must(not strange, f"{phone.user} hears other streams than {self.other(phone).user}: {strange}")

    def music_of(self, phone: Baresip, *, since: float) -> list[Packet]:
        """Return all that came to the phone from `since` on and was not the other one's voice."""
        voice = self.voice(self.other(phone))
        return [packet for packet in self.tap.to(phone.media, since=since) if packet.ssrc != voice]

    def hears_nothing(self, phone: Baresip, *, since: float, until: float) -> None:
        """Check that no packet came between these times."""
        heard = hearing.between(self.tap.to(phone.media), since, until)
        _must(not heard, f"{phone.user} hears {len(heard)} packets where there was to be silence")

    def hold(self, phone: Baresip) -> float:
        """Let the phone hold the call; return when it was asked to."""
        return _asked(phone, "hold")

    def resume(self, phone: Baresip) -> float:
        """Let the phone come back; return when it was asked to."""
        return _asked(phone, "resume")

    def hang_up(self) -> float:
        """Let the caller hang up; return when it was asked to. By then both phones have closed the call."""
        asked = _asked(self.caller, "hangup")
        for phone in (self.caller, self.callee):
            phone.wait("CALL_CLOSED")
        return asked

    def _arriving(self, phone: Baresip, since: float, seconds: float, wanted: Callable[[Packet], bool]) -> list[Packet]:
        count = round(seconds * PER_SECOND)
        return self.tap.wait(
            lambda packet: packet.target in phone.media and packet.time >= since and wanted(packet), count
        )


def _from(ports: Ports, since: float) -> Callable[[Packet], bool]:
    return lambda packet: packet.source in ports and packet.time >= since


def _asked(phone: Baresip, command: str) -> float:
    asked = time.time()
    phone.command(command)
    return asked


def _must(so: bool, otherwise: str) -> None:
    if not so:
        raise WireError(otherwise)
