"""A terminal of a given size (pty(7)) in which a command runs, and what stands on its screen."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROGRAM = (sys.executable, "-c", "from b2bua.operator.main import main; main(prog_name='b2bua')")
PATIENCE_SECONDS = 30.0


class Terminal:
    """One command in it, begun at once. `said` is all that it has printed."""

    def __init__(
        self, arguments: Sequence[str | Path], columns: int = 80, lines: int = 24, program: Sequence[str] = PROGRAM
    ) -> None:
        self._master, slave = pty.openpty()
        self.resize(columns, lines)
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            # setsid(1): Ctrl-C, and a new size, reach it as they do in a terminal.
            ["setsid", "--ctty", *program, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
        )
        os.close(slave)
        self.said = ""

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    @property
    def mode(self) -> list[object]:
        """How it treats what is typed and printed (termios(3))."""
        return termios.tcgetattr(self._master)

    def until(self, holds: Callable[[str], bool]) -> str:
        """Read until something holds of what was printed, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds(self.said):
            assert time.monotonic() < deadline, f"it goes on with {self.said}"
            assert self._take(), f"it has ended with {self.said}"
        return self.said

    def ended(self) -> int:
        """Read to its end; with which exit code that was."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._take():
            assert time.monotonic() < deadline, f"it goes on with {self.said}"
        os.close(self._master)
        return self.process.wait(PATIENCE_SECONDS)

    def _take(self) -> bool:
        assert select.select([self._master], [], [], PATIENCE_SECONDS)[0], f"nothing came after {self.said}"
        try:
            self.said += os.read(self._master, 65_536).decode(errors="replace")
        except OSError as error:
            # Nobody has the terminal open any more (pts(4)).
            assert error.errno == errno.EIO
            return False
        return True


def drawings(said: str) -> list[list[str]]:
    """The lines of each screen that was drawn."""
    return [
        [line.removesuffix("\x1b[K") for line in part.partition("\x1b[J")[0].split("\r\n")]
        for part in said.split("\x1b[H")[1:]
        if "\x1b[J" in part
    ]
