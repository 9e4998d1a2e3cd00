"""What a service manager is told of us: systemd's notifications, sd_notify(3).

Owns the datagrams and whom they go to. When something has happened is for the server to say. Without a manager, which
says by the environment that it is there, nothing is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""What is said by the environment: to this process, and not to those that it starts."""


class ServiceManager:
    """Whoever has started us. Nothing here waits: a manager that does not read loses what it is told."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for a name in the kernel's own space, which begins with a zero octet.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog = environment.get("WATCHDOG_USEC", "")
        if environment.get("WATCHDOG_PID", "") not in ("", str(os.getpid())):
            self._watchdog = ""
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    @property
    def watchdog(self) -> float | None:
        """Within how many seconds it wants a sign of life, each time; None if it wants none."""
        return int(self._watchdog) / 1_000_000 if self._watchdog.isdecimal() and int(self._watchdog) else None

    def ready(self, status: str) -> None:
        """We serve, from now on or again. `status` is a line for the operator."""
        self._say("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The policy is read again: `ready` says that this is over."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        """We are about to end."""
        self._say("STOPPING=1", f"STATUS={status}")

    def alive(self) -> None:
        """A sign of life."""
        if self._watchdog:
            self._say("WATCHDOG=1")

    def _say(self, *lines: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
