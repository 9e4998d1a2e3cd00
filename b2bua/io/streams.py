"""TCP (RFC 3261 section 18): who is connected, from whom connections are taken, and how one is found or opened.

Owns listeners, numbers, and the bounds on connections. Leaves what goes over one to `connection`. A connection's
number is never used again, not even after a restart, so that a stored flow cannot come to mean another peer.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter

import trio

from b2bua.effects import Flow
from b2bua.io.connection import FIRST_MESSAGE_SECONDS, QUEUE_OCTETS, Connection
from b2bua.io.shell import Shell
from b2bua.settings import Listener

CONNECTIONS = 10_000
"""In all, taken and opened. Each holds a descriptor and two tasks, some 20 kB."""

CONNECTIONS_OF_AN_ADDRESS = 512
"""Taken from one IP address: an office of phones behind one NAT, and no more."""

CONNECT_SECONDS = 5.0
"""For a connection that we open: the core has other places to try before Timer B ends the call at 32 s."""

BEYOND_EXPIRY_SECONDS = 300
"""An idle connection is kept this much longer than a binding lives that was made by it."""

# The kernel's own watch over a peer that vanished: idle for a minute, then asked four times; and what is sent must be
# acknowledged within half a minute (tcp(7)).
_WATCH = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)


class Dialing:
    """A connection that is being opened, and what waits for it."""

    def __init__(self) -> None:
        self.queue: list[bytes] = []
        self.queued = 0


class Streams:
    """All connections. `run` before anything is sent; `idle` in seconds is a connection's longest silence."""

    def __init__(self, shell: Shell, idle: float) -> None:
        self._shell = shell
        self._idle = idle
        self._listeners: list[tuple[socket.socket, Listener]] = []
        self._last = int(time.time() * 1000)
        self._open: dict[int, Connection] = {}
        self._by_peer: dict[tuple[str, int], list[Connection]] = {}
        self._asked: dict[int, Flow] = {}
        self._dialing: dict[Flow, Dialing] = {}
        self._taken: Counter[str] = Counter()
        self._nursery: trio.Nursery | None = None

    def __len__(self) -> int:
        """How many connections are open or being opened."""
        return len(self._open) + len(self._dialing)

    def add(self, sock: socket.socket, listener: Listener) -> None:
        """Take connections at this socket."""
        self._listeners.append((sock, listener))

    async def run(self) -> None:
        """Take and serve connections until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for sock, listener in self._listeners:
                nursery.start_soon(self._listen, sock, listener)
            await trio.sleep_forever()

    # Effects.

    def send(self, data: bytes, flow: Flow) -> None:
        """Send by the connection with the flow's number; number 0 is any to that address, else a new one."""
        if flow.connection:
            connection = self._open.get(flow.connection)
        elif flow in self._dialing:
            self._wait(self._dialing[flow], data, flow)
            return
        else:
            connection = self._to(flow)
            if connection is None:
                self._dial(data, flow)
                return
            self._asked[connection.flow.connection] = flow
        if connection is None or not connection.send(data):
            self._shell.failed(flow)

    def close(self, flow: Flow) -> None:
        """Close the connection with this number, after what is queued. One that is gone is gone."""
        connection = self._open.get(flow.connection)
        if connection is not None:
            connection.close()

    # Connections that come.

    async def _listen(self, sock: socket.socket, listener: Listener) -> None:
        async def taken(stream: trio.SocketStream) -> None:
            await self._shell.contained(self._take, stream, listener)

        listening = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        await trio.serve_listeners(taken, [listening], handler_nursery=self._nursery)

    async def _take(self, stream: trio.SocketStream, listener: Listener) -> None:
        try:
            host, port = stream.socket.getpeername()[:2]
        except OSError:
            await trio.aclose_forcefully(stream)
            return
        if len(self) >= CONNECTIONS or self._taken[host] >= CONNECTIONS_OF_AN_ADDRESS:
            self._shell.counters["streams_refused"] += 1
            await trio.aclose_forcefully(stream)
            return
        self._taken[host] += 1
        try:
            connection = self._enter(listener.host, listener.port, host, port, FIRST_MESSAGE_SECONDS)
            await self._serve(stream, connection)
        finally:
            self._taken[host] -= 1
            if not self._taken[host]:
                del self._taken[host]

    # Connections that we open.

    def _to(self, flow: Flow) -> Connection | None:
        for connection in self._by_peer.get((flow.remote, flow.remote_port), ()):
            if not connection.closing and connection.flow.local == flow.local:
                return connection
        return None

    def _dial(self, data: bytes, flow: Flow) -> None:
        if self._nursery is None or len(self) >= CONNECTIONS:
            self._shell.counters["streams_refused"] += 1
            self._shell.failed(flow)
            return
        dialing = self._dialing[flow] = Dialing()
        self._wait(dialing, data, flow)
        self._nursery.start_soon(self._shell.contained, self._connect, flow, dialing)

    def _wait(self, dialing: Dialing, data: bytes, flow: Flow) -> None:
        if dialing.queued + len(data) > QUEUE_OCTETS:
            self._shell.counters["stream_overflows"] += 1
            self._shell.failed(flow)
            return
        dialing.queue.append(data)
        dialing.queued += len(data)

    async def _connect(self, flow: Flow, dialing: Dialing) -> None:
        stream: trio.SocketStream | None = None
        try:
            with trio.move_on_after(CONNECT_SECONDS):
                stream = await _connected(flow)
        except OSError as error:
            self._shell.log.info("connection failed", remote=flow.remote, port=flow.remote_port, why=str(error))
        finally:
            del self._dialing[flow]
        if stream is None:
            self._shell.counters["connects_failed"] += 1
            self._shell.failed(flow)
            return
        connection = self._enter(flow.local, flow.local_port, flow.remote, flow.remote_port, self._idle)
        self._asked[connection.flow.connection] = flow
        for data in dialing.queue:
            connection.send(data)
        await self._serve(stream, connection)

    # All of them.

    def _enter(self, local: str, local_port: int, host: str, port: int, first: float) -> Connection:
        self._last += 1
        flow = Flow("TCP", local, local_port, host, port, self._last)
        connection = Connection(flow, self._shell, self._idle, first)
        self._open[self._last] = connection
        self._by_peer.setdefault((host, port), []).append(connection)
        return connection

    async def _serve(self, stream: trio.SocketStream, connection: Connection) -> None:
        flow = connection.flow
        try:
            with contextlib.suppress(OSError):
                for level, option, value in _WATCH:
                    stream.setsockopt(level, option, value)
            await connection.run(stream)
        finally:
            del self._open[flow.connection]
            peers = self._by_peer[flow.remote, flow.remote_port]
            peers.remove(connection)
            if not peers:
                del self._by_peer[flow.remote, flow.remote_port]
            self._shell.failed(flow)
            asked = self._asked.pop(flow.connection, None)
            if asked is not None:
                self._shell.failed(asked)


async def _connected(flow: Flow) -> trio.SocketStream:
    """Open a connection from the flow's local address. Raises OSError."""
    sock = trio.socket.socket(socket.AF_INET6 if ":" in flow.remote else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if flow.local not in ("0.0.0.0", "::"):
            await sock.bind((flow.local, 0))
        await sock.connect((flow.remote, flow.remote_port))
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)
