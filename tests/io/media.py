"""A media process that runs, a core that notes what it is told, and phones that send and hear RTP over loopback."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import structlog
import trio
from structlog.testing import LogCapture

from b2bua.effects import TONE, Codec, Effect, MediaPlan, MediaPort, Playing, SetMedia
from b2bua.io.media.supervisor import MediaProcess
from b2bua.io.shell import Shell
from b2bua.settings import Media
from tests.io.edge import Noted, ScriptedCore

from .patience import in_time

RTP = struct.Struct("!BBHII")


class Heard:
    """One packet: who sent it, when it came (monotonic seconds), and what it is."""

    def __init__(self, data: bytes, source: tuple[str, int]) -> None:
        self.at = time.monotonic()
        self.data, self.source = data, source
        first, second, self.sequence, self.timestamp, self.ssrc = RTP.unpack_from(data)
        assert first == 0x80
        self.marker, self.type = second >> 7, second & 127
        self.payload = data[RTP.size :]


class Phone:
    """A socket for RTP and one for RTCP."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.media, self.control = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self.media, self.control):
            sock.bind((host, 0))
            sock.setblocking(False)
        self.ssrc, self.sequence = random.getrandbits(32), random.getrandbits(16)
        self.at: tuple[str, int] = self.media.getsockname()[:2]
        self.control_at: tuple[str, int] = self.control.getsockname()[:2]

    def close(self) -> None:
        self.media.close()
        self.control.close()

    @classmethod
    @contextmanager
    def opened(cls, host: str = "127.0.0.1") -> Iterator[Self]:
        """One that is closed in the end."""
        phone = cls(host)
        try:
            yield phone
        finally:
            phone.close()

    def plan(self, **more: Any) -> MediaPlan:
        """A plan whose peer this phone is."""
        return MediaPlan(self.at, self.control_at, **more)

    def talk(self, port: MediaPort, payload: bytes = b"speech") -> bytes:
        """Send the next packet of its stream to a port."""
        self.sequence = (self.sequence + 1) % 65_536
        packet = RTP.pack(0x80, 0, self.sequence, self.sequence * 160, self.ssrc) + payload
        self.media.sendto(packet, (port.host, port.port))
        return packet

    async def receives(self, control: bool = False) -> tuple[bytes, tuple[str, int]]:
        """The next datagram, and where it came from."""
        sock = self.control if control else self.media
        with in_time():
            while True:
                try:
                    data, source = sock.recvfrom(2048)
                except BlockingIOError:
                    await trio.lowlevel.wait_readable(sock)
                else:
                    return data, source[:2]

    async def hears(self) -> Heard:
        """The next RTP packet."""
        return Heard(*await self.receives())

    @property
    def silence(self) -> bool:
        """Whether nothing waits to be received."""
        try:
            self.media.recv(2048, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False


class MediaCore(ScriptedCore):
    """It says all its plans when the process is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: dict[int, MediaPlan | None] = {}
        self.ports: tuple[MediaPort, ...] = ()
        self.codecs: tuple[Codec, ...] = ()

    def media_ready(
        self, ports: tuple[MediaPort, ...], codecs: tuple[Codec, ...], now: float, wall: float
    ) -> list[Effect]:
        self.ports, self.codecs = ports, codecs
        self._take("media_ready", now=now)
        return [SetMedia(port, plan) for port, plan in self.plans.items()]

    def media_lost(self, now: float, wall: float) -> list[Effect]:
        return self._take("media_lost", now=now)

    def played(self, port: int, playing: int, now: float, wall: float) -> list[Effect]:
        return self._take("played", port, playing, now=now)

    def silent(self, port: int, playing: int, now: float, wall: float) -> list[Effect]:
        return self._take("silent", port, playing, now=now)


class Stage:
    """Everything together. `phones` are closed in the end."""

    def __init__(self, settings: Media, hosts: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.core = MediaCore()
        self.logged = LogCapture()
        log = structlog.wrap_logger(
            None, processors=[self.logged], wrapper_class=structlog.make_filtering_bound_logger(20)
        )
        shell = Shell(self.core, log)
        self.media = MediaProcess(settings, hosts, self.core, shell)
        noted = Noted()
        shell.connect(noted, noted, noted, noted, self.media)
        self._closing = ExitStack()

    def close(self) -> None:
        self._closing.close()

    def phone(self, host: str = "127.0.0.1") -> Phone:
        return self._closing.enter_context(Phone.opened(host))

    def say(self, *plans: tuple[MediaPort, MediaPlan | None]) -> None:
        """Let the ports do that."""
        for port, plan in plans:
            self.core.plans[port.id] = plan
            self.media.perform(SetMedia(port.id, plan))
        self.media.flush()

    @property
    def pid(self) -> int:
        """The process's id, as the log has it."""
        return next(int(entry["pid"]) for entry in reversed(self.logged.entries) if entry["event"] == "media ready")

    async def settled(self) -> None:
        """Wait until the process does what it was told so far: the last port's echo, which is told now, says so."""
        with Phone.opened() as phone:
            port = self.core.ports[-1]
            self.say((port, phone.plan(to=port.id)))
            await self.until(lambda: bool(phone.talk(port)) and not phone.silence)
            self.say((port, None))
            del self.core.plans[port.id]

    async def told(self, *input: Any) -> None:
        """Wait until the core was told that."""
        await self.until(lambda: input in self.core.inputs)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds in another process: it is looked at again and again, for some seconds."""
        for _ in range(2_000):
            if holds():
                return
            await trio.sleep(0.005)
        raise AssertionError(f"it was told {self.core.inputs}, and reports {self.media.status()}")

    async def counted(self, **numbers: int) -> None:
        """Wait until a report says these numbers."""
        await self.until(lambda: self.media.status().items() >= numbers.items())


def music(version: int = 1, packets: int = 50) -> list[bytes]:
    """Payloads of which each can be recognised."""
    return [struct.pack("!HH", version, number) * 40 for number in range(packets)]


def place(payload: bytes) -> int:
    """Which packet of its music a payload is."""
    number: int = struct.unpack_from("!HH", payload)[1]
    return number


def playing(id: int = 1, sound: str = TONE, codec: Codec = "PCMU", type: int = 0, loop: bool = True) -> Playing:
    return Playing(id, sound, codec, type, loop)
