"""The control socket: how an operator's commands reach a running server.

Owns the socket (mode 0600 in a directory of mode 0700: who may open it is who may do all this), its framing and its
bounds. One request is one line of JSON, `{"do": ...}`; its answer one line, `{"result": ...}` or `{"error": ...}`.
What is done is the server's.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import trio

from b2bua.io.failure import ServerError
from b2bua.io.requests import Refused, Request
from b2bua.io.shell import Shell

REQUEST_OCTETS = 65_536
"""The longest request: a call to explain is told in sentences."""

REQUEST_SECONDS = 30.0
"""For a request to come whole, and for its answer to be read."""

_BACKLOG = 16
_decode = msgspec.json.Decoder(Request).decode


def open_control(path: Path) -> socket.socket:
    """Listen there. What a dead server left is replaced: the state directory's lock says that it is dead.

    Raises ServerError that says what to do.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        advice = "name a shorter directory with --state" if "too long" in str(error) else "see --state"
        raise ServerError(f"cannot open the control socket {path}: {error}; {advice}") from None
    finally:
        os.umask(mask)
    return sock


class Control:
    """Serves requests. `act` does what is asked and returns what is to be shown; it raises Refused."""

    def __init__(self, sock: socket.socket, shell: Shell, act: Callable[[Request], Awaitable[object]]) -> None:
        self._socket = sock
        self._shell = shell
        self._act = act

    async def run(self) -> None:
        """Serve until cancelled."""
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self._socket))
        await trio.serve_listeners(self._taken, [listener])

    async def _taken(self, stream: trio.SocketStream) -> None:
        await self._shell.contained(self._serve, stream)

    async def _serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            try:
                with trio.move_on_after(REQUEST_SECONDS):
                    line = await _line(stream)
                    answer = await self._answer(line)
                    await stream.send_all(answer + b"\n")
            except trio.BrokenResourceError:
                # The operator has left.
                return

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = _decode(line)
        except msgspec.MsgspecError as error:
            return _encoded({"error": f"this is no request: {error}"})
        try:
            result = await self._act(request)
        except Refused as refused:
            return _encoded({"error": str(refused)})
        # Thousands of calls take a while to write down: not in the event loop.
        return await trio.to_thread.run_sync(_encoded, {"result": result})


async def _line(stream: trio.SocketStream) -> bytes:
    """What comes before the first line end, or the peer's end, or the bound."""
    data = b""
    while b"\n" not in data and len(data) < REQUEST_OCTETS:
        more = await stream.receive_some(REQUEST_OCTETS)
        if not more:
            break
        data += more
    return data.partition(b"\n")[0]


def _encoded(answer: dict[str, object]) -> bytes:
    try:
        return msgspec.json.encode(answer)
    except UnicodeEncodeError:
        # A peer's octets that are no UTF-8, in a name or address: JSON can escape them, msgspec does not.
        return json.dumps(msgspec.to_builtins(answer)).encode()
