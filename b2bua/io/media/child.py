"""One media process, from its start to its end, and the connection to it.

Owns the process, what waits to be said to it, and when it is as good as dead: when it does not take what it is told, or
says nothing for a while. What is said is for `supervisor`.
"""

from __future__ import annotations

import socket
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import trio

from b2bua.io.children import command, environment
from b2bua.io.media import protocol
from b2bua.io.media.protocol import Command, Event

HEALTH_SECONDS: Final = 5.0
"""One that says nothing for so long, its reports included, is killed."""

QUEUE: Final = 1_000
"""Messages that may wait for it. Beyond, it is killed: the next one gets everything again."""

_BUFFER_OCTETS = 1024 * 1024
_BATCH = 64
_REAP_SECONDS = 5.0


class Child:
    """A process that runs. `end` says why it was killed, None while nobody had a reason to."""

    def __init__(self, connection: socket.socket, process: trio.Process) -> None:
        self._connection = connection
        self._process = process
        self._queue: deque[tuple[bytes, int | None]] = deque()
        self._queued = trio.Event()
        self.end: str | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self, reason: str) -> None:
        """It is of no use any more: `listen` returns."""
        if self.end is None:
            self.end = reason
            self._process.kill()

    def say(self, command: Command, memory: int | None = None) -> None:
        """Send without waiting, now or when there is room. `memory` is a descriptor that goes with it."""
        if self.end is not None:
            return
        message = protocol.encode(command), memory
        if not self._queue and self._sent(*message):
            return
        self._queue.append(message)
        self._queued.set()
        if len(self._queue) > QUEUE:
            self.kill("it does not take what it is told")

    def retract(self, memory: int) -> None:
        """What waits to go out with this descriptor does not go out any more."""
        self._queue = deque(waiting for waiting in self._queue if waiting[1] != memory)

    def _sent(self, data: bytes, memory: int | None) -> bool:
        """Whether it needs no more to be sent: it was, or the process is dead, which `listen` will notice."""
        try:
            if memory is None:
                self._connection.send(data)
            else:
                socket.send_fds(self._connection, [data], [memory])
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        except OSError as error:
            self.kill(f"it cannot be told anything: {error}")
        return True

    async def write(self) -> None:
        """Send what waits when there is room, until cancelled."""
        while True:
            self._queued = trio.Event()
            if not self._queue:
                await self._queued.wait()
            await trio.lowlevel.wait_writable(self._connection)
            while self._queue and self._sent(*self._queue[0]):
                self._queue.popleft()

    async def listen(self, take: Callable[[Event], None]) -> None:
        """Hand over what it says, until it has ended or is killed for its silence."""
        while True:
            with trio.move_on_after(HEALTH_SECONDS) as patience:
                await trio.lowlevel.wait_readable(self._connection)
            if patience.cancelled_caught:
                self.kill("it says nothing any more")
                return
            for _ in range(_BATCH):
                try:
                    data = self._connection.recv(protocol.MESSAGE_OCTETS)
                except BlockingIOError:
                    break
                except ConnectionError:
                    return
                if not data:
                    return
                try:
                    event = protocol.event(data)
                except msgspec.MsgspecError as error:
                    self.kill(f"it cannot be understood: {error}")
                    return
                take(event)


@asynccontextmanager
async def started() -> AsyncIterator[Child]:
    """Start a media process, and see it dead in the end. Raises OSError when none can be started."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            for end in (ours, theirs):
                end.setblocking(False)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_OCTETS)
            process = await trio.lowlevel.open_process(
                command("b2bua.io.media.process", str(theirs.fileno())),
                env=environment(),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        try:
            yield Child(ours, process)
        finally:
            process.kill()
            with trio.CancelScope(shield=True), trio.move_on_after(_REAP_SECONDS):
                await process.wait()
