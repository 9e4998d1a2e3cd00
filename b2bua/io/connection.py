"""One stream (RFC 3261 18.3, RFC 5626 3.5.1): its reader, its writer, its bounds.

Owns framing, keep-alives, the write queue and the times after which a peer is given up. Leaves which connections
there are, and how they are found again, to `connections`. Works on any trio stream: TLS is another stream only.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable

import trio

from b2bua.effects import Flow
from b2bua.io.identities import NOBODY, Identities
from b2bua.io.shell import Shell
from b2bua.io.tls import why
from b2bua.io.traffic import Traffic
from b2bua.sip.errors import Malformed
from b2bua.sip.parser import KeepAlive, StreamFramer

QUEUE_OCTETS = 256 * 1024
"""What may wait to be written. A peer that reads so little is gone, or means us ill: the connection is closed."""

READ_OCTETS = 16 * 1024
"""Taken in one turn, some dozen messages: the clock and the others wait no longer than these take."""

FIRST_MESSAGE_SECONDS = 15.0
"""From the connection to its first whole message. Whoever only holds connections open holds none for long."""

MESSAGE_SECONDS = 30.0
"""From a message's first octets to its last."""

CLOSE_SECONDS = 2.0
"""For writing what is queued when the connection is closed by us."""

_PONG = b"\r\n"


class Connection:
    """An open stream. `flow` is the way to the peer; `idle` how long, in seconds, nothing may be received, and
    `first` how long until the first whole message. `identities` are what the peer has proved. While it has a `watched`,
    that is called with each message; `alias` is the port that the peer offered for our requests (RFC 5923).
    What goes by it is counted in `traffic`.
    """

    def __init__(
        self,
        flow: Flow,
        shell: Shell,
        idle: float,
        first: float,
        identities: Identities = NOBODY,
        traffic: Traffic | None = None,
    ) -> None:
        self.flow = flow
        self.identities = identities
        self.watched: Callable[[bytes], None] | None = None
        self.alias: int | None = None
        self._shell = shell
        self._idle = idle
        self._first = first
        self._queue: list[bytes] = []
        self._queued = 0
        self._news = trio.Event()
        self._scope = trio.CancelScope()
        self._closing = False
        self._traffic = traffic or Traffic()

    @property
    def closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._closing

    def send(self, data: bytes) -> bool:
        """Queue octets, in order. False when they won't be sent: it is closing, or its queue overflows."""
        if self._closing:
            return False
        if self._queued + len(data) > QUEUE_OCTETS:
            self._shell.counters["stream_overflows"] += 1
            self.abandon()
            return False
        self._traffic.sent += 1
        self._queue.append(data)
        self._queued += len(data)
        self._news.set()
        return True

    def close(self) -> None:
        """Write what is queued, then close; within a bound."""
        if not self._closing:
            self._closing = True
            self._news.set()
            self._scope.deadline = trio.current_time() + CLOSE_SECONDS

    def abandon(self) -> None:
        """Close at once."""
        self._closing = True
        self._scope.cancel()

    async def run(self, stream: trio.abc.Stream) -> None:
        """Read and write until either side closes, a bound is passed, or framing is lost. Closes the stream."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write, stream)
                    await self._read(stream)
                    self.close()
        finally:
            self._closing = True
            await trio.aclose_forcefully(stream)

    async def _read(self, stream: trio.abc.Stream) -> None:
        """Until the peer's end, an error, or the end of patience."""
        framer = StreamFramer(self._shell.limits)
        due = trio.current_time() + self._first
        begun, first = math.inf, True
        with trio.CancelScope() as patience:
            while True:
                patience.deadline = math.inf if self._closing else min(due, begun + MESSAGE_SECONDS)
                try:
                    data = await stream.receive_some(READ_OCTETS)
                except trio.ClosedResourceError:
                    return
                except trio.BrokenResourceError as error:
                    self._broken(error)
                    return
                if not data:
                    return
                if self._closing:
                    # Read and dropped: closing with octets unread would destroy what the peer has yet to read.
                    continue
                now = trio.current_time()
                whole = self._take(framer, data, now)
                first = first and not whole
                if not first:
                    due = now + self._idle
                if not framer.pending:
                    begun = math.inf
                elif whole or begun == math.inf:
                    begun = now
        if patience.cancelled_caught:
            self._shell.counters["streams_timed_out"] += 1

    def _take(self, framer: StreamFramer, data: bytes | bytearray, now: float) -> bool:
        """Hand in what is complete; whether a message was."""
        shell, wall, whole = self._shell, time.time(), False
        try:
            for item in framer.feed(bytes(data)):
                if item is KeepAlive.PING:
                    shell.counters["keep_alives"] += 1
                    self.send(_PONG)
                elif isinstance(item, bytes):
                    whole = True
                    self._traffic.received += 1
                    if self.watched is not None:
                        self.watched(item)
                    shell.message(item, self.flow, now, wall)
            if framer.error is not None:
                raise framer.error
        except Malformed as error:
            shell.counters["streams_malformed"] += 1
            shell.turn(shell.core.malformed, error, self.flow)
            self.close()
        shell.settle()
        return whole

    def _broken(self, error: trio.BrokenResourceError) -> None:
        """A peer that refuses our certificate says so only now (RFC 8446 4.4.2.4); TCP's own ends say nothing."""
        if isinstance(error.__cause__, ssl.SSLError):
            self._shell.counters["tls_broken"] += 1
            self._shell.log.info("TLS broken", remote=self.flow.remote, port=self.flow.remote_port, why=why(error))

    async def _write(self, stream: trio.abc.Stream) -> None:
        """Write what is queued, all of it at a time, and the end when it is closing."""
        try:
            while self._queue or not self._closing:
                if not self._queue:
                    await self._news.wait()
                    self._news = trio.Event()
                    continue
                data, self._queue = b"".join(self._queue), []
                await stream.send_all(data)
                self._queued -= len(data)
            if isinstance(stream, trio.abc.HalfCloseableStream):
                await stream.send_eof()
            else:
                await stream.aclose()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.abandon()
