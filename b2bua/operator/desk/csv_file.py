"""The file that call records are added to, as CSV.

Owns the open file: one that was moved away, as log rotation does, is left, and another begun. After a crash, what
stands there already is not written again; what could be written only in part is taken back.
"""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio

from b2bua.operator.cdr import COLUMNS, lines
from b2bua.operator.desk.ended import EndedCall
from b2bua.operator.desk.feed import NotToldError

_TAIL_OCTETS: Final = 1024 * 1024
_CALL: Final = COLUMNS.index("call")


class CsvFile:
    """The file of this path; it need not be there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: frozenset[str] | None = None

    async def tell(self, calls: Sequence[EndedCall]) -> None:
        """Add these. Raises NotToldError, and has then added nothing."""
        try:
            await trio.to_thread.run_sync(self._add, calls)
        except OSError as error:
            raise NotToldError(f"{self._path}: {error.strerror or error}") from None

    def _add(self, calls: Sequence[EndedCall]) -> None:
        if self._known is None:
            self._known = _last_calls(self._path)
        text = "".join(lines(call.legs) for call in calls if call.call not in self._known).encode()
        # Opened each time: whoever moves it away between two need not tell us.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            before = os.fstat(descriptor).st_size
            try:
                while text:
                    text = text[os.write(descriptor, text) :]
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        self._known = frozenset()


def _last_calls(path: Path) -> frozenset[str]:
    """The calls at the end of the file: a crash may have come before it was noted that they stand there."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_OCTETS))
        tail = file.read().decode(errors="replace").splitlines()
        return frozenset(row[_CALL] for row in csv.reader(tail) if len(row) == len(COLUMNS))
    return frozenset()
