"""Certificates over time: files that change are read again, and nobody is to find out too late that one has expired.

Owns when files are looked at, and what the operator is told. Leaves reading them to `tls`.
"""

from __future__ import annotations

import os
import time
from typing import TypeAlias

import trio

from b2bua.io.certificates import Shown
from b2bua.io.failure import ServerError
from b2bua.io.measures import Expiry
from b2bua.io.shell import Shell
from b2bua.io.tls import Tls

WATCH_SECONDS = 5.0
"""Between two looks. A change counts when two looks have seen the same: a certificate and its key are two files."""

ALARM_DAYS = 30
"""So many days before a certificate ends, and on each day since, the operator is told."""

_DAY = 86_400.0

Seen: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class CertificateWatch:
    """Looks after the certificates of one server."""

    def __init__(self, tls: Tls, shell: Shell) -> None:
        self._tls = tls
        self._shell = shell
        self._seen = self._used = self._files()
        self._told: dict[Shown, int] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.alarm(time.time())
            await trio.sleep(WATCH_SECONDS)
            self.look(time.time())

    def look(self, wall: float) -> None:
        """Read all files again if one has changed, and has stayed as it is since the last look."""
        before, self._seen = self._seen, self._files()
        if self._seen == self._used or self._seen != before:
            return
        self._used = self._seen
        try:
            self._tls.read(wall)
        except ServerError as error:
            self._shell.counters["certificates_refused"] += 1
            self._shell.log.error("certificates not read", why=str(error), hint="those read before stay in use")
        else:
            self._shell.log.info("certificates read", files=", ".join(self._tls.files))

    def alarm(self, wall: float) -> None:
        """Say, once a day, which certificates end soon or have ended."""
        self._told = {shown: day for shown, day in self._told.items() if shown in self._tls.contexts.shown}
        for shown in dict.fromkeys(self._tls.contexts.shown):
            left = int((shown.expires - wall) // _DAY)
            if left > ALARM_DAYS or self._told.get(shown) == left:
                continue
            self._told[shown] = left
            self._shell.counters["certificate_alarms"] += 1
            if left < 0:
                self._shell.log.error("certificate has expired", file=shown.file, hint="put a new one there")
            else:
                self._shell.log.warning("certificate ends soon", file=shown.file, days=left)

    def days(self, wall: float) -> list[int]:
        """How many whole days are left of each."""
        return [int((shown.expires - wall) // _DAY) for shown in self._tls.contexts.shown]

    def status(self, wall: float) -> list[dict[str, object]]:
        """Each certificate that we show: its file, its names, when it ends (wall seconds), and the whole days left."""
        return [
            {
                "file": shown.file,
                "names": list(shown.names),
                "expires": shown.expires,
                "days": int((shown.expires - wall) // _DAY),
            }
            for shown in dict.fromkeys(self._tls.contexts.shown)
        ]

    def expiries(self) -> list[Expiry]:
        """When each of them ends."""
        return [Expiry(shown.file, shown.expires) for shown in dict.fromkeys(self._tls.contexts.shown)]

    def _files(self) -> Seen:
        return tuple(map(_state, self._tls.files))


def _state(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
