"""Connections that we open (RFC 3261 18.1.1), TLS among them.

Owns what waits for a connection, and that the core hears when there is none. Leaves what was opened to `connections`.
"""

from __future__ import annotations

import socket

import trio

from b2bua.effects import Flow
from b2bua.io.connection import QUEUE_OCTETS
from b2bua.io.connections import Connections
from b2bua.io.identities import NOBODY
from b2bua.io.tls import HandshakeError, Tls

CONNECT_SECONDS = 5.0
"""For a connection that we open, its handshake too: the core has other places to try before Timer B ends the call."""


class _Waiting:
    """What waits for one connection."""

    def __init__(self) -> None:
        self.queue: list[bytes] = []
        self.queued = 0


class Dialing:
    """Opens connections. `tls` is None where there is none."""

    def __init__(self, connections: Connections, tls: Tls | None) -> None:
        self._connections = connections
        self._shell = connections.shell
        self._tls = tls
        self._waiting: dict[Flow, _Waiting] = {}
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """From now on connections can be opened."""
        self._nursery = nursery

    def send(self, data: bytes, flow: Flow) -> None:
        """Send by a connection to the flow's address that is being opened, else by a new one."""
        waiting = self._waiting.get(flow)
        if waiting is None:
            if self._nursery is None or self._connections.full:
                self._shell.counters["streams_refused"] += 1
                self._shell.failed(flow)
                return
            waiting = self._waiting[flow] = _Waiting()
            self._nursery.start_soon(self._shell.contained, self._open, flow, waiting)
        if waiting.queued + len(data) > QUEUE_OCTETS:
            self._shell.counters["stream_overflows"] += 1
            self._shell.failed(flow)
            return
        waiting.queue.append(data)
        waiting.queued += len(data)

    async def _open(self, flow: Flow, waiting: _Waiting) -> None:
        stream: trio.SocketStream | None = None
        secured: trio.abc.Stream | None = None
        identities, why = NOBODY, f"not connected within {CONNECT_SECONDS:g} s"
        try:
            with self._connections.beginning(), trio.move_on_after(CONNECT_SECONDS):
                stream = await _connected(flow)
                if flow.transport != "TLS":
                    secured = stream
                elif self._tls is not None:
                    secured, identities = await self._tls.connected(stream, flow.name)
        except OSError as error:
            why = str(error)
        except HandshakeError as error:
            self._shell.counters["handshakes_failed"] += 1
            why = str(error)
        finally:
            del self._waiting[flow]
        if stream is None or secured is None:
            if stream is not None:
                await trio.aclose_forcefully(stream)
            self._fail(flow, why)
            return
        connection = self._connections.opened(flow, identities)
        for data in waiting.queue:
            connection.send(data)
        await self._connections.serve(secured, stream, connection)

    def _fail(self, flow: Flow, why: str) -> None:
        name = {"name": flow.name} if flow.name else {}
        self._shell.log.info("connection failed", remote=flow.remote, port=flow.remote_port, **name, why=why)
        self._shell.counters["connects_failed"] += 1
        self._shell.failed(flow, why)


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
