"""A peer that speaks TLS."""

from __future__ import annotations

import contextlib
import ssl

import trio

from b2bua.io.listening import open_listener
from b2bua.settings import Certificate, Listener

from .patience import in_time
from .test_streams import free_port


class Gateway:
    """A peer that takes connections by TLS."""

    def __init__(self, pair: Certificate, clients: str = "") -> None:
        self.socket = open_listener(Listener("TLS", "127.0.0.1", free_port("127.0.0.1")))
        self.port = self.socket.getsockname()[1]
        self._listening = trio.SocketListener(trio.socket.from_stdlib_socket(self.socket))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self.asked: list[str | None] = []
        self._context.sni_callback = lambda _, name, __: self.asked.append(name)
        if clients:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients)

    async def accept(self) -> trio.SSLStream[trio.SocketStream]:
        """The next connection, its handshake still to come."""
        with in_time():
            stream = await self._listening.accept()
        return trio.SSLStream(stream, self._context, server_side=True, https_compatible=True)

    def refuse_aloud(self) -> None:
        """Say in an alert why the next connection is refused, as OpenSSL does by itself and trio does not."""
        self.socket.setblocking(True)
        self.socket.settimeout(5)
        sock, _ = self.socket.accept()
        with sock, contextlib.suppress(ssl.SSLError), self._context.wrap_socket(sock, server_side=True):
            pass

    async def refused(self) -> None:
        """The next connection does not come to its end."""
        stream = await self.accept()
        try:
            await stream.do_handshake()
            await stream.receive_some()
        except trio.BrokenResourceError:
            pass
        await trio.aclose_forcefully(stream)
