"""Opening the sockets of listen addresses, and saying why one cannot be opened.

Owns what UDP and TCP have in common here, and how an address is written. Leaves what goes through a socket to `udp`
and `streams`.
"""

from __future__ import annotations

import errno
import os
import socket

from b2bua.io.failure import ServerError
from b2bua.settings import Listener

_BACKLOG = 1024

_ADVICE = {
    errno.EADDRINUSE: "another program has this port: end it, or listen elsewhere with {how}",
    errno.EADDRNOTAVAIL: "this machine has no such address: `ip address` lists those that it has",
    errno.EACCES: "ports below 1024 need the right to bind them: listen on a higher one, or grant CAP_NET_BIND_SERVICE",
    errno.EAFNOSUPPORT: "this kind of address is not available on this machine",
    errno.EMFILE: "too many files are open: raise `ulimit -n`",
}


BY_ARGUMENT = "--listen, or `listen` in the settings file"
"""How the addresses for SIP are chosen."""


def open_listener(listener: Listener, how: str = BY_ARGUMENT) -> socket.socket:
    """Bind a socket, and listen if it is a stream's. `how` is what its address was chosen by.

    Raises ServerError that says what to do.
    """
    six, stream = ":" in listener.host, listener.transport != "UDP"
    sock: socket.socket | None = None
    try:
        sock = socket.socket(
            socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
        )
        sock.setblocking(False)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if stream:
            # For a restart: old connections may still be in TIME-WAIT. A second server is refused all the same.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((listener.host, listener.port))
        if stream:
            sock.listen(_BACKLOG)
    except OSError as error:
        if sock is not None:
            sock.close()
        number = error.errno or 0
        advice = _ADVICE.get(number, "see {how}").format(how=how)
        raise ServerError(f"cannot listen on {listener_text(listener)}: {os.strerror(number)}; {advice}") from None
    return sock


def listener_text(listener: Listener) -> str:
    """A listen address as settings and command line have it: `udp:127.0.0.1:5060`."""
    return f"{listener.transport.lower()}:{address_text(listener.host, listener.port)}"


def address_text(host: str, port: int) -> str:
    """An address and its port; IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
