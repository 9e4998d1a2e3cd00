"""A child process whose lines are events.

Owns starting, reading and ending one program. Its output goes to a log file and, line by line, to whoever
waits for a line; nobody sleeps and looks again.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self


class WireError(Exception):
    """A program or a peer did not do what the test waits for; the message says what it did instead."""


class Program:
    """One running program: `log` holds all that it wrote, both streams in one file."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = tuple(command)
        self.log = log
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._closed = False
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self.command,
            cwd=cwd,
            env=None if environment is None else {**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name=f"log {log.name}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id, also after its end."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def lines(self) -> list[str]:
        """All lines so far, without their ends."""
        with self._news:
            return list(self._lines)

    def wait_line(self, pattern: str, timeout: float, *, after: int = 0) -> re.Match[str]:
        """Return the first match among the lines from number `after` on, waiting `timeout` seconds for it.

        Raises WireError with the log's end when the time is over or the program has ended.
        """
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        position = after
        with self._news:
            while True:
                while position < len(self._lines):
                    if found := wanted.search(self._lines[position]):
                        return found
                    position += 1
                left = deadline - time.monotonic()
                if self._closed or left <= 0:
                    why = f"ended with {self.code}" if self._closed else f"{timeout:g} s went by"
                    raise WireError(f"{self._name}: no line like {pattern!r}: {why}\n{self.tail()}")
                self._news.wait(left)

    def wait(self, timeout: float) -> int:
        """Return the exit code; WireError when it still runs after `timeout` seconds."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise WireError(f"{self._name}: still running after {timeout:g} s\n{self.tail()}") from None
        self._finish()
        return code

    def send(self, sent: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(sent)

    def stop(self, grace: float = 10.0, *, sent: signal.Signals = signal.SIGTERM) -> int:
        """End it by its pid and return the exit code: `sent` first, SIGKILL after `grace` seconds."""
        if self._process.poll() is None:
            self._process.send_signal(sent)
            try:
                self._process.wait(grace)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._finish()
        return self._process.returncode

    def tail(self, lines: int = 40) -> str:
        """Return the last lines, for a message."""
        with self._news:
            return "\n".join(f"  | {line}" for line in self._lines[-lines:])

    @property
    def _name(self) -> str:
        return f"{Path(self.command[0]).name} ({self.log})"

    def _finish(self) -> None:
        self._reader.join(5.0)

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream, self.log.open("a", encoding="utf-8") as log:
            for line in stream:
                log.write(line)
                log.flush()
                with self._news:
                    self._lines.append(line.rstrip("\r\n"))
                    self._news.notify_all()
        with self._news:
            self._closed = True
            self._news.notify_all()
