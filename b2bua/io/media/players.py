"""Sounds on their way to listeners.

Owns who listens to what, sending at the pace of `Schedule`, the end of sounds, and noticing that nothing was sent. What
the packets are is `Player`'s.

Each listener's packets leave from the port that was agreed with it, one in 20 ms: sendmmsg(2), which takes packets of
one socket only, has nothing to gather here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from b2bua.effects import Codec, MediaPlan, Playing
from b2bua.io.media.ports import Port
from b2bua.io.media.protocol import Event, Played, Silent
from b2bua.media.player import Draw, Player
from b2bua.media.schedule import Schedule
from b2bua.media.sound import Sound

LATE_SECONDS = 0.005
"""From here on a packet counts as late."""

SILENT_SECONDS = 0.5
"""A playing of which no packet has left by then raises an alarm."""


class _Listener:
    """One port that plays. It stays when its sound is over, so that saying the plan again does not begin anew."""

    __slots__ = ("over", "player", "port")

    def __init__(self, port: Port, player: Player) -> None:
        self.port = port
        self.player = player
        self.over = False


class Players:
    """All playings. `tell` takes what the server is to know; `draw` makes random bits; `now` is monotonic seconds."""

    def __init__(self, draw: Draw, tell: Callable[[Event], None], now: float) -> None:
        self._draw = draw
        self._tell = tell
        self._sounds: dict[tuple[str, Codec], Sound] = {}
        self._listeners: dict[Port, _Listener] = {}
        self._waiting: dict[Port, Playing] = {}
        """Ports whose sound is not known here."""
        self._schedule: Schedule[_Listener] = Schedule(now)
        self._promises: deque[tuple[float, Port, int]] = deque()
        """When, at which port, to look whether that playing has begun; in the order of their times."""
        self.played = self.late = self.skipped = self.lost = 0

    def __len__(self) -> int:
        return len(self._schedule)

    # Sounds.

    def learn(self, version: str, codec: Codec, sound: Sound, now: float) -> None:
        """A sound can be played from now on; who waits for it begins."""
        self._sounds[version, codec] = sound
        for port, playing in list(self._waiting.items()):
            self._play(port, playing, now)

    def forget(self, version: str) -> None:
        """Begin this sound no more; who listens to it hears it to its end."""
        for known in [known for known in self._sounds if known[0] == version]:
            del self._sounds[known]

    # Listeners.

    def plan(self, port: Port, plan: MediaPlan | None, now: float) -> None:
        """What this port's peer is to hear from now on, if anything."""
        before = None if port.plan is None else port.plan.play
        playing = None if plan is None else plan.play
        port.media.plays = port.control.plays = playing is not None
        if playing is None:
            self._end(port)
            return
        if before is None or before.id != playing.id:
            self._end(port)
            self._promises.append((now + SILENT_SECONDS, port, playing.id))
        self._play(port, playing, now)

    def _play(self, port: Port, playing: Playing, now: float) -> None:
        """Begin, or go on as is said now, once the sound is known."""
        listener = self._listeners.get(port)
        if listener is not None and listener.player.playing == playing:
            return
        sound = self._sounds.get((playing.sound, playing.codec))
        if sound is None:
            self._waiting[port] = playing
            return
        self._waiting.pop(port, None)
        if listener is not None:
            listener.player.change(playing, sound, self._draw)
            return
        self._listeners[port] = listener = _Listener(port, Player(playing, sound, self._draw))
        self._schedule.add(listener, now)

    def _end(self, port: Port) -> None:
        self._waiting.pop(port, None)
        listener = self._listeners.pop(port, None)
        if listener is not None:
            listener.over = True
            self._schedule.discard(listener)

    # Time.

    @property
    def due(self) -> float | None:
        """When `run` has something to do; None if it hasn't."""
        due = self._schedule.due
        if self._promises and (due is None or self._promises[0][0] < due):
            return self._promises[0][0]
        return due

    def run(self, now: float) -> None:
        """Send what is due, and look after promises."""
        while self._promises and self._promises[0][0] <= now:
            _, port, id = self._promises.popleft()
            self._look(port, id)
        for due, missed, listeners in self._schedule.turns(now):
            self.skipped += missed * len(listeners)
            before = self.played
            for listener in listeners:
                if not listener.over:
                    self._send(listener, missed)
            if time.monotonic() - due > LATE_SECONDS:
                self.late += self.played - before

    def _send(self, listener: _Listener, missed: int) -> None:
        port, player = listener.port, listener.player
        way = port.media
        if missed:
            player.rest(missed)
        if way.address is None:
            player.rest(1)
            return
        packet = player.packet()
        if packet is None:
            listener.over = True
            self._schedule.discard(listener)
            self._tell(Played(port.id, player.playing.id))
            return
        try:
            way.send(packet, way.address)
        except OSError:
            self.lost += 1
        else:
            self.played += 1
        report = player.report(time.time())
        if report is not None:
            self._report(port, report)

    def _report(self, port: Port, report: bytes) -> None:
        way = port.reporting
        if way.address is not None:
            try:
                way.send(report, way.address)
            except OSError:
                self.lost += 1

    def _look(self, port: Port, id: int) -> None:
        """A sound was promised a while ago: an alarm, if it still should sound and has not."""
        plan = port.plan
        if plan is None or plan.play is None or plan.play.id != id:
            return
        listener = self._listeners.get(port)
        if listener is None or not listener.player.packets:
            self._tell(Silent(port.id, id))
