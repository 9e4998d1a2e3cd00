"""How far somebody has been told of calls that ended: a number that outlives everything."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class Cursor:
    """A file with a number, for one process at a time. `upto` is `first` where there is none yet.

    Raises BlockingIOError while another process has it, OSError when it cannot be kept.
    """

    def __init__(self, path: Path, first: int) -> None:
        self._path = path
        self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        self.upto = first
        with contextlib.suppress(FileNotFoundError, ValueError):
            self.upto = int(path.read_text(encoding="ascii"))
            return
        self.move(first)

    def close(self) -> None:
        """Leave it to others."""
        os.close(self._lock)

    def move(self, upto: int) -> None:
        """Everything up to this one has been told, for good."""
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, str(upto).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(self._path)
        self.upto = upto
