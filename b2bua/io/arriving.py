"""Connections that peers open (RFC 3261 18.2.1): from whom they are taken, and the handshake of TLS.

Owns listeners, and what one address may hold. Leaves what has been taken to `connections`.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from b2bua.effects import Flow
from b2bua.io.connection import FIRST_MESSAGE_SECONDS
from b2bua.io.connections import Connections
from b2bua.io.tls import HandshakeError, Tls
from b2bua.settings import Listener

CONNECTIONS_OF_AN_ADDRESS = 512
"""Taken from one IP address: an office of phones behind one NAT, and no more."""

HANDSHAKES_OF_AN_ADDRESS = 64
"""Begun and not ended, from one IP address: an office that comes back after a power cut takes a few turns."""

LOGGED_A_MINUTE = 20
"""Lines about handshakes that failed. Whoever scans the Internet for ports leaves more; the counters have them all."""


class Arriving:
    """Takes connections. `tls` is None where nothing listens by it."""

    def __init__(self, connections: Connections, tls: Tls | None) -> None:
        self._connections = connections
        self._shell = connections.shell
        self._tls = tls
        self._listeners: list[tuple[socket.socket, Listener]] = []
        self._held: Counter[str] = Counter()
        self._shaking: Counter[str] = Counter()
        self._minute = 0
        self._logged = 0

    def add(self, sock: socket.socket, listener: Listener) -> None:
        """Take connections at this socket."""
        self._listeners.append((sock, listener))

    def start(self, nursery: trio.Nursery) -> None:
        """Begin to take connections."""
        for sock, listener in self._listeners:
            nursery.start_soon(self._listen, sock, listener, nursery)

    async def _listen(self, sock: socket.socket, listener: Listener, nursery: trio.Nursery) -> None:
        async def taken(stream: trio.SocketStream) -> None:
            await self._shell.contained(self._take, stream, listener)

        listening = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        await trio.serve_listeners(taken, [listening], handler_nursery=nursery)

    async def _take(self, stream: trio.SocketStream, listener: Listener) -> None:
        try:
            host, port = stream.socket.getpeername()[:2]
        except OSError:
            await trio.aclose_forcefully(stream)
            return
        if self._connections.full or self._held[host] >= CONNECTIONS_OF_AN_ADDRESS:
            self._shell.counters["streams_refused"] += 1
            await trio.aclose_forcefully(stream)
            return
        flow = Flow(listener.transport, listener.host, listener.port, host, port)
        with _counted(self._held, host):
            if self._tls is None or listener.transport != "TLS":
                await self._connections.serve(stream, stream, self._connections.taken(flow, FIRST_MESSAGE_SECONDS))
            else:
                await self._secure(stream, flow, self._tls)

    async def _secure(self, stream: trio.SocketStream, flow: Flow, tls: Tls) -> None:
        host = flow.remote
        if self._shaking[host] >= HANDSHAKES_OF_AN_ADDRESS:
            self._shell.counters["handshakes_refused"] += 1
            await trio.aclose_forcefully(stream)
            return
        try:
            with _counted(self._shaking, host), self._connections.beginning():
                secured, identities = await tls.accepted(stream)
        except HandshakeError as error:
            self._failed(host, str(error))
            await trio.aclose_forcefully(stream)
            return
        connection = self._connections.taken(flow, FIRST_MESSAGE_SECONDS, identities)
        await self._connections.serve(secured, stream, connection)

    def _failed(self, host: str, why: str) -> None:
        self._shell.counters["handshakes_failed"] += 1
        minute = int(trio.current_time() // 60)
        if minute != self._minute:
            self._minute, self._logged = minute, 0
        self._logged += 1
        if self._logged <= LOGGED_A_MINUTE:
            self._shell.log.info("TLS handshake failed", remote=host, why=why)


@contextmanager
def _counted(counts: Counter[str], host: str) -> Iterator[None]:
    counts[host] += 1
    try:
        yield
    finally:
        counts[host] -= 1
        if not counts[host]:
            del counts[host]
