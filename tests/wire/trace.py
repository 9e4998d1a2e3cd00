"""The server's trace of its messages, read.

Its lines are JSON: `t` in seconds, `dir` in or out, `local`, `remote`, `transport` and the message as `data`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .message import Message


class Traced(NamedTuple):
    """One message that passed the server: `time` in seconds, `remote` as address and port."""

    time: float
    incoming: bool
    remote: str
    transport: str
    message: Message


def read_trace(path: Path, *, start: int = 0) -> list[Traced]:
    """Return the messages from octet `start` of the file on, keep-alives left out."""
    with path.open("rb") as file:
        file.seek(start)
        rows = [json.loads(line) for line in file.read().decode().splitlines(keepends=True) if line.endswith("\n")]
    return [
        Traced(row["t"], row["dir"] == "in", row["remote"], row["transport"], _message(row))
        for row in rows
        if row["data"].strip()
    ]


def _message(row: Mapping[str, str]) -> Message:
    text = row["data"].replace("\r\n", "\n")
    return Message("received" if row["dir"] == "in" else "sent", text)
