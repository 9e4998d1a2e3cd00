"""The one error of the edge: the server cannot start, or cannot do what its operator asks."""

from __future__ import annotations

import errno
import os


class ServerError(Exception):
    """The text is a sentence or two for the operator: what is wrong, and what to do about it."""


_ADVICE = {
    errno.EADDRINUSE: "another program has this port: end it, or listen elsewhere with --listen",
    errno.EADDRNOTAVAIL: "this machine has no such address: `ip address` lists those that it has",
    errno.EACCES: "ports below 1024 need the right to bind them: listen on a higher one, or grant CAP_NET_BIND_SERVICE",
    errno.EAFNOSUPPORT: "this kind of address is not available on this machine",
    errno.EMFILE: "too many files are open: raise `ulimit -n`",
}


def cannot_listen(transport: str, host: str, port: int, error: OSError) -> ServerError:
    """Why a socket could not be opened."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    number = error.errno or 0
    advice = _ADVICE.get(number, "see --listen, or `listen` in the settings file")
    return ServerError(f"cannot listen on {transport.lower()}:{where}: {os.strerror(number)}; {advice}")
