"""All open streams: their numbers, and which of them goes where (RFC 3261 section 18, RFC 5923).

Owns the bound on connections, finding one again, and what the core is told when one ends. Leaves how they come to be
to `arriving` and `dialing`, and what goes over one to `connection`. A connection's number is never used again, not even
after a restart, so that a stored flow cannot come to mean another peer.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from functools import partial

import trio

from b2bua.effects import Flow
from b2bua.io.connection import Connection
from b2bua.io.identities import NOBODY, Identities
from b2bua.io.reuse import port_for_requests
from b2bua.io.shell import Shell
from b2bua.io.traffic import Traffic

CONNECTIONS = 10_000
"""In all, taken and opened. Each holds a descriptor and two tasks, some 20 kB."""

# The kernel's own watch over a peer that vanished: idle for a minute, then asked four times; and what is sent must be
# acknowledged within half a minute (tcp(7)).
_WATCH = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)


class Connections:
    """The table of open connections; `idle` in seconds is the longest silence of one."""

    def __init__(self, shell: Shell, idle: float) -> None:
        self.shell = shell
        self.idle = idle
        self._last = int(time.time() * 1000)
        self._begun = 0
        self._open: dict[int, Connection] = {}
        self._by_peer: dict[tuple[str, str, int], list[Connection]] = {}
        self._asked: dict[int, dict[Flow, None]] = {}
        self._traffic: dict[tuple[str, str, int], Traffic] = {}

    def __len__(self) -> int:
        """How many connections are open or on their way."""
        return len(self._open) + self._begun

    @property
    def full(self) -> bool:
        """Whether no more can be had."""
        return len(self) >= CONNECTIONS

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """A connection is on its way, and counts."""
        self._begun += 1
        try:
            yield
        finally:
            self._begun -= 1

    def traffic(self, transport: str, host: str, port: int) -> Traffic:
        """What goes by all streams of a listen address."""
        return self._traffic.setdefault((transport, host, port), Traffic())

    def numbered(self, number: int) -> Connection | None:
        """The connection with this number, if it is open."""
        return self._open.get(number)

    def found(self, flow: Flow) -> Connection | None:
        """An open connection to the flow's address; by TLS only one whose peer has proved to be who is asked for
        (RFC 5922 7.4). The core will hear of this flow when that connection ends.
        """
        for connection in self._by_peer.get((flow.transport, flow.remote, flow.remote_port), ()):
            if not connection.closing and connection.flow.local == flow.local and _may_serve(connection, flow):
                self._asked.setdefault(connection.flow.connection, {})[flow] = None
                return connection
        return None

    def opened(self, flow: Flow, identities: Identities = NOBODY) -> Connection:
        """Enter a connection that was opened for this flow, which has no number."""
        connection = self._enter(flow, self.idle, identities)
        self.traffic(flow.transport, flow.local, flow.local_port).opened += 1
        self._asked[connection.flow.connection] = {flow: None}
        return connection

    def taken(self, flow: Flow, first: float, identities: Identities = NOBODY) -> Connection:
        """Enter a connection that a peer opened; its first whole message must come within `first` seconds."""
        connection = self._enter(flow, first, identities)
        self.traffic(flow.transport, flow.local, flow.local_port).taken += 1
        if identities.names:
            connection.watched = partial(self._offered, connection)
        return connection

    async def serve(self, stream: trio.abc.Stream, sock: trio.SocketStream, connection: Connection) -> None:
        """Read and write until the connection ends; then the core hears of it. `sock` lies beneath `stream`."""
        flow = connection.flow
        try:
            with contextlib.suppress(OSError):
                for level, option, value in _WATCH:
                    sock.setsockopt(level, option, value)
            await connection.run(stream)
        finally:
            del self._open[flow.connection]
            self.traffic(flow.transport, flow.local, flow.local_port).connections -= 1
            self._forget(connection, flow.remote_port)
            if connection.alias is not None:
                self._forget(connection, connection.alias)
            self.shell.failed(flow)
            for asked in self._asked.pop(flow.connection, ()):
                self.shell.failed(asked)

    def _enter(self, flow: Flow, first: float, identities: Identities) -> Connection:
        self._last += 1
        numbered = Flow(
            flow.transport, flow.local, flow.local_port, flow.remote, flow.remote_port, self._last, flow.name
        )
        traffic = self.traffic(flow.transport, flow.local, flow.local_port)
        traffic.connections += 1
        connection = Connection(numbered, self.shell, self.idle, first, identities, traffic)
        self._open[self._last] = connection
        self._remember(connection, flow.remote_port)
        return connection

    def _offered(self, connection: Connection, data: bytes) -> None:
        """A peer that has proved who it is sent this: perhaps it takes our requests by its connection (RFC 5923)."""
        port = port_for_requests(data)
        if port is not None:
            connection.watched = None
            if port != connection.flow.remote_port:
                connection.alias = port
                self._remember(connection, port)

    def _remember(self, connection: Connection, port: int) -> None:
        flow = connection.flow
        self._by_peer.setdefault((flow.transport, flow.remote, port), []).append(connection)

    def _forget(self, connection: Connection, port: int) -> None:
        key = (connection.flow.transport, connection.flow.remote, port)
        peers = self._by_peer[key]
        peers.remove(connection)
        if not peers:
            del self._by_peer[key]


def _may_serve(connection: Connection, flow: Flow) -> bool:
    if flow.transport != "TLS":
        return True
    return connection.flow.name == flow.name != "" or connection.identities.prove(flow.name)
