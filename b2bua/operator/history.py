"""How calls were decided, as it was kept: read from a server's state directory, running or not, or from a file.

Owns reading without disturbing whoever writes, and the file's form: a line of JSON for each version and each call.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from heapq import nlargest
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from b2bua.io.database import VERSION
from b2bua.io.failure import ServerError
from b2bua.io.state import DATABASE
from b2bua.operator.show import table
from dsl.expectation import told
from dsl.plan.recorded import Recorded, Version, read_line, read_recorded, read_version, written

_ROWS = 2_000
_FIRST_VERSION = 3
_CALLS = "SELECT id, document FROM decisions WHERE id > ? AND start >= ? ORDER BY id LIMIT ?"
_REGISTRATIONS = "SELECT document FROM registration_decisions WHERE start >= ? ORDER BY start"


class History(Protocol):
    """Where recorded calls come from. `versions` is complete for each call that has come."""

    versions: dict[str, Version]

    def count(self) -> int:
        """How many there are, about."""

    def calls(self) -> Iterator[Recorded]:
        """All of them, the oldest first. Raises ServerError for what cannot be read."""


class KeptHistory:
    """What a server keeps in its state directory, from a time on (wall seconds)."""

    def __init__(self, state: Path, since: float) -> None:
        """Raises ServerError where there is nothing to read."""
        path = state / DATABASE
        if not path.exists():
            raise ServerError(f"no server has kept anything in {state}; name its state directory with --state")
        self._path = path
        self._since = since
        with closing(self._connect()) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if not _FIRST_VERSION <= version <= VERSION:
                raise ServerError(f"the store {path} is of another b2bua; run this one's server on it first")
            rows = connection.execute("SELECT document FROM versions").fetchall()
        self.versions = {version.hash: version for (row,) in rows if (version := read_version(zlib.decompress(row)))}

    def count(self) -> int:
        """How many there are."""
        with closing(self._connect()) as connection:
            query = "SELECT count(*) FROM {} WHERE start >= ?"
            tables = ("decisions", "registration_decisions")
            counts = [connection.execute(query.format(table), (self._since,)).fetchone()[0] for table in tables]
        return sum(counts)

    def calls(self) -> Iterator[Recorded]:
        """All of them: calls, then registrations. Read in portions, so that the server's writing is not held up."""
        with closing(self._connect()) as connection:
            last = 0
            while rows := connection.execute(_CALLS, (last, self._since, _ROWS)).fetchall():
                for _, document in rows:
                    yield read_recorded(document)
                last = rows[-1][0]
            for (document,) in connection.execute(_REGISTRATIONS, (self._since,)).fetchall():
                yield read_recorded(document)

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise ServerError(f"cannot read {self._path}: {error}") from None


class FileHistory:
    """An exported file, from a time on (wall seconds)."""

    def __init__(self, path: Path, since: float) -> None:
        self._path = path
        self._since = since
        self.versions: dict[str, Version] = {}

    def count(self) -> int:
        """How many lines there are."""
        with self._path.open("rb") as file:
            return sum(1 for _ in file)

    def calls(self) -> Iterator[Recorded]:
        """All of them, as they stand in the file."""
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    read = read_line(line)
                except msgspec.DecodeError as error:
                    raise ServerError(f"{self._path}:{number}: this is no recorded call: {error}") from None
                if isinstance(read, Version):
                    self.versions[read.hash] = read
                elif read.events[-1].time >= self._since:
                    yield read


def export(history: History, file: BinaryIO) -> int:
    """Write everything into a file that `FileHistory` reads; how many calls that were."""
    for version in history.versions.values():
        file.write(written(version) + b"\n")
    count = 0
    for call in history.calls():
        file.write(written(call) + b"\n")
        count += 1
    return count


def create(path: Path) -> BinaryIO:
    """A new file for an export, ours alone to read. Raises ServerError where there is one, or it cannot be made."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise ServerError(f"cannot write {path}: {(error.strerror or 'it is refused').lower()}") from None


def run_export(file: Path, since: float, state: Path) -> str:
    """The whole command; what it says. Raises ServerError."""
    history = KeptHistory(state, since)
    if str(file) == "-":
        export(history, sys.stdout.buffer)
        return ""
    with create(file) as out:
        count = export(history, out)
    versions = len(history.versions)
    return f"{file}: {count:,} calls, by {versions:,} version{'' if versions == 1 else 's'}"


def _begun(call: Recorded) -> float:
    return call.events[0].time


def newest(state: Path, since: float, count: int) -> str:
    """The newest calls and registrations in the order in which they began, one line a decision: when, what happened,
    who called whom, what was decided, by which rule.
    """
    kept = nlargest(count, KeptHistory(state, since).calls(), key=_begun)
    lines = [
        (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time)),
            event.event,
            call.known.caller or call.known.number or call.known.claimed or call.known.source,
            call.known.dialed or call.known.user or "",
            told(event.decision.action),
            " ".join(event.decision.rules),
            event.decision.policy,
        )
        for call in reversed(kept)
        for event in call.events
    ]
    if not lines:
        return "no decisions"
    return table(("TIME", "EVENT", "CALLER", "DIALLED", "DECISION", "RULES", "VERSION"), lines)
