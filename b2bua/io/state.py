"""The state directory: ours alone, locked while a server runs, with the key that outlives restarts.

Owns its mode, its lock and its key. Leaves the database to `database`, the control socket to `control`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from b2bua.io.failure import ServerError

DATABASE = "b2bua.sqlite"

_KEY_OCTETS = 32


class AlreadyRunningError(ServerError):
    """Another server has this state directory."""


class StateDirectory:
    """An open, locked state directory. `key` are 32 secret octets, the same after each restart."""

    def __init__(self, path: Path) -> None:
        """Make or take the directory. Raises ServerError that says what to do."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ServerError(
                f"cannot use {path} for the server's state: {error.strerror}; name a directory of yours with --state"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise AlreadyRunningError(
                f"a server is already running with the state directory {path}; end it, or use another with --state"
            ) from None
        try:
            self.key = _key(path / "key")
        except OSError as error:
            self.close()
            raise ServerError(f"cannot keep a key in {path}: {error.strerror}") from None

    def close(self) -> None:
        """Give the directory free. The kernel does so too for a server that was killed."""
        os.close(self._lock)


def _key(path: Path) -> bytes:
    """The key in a file that is made when there is none, or a torn one."""
    if path.exists():
        key = path.read_bytes()
        if len(key) == _KEY_OCTETS:
            return key
    key = secrets.token_bytes(_KEY_OCTETS)
    fresh = path.with_suffix(".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, key)
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)
    return key
