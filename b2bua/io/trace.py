"""A copy of every message, as lines of JSON, for whoever looks for a fault.

Owns the form: `t` in wall seconds, `dir` in or out, `local`, `remote`, `transport`, `data`. It is written in the
event loop: for a bench and for the hour of need, not for a busy day.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TextIO

from b2bua.effects import Flow
from b2bua.io.failure import ServerError
from b2bua.io.listening import address_text
from b2bua.io.shell import Trace


def both(first: Trace | None, second: Trace | None) -> Trace | None:
    """What tells the two of them, those that there are."""
    if first is None or second is None:
        return first or second

    def tell(wall: float, direction: str, flow: Flow, data: bytes) -> None:
        first(wall, direction, flow, data)
        second(wall, direction, flow, data)

    return tell


class TraceFile:
    """An open trace, added to what the file has."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises ServerError."""
        try:
            # Messages carry who calls whom, and digests: nobody else's business.
            path.touch(mode=0o600)
            self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise ServerError(f"cannot write the trace {path}: {error.strerror}") from None

    def __call__(self, wall: float, direction: str, flow: Flow, data: bytes) -> None:
        """Write one message."""
        line = {
            "t": wall,
            "dir": direction,
            "local": address_text(flow.local, flow.local_port),
            "remote": address_text(flow.remote, flow.remote_port),
            "transport": flow.transport,
            "data": data.decode("utf-8", "replace"),
        }
        # A full disk costs the trace, not the call.
        with contextlib.suppress(OSError):
            self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._file.close()
