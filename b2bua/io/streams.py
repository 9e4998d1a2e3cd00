"""TCP and TLS (RFC 3261 section 18) as one sender.

Owns by which connection something goes: the one with its number, one that is open to its address, or a new one. Leaves
these to `connections`, `arriving` and `dialing`.
"""

from __future__ import annotations

import socket

import trio

from b2bua.effects import Flow
from b2bua.io.arriving import Arriving
from b2bua.io.connections import Connections
from b2bua.io.dialing import Dialing
from b2bua.io.shell import Shell
from b2bua.io.tls import Tls
from b2bua.io.traffic import Traffic
from b2bua.settings import Listener

BEYOND_EXPIRY_SECONDS = 300
"""An idle connection is kept this much longer than a binding lives that was made by it."""


class Streams:
    """All streams. `run` before anything is sent; `idle` in seconds is a connection's longest silence."""

    def __init__(self, shell: Shell, idle: float, tls: Tls | None = None) -> None:
        self._shell = shell
        self._connections = Connections(shell, idle)
        self._arriving = Arriving(self._connections, tls)
        self._dialing = Dialing(self._connections, tls)

    def __len__(self) -> int:
        """How many connections are open or on their way."""
        return len(self._connections)

    def traffic(self, listener: Listener) -> Traffic:
        """What goes by the streams of a listen address."""
        return self._connections.traffic(listener.transport, listener.host, listener.port)

    def add(self, sock: socket.socket, listener: Listener) -> None:
        """Take connections at this socket."""
        self._arriving.add(sock, listener)

    async def run(self) -> None:
        """Take and serve connections until cancelled."""
        async with trio.open_nursery() as nursery:
            self._dialing.start(nursery)
            self._arriving.start(nursery)
            await trio.sleep_forever()

    def send(self, data: bytes, flow: Flow) -> None:
        """Send by the connection with the flow's number; number 0 is any to that address, else a new one."""
        connections = self._connections
        connection = connections.numbered(flow.connection) if flow.connection else connections.found(flow)
        if connection is None and not flow.connection:
            self._dialing.send(data, flow)
        elif connection is None or not connection.send(data):
            self._shell.failed(flow)

    def close(self, flow: Flow) -> None:
        """Close the connection with this number, after what is queued. One that is gone is gone."""
        connection = self._connections.numbered(flow.connection)
        if connection is not None:
            connection.close()
