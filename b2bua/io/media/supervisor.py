"""The server's side of the media process: starts it, restarts it, and speaks for it without ever waiting for it.

Owns the sounds that it is handed at each start, and telling the core. A plan is the whole state of a port and the core
knows all plans: while there is no process nothing is kept for it, and the core says them again when it is back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec
import trio

from b2bua.effects import TONE, Codec, Effect, MediaPlan, MediaPort, SetMedia
from b2bua.io.children import keep_running
from b2bua.io.media import protocol
from b2bua.io.media.child import Child, started
from b2bua.io.media.memory import stored
from b2bua.io.media.protocol import (
    Bound,
    Event,
    Forget,
    Learn,
    NotLearned,
    Open,
    Plans,
    Played,
    Ready,
    Report,
    Silent,
)
from b2bua.io.shell import Shell
from b2bua.settings import Media

REPORT_SECONDS: Final = 1.0
"""Between two reports of the process. They are its sign of life, too: see `child.HEALTH_SECONDS`."""


class MediaInputs(Protocol):
    """What the core is told."""

    def media_ready(
        self, ports: tuple[MediaPort, ...], codecs: tuple[Codec, ...], now: float, wall: float
    ) -> list[Effect]:
        """These ports are bound, and these codecs can be played: say all plans."""

    def media_lost(self, now: float, wall: float) -> list[Effect]:
        """Nothing is relayed or played until it is ready again."""

    def played(self, port: int, playing: int, now: float, wall: float) -> list[Effect]:
        """A sound that does not loop has ended."""

    def silent(self, port: int, playing: int, now: float, wall: float) -> list[Effect]:
        """A playing was to begin, and no packet has left."""


class MediaProcess:
    """One process at a time, for as long as `run` runs."""

    def __init__(self, settings: Media, hosts: tuple[str, ...], core: MediaInputs, shell: Shell) -> None:
        self._open = Open(hosts, settings.first_port, settings.last_port, REPORT_SECONDS)
        self._core = core
        self._shell = shell
        self._log = shell.log
        self._sounds: dict[tuple[str, Codec], int] = {}
        """The memory of each, by its descriptor."""
        self._plans: list[tuple[int, MediaPlan | None]] = []
        self._ports: list[MediaPort] = []
        self._child: Child | None = None
        """The process that is ready, if there is one."""
        self._report: Report | None = None
        self._starts = 0
        self.begun = trio.Event()
        """Set when the first process is ready, or could not be started."""

    # What the server says.

    def perform(self, effect: SetMedia) -> None:
        """Tell the process with the next `flush`, while one is ready."""
        if self._child is not None:
            self._plans.append((effect.port, effect.plan))

    def flush(self) -> None:
        """Send what `perform` took, in order, without waiting."""
        plans = self._plans
        if not plans:
            return
        self._plans = []
        if self._child is not None:
            for first in range(0, len(plans), protocol.PLANS):
                self._child.say(Plans(plans[first : first + protocol.PLANS]))

    def learn(self, version: str, payloads: Mapping[Codec, Sequence[bytes]]) -> None:
        """Make a sound known, in each codec that it was encoded in (payloads of 20 ms): now and after each restart.

        What is known already stays as it is. Raises OSError when memory is short; LocalError for one without payloads.
        """
        for codec, parts in payloads.items():
            if (version, codec) not in self._sounds:
                self._sounds[version, codec] = memory = stored(version, parts)
                if self._child is not None:
                    self._child.say(Learn(version, codec), memory)

    def forget(self, version: str) -> None:
        """A sound will not be asked for any more. Who is listening to it hears it to its end."""
        for known in [known for known in self._sounds if known[0] == version]:
            memory = self._sounds.pop(known)
            if self._child is not None:
                self._child.retract(memory)
            os.close(memory)
        if self._child is not None:
            self._child.say(Forget(version))

    @property
    def pid(self) -> int | None:
        """The id of the process that is ready, if there is one."""
        return None if self._child is None else self._child.pid

    @property
    def sounds(self) -> frozenset[str]:
        """The versions that are known, `TONE` among them."""
        return frozenset(version for version, _ in self._sounds)

    def status(self) -> dict[str, int]:
        """Numbers for operators: those of the last report, a second old; how often the process was started again."""
        report = {} if self._report is None else msgspec.structs.asdict(self._report)
        return report | {"restarts": max(0, self._starts - 1)}

    # The process.

    async def run(self) -> None:
        """Keep a process running until cancelled."""
        await keep_running(self._started)

    async def _started(self) -> None:
        self._starts += 1
        try:
            await self._live()
        except OSError as error:
            self._log.error("media process not started", why=str(error))
        self.begun.set()

    async def _live(self) -> None:
        """From the start of one process to its end. Raises OSError when it cannot be started."""
        self._ports = []
        async with started() as child:
            child.say(self._open)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(child.write)
                    await child.listen(partial(self._take, child))
                    nursery.cancel_scope.cancel()
            finally:
                was_ready, self._child = self._child is not None, None
                self._report = None
        self._log.error("media process lost", why=child.end or "it has ended", pid=child.pid)
        if was_ready:
            self._shell.turn(self._core.media_lost)

    def _take(self, child: Child, event: Event) -> None:
        match event:
            case Report():
                self._report = event
            case Played(port, playing):
                self._shell.turn(self._core.played, port, playing)
            case Silent(port, playing):
                self._log.error("promised sound not sent", port=port)
                self._shell.turn(self._core.silent, port, playing)
            case NotLearned(version, codec, reason):
                self._log.error("sound cannot be played", version=version, codec=codec, why=reason)
            case Bound(ports):
                self._ports += ports
            case Ready():
                self._begin(child, event)

    def _begin(self, child: Child, ready: Ready) -> None:
        """It has its ports: hand over the sounds, then let the core say what is to be done."""
        for reason, count in ready.missing.items():
            self._log.warning("media ports left out", reason=reason, pairs=count)
        self._log.info("media ready", ports=len(self._ports), pid=child.pid, realtime=ready.realtime)
        for (version, codec), memory in self._sounds.items():
            child.say(Learn(version, codec), memory)
        self._child = child
        self._plans = []
        # What the tone was learned in can be played.
        codecs = tuple(codec for version, codec in self._sounds if version == TONE)
        self._shell.turn(self._core.media_ready, tuple(self._ports), codecs)
        self.begun.set()
