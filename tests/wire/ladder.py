"""The ladder of a call, from the server's trace of its messages.

Owns reading the trace (JSON lines with `t` in seconds, `dir` in or out, `local`, `remote`, `transport` and
the message as `data`) and drawing it: one column for each party, ours second, time downwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .message import Message

GAP = 26
"""Characters from one party's line to the next."""


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


def draw(trace: Sequence[Traced], names: Mapping[str, str]) -> list[str]:
    """Return the ladder's lines. `names` says who is at an address; others stand there as their address."""
    parties: list[str] = []
    for traced in trace:
        if (name := names.get(traced.remote, traced.remote)) not in parties:
            parties.append(name)
    columns = [*parties[:1], "b2bua", *parties[1:]]
    lines = [" " * 8 + "".join(name.center(GAP) for name in columns).rstrip()]
    begun = trace[0].time if trace else 0.0
    for traced in trace:
        place = columns.index(names.get(traced.remote, traced.remote))
        lines.append(f"{traced.time - begun:7.3f} {_rung(traced, place, len(columns))}")
    return lines


def label(message: Message) -> str:
    """Return what stands on the arrow: a method with whom it asks for, a status with what it answers."""
    first, second, *_ = message.start.split()
    if first == "SIP/2.0":
        description = " (sdp)" if "m=audio" in message.body else ""
        return f"{second} {message.method}{description}"
    user = second.removeprefix("sip:").partition("@")[0]
    return f"{first} {user[:15]}" if first == "INVITE" else first


def _rung(traced: Traced, place: int, columns: int) -> str:
    """Draw one arrow between our column, number 1, and the party's."""
    row = list((" " * (GAP // 2) + "|" + " " * (GAP - GAP // 2 - 1)) * columns)
    left, right = sorted((place, 1))
    first, last = left * GAP + GAP // 2 + 1, right * GAP + GAP // 2
    towards_right = traced.incoming == (place < 1)
    text = f" {label(traced.message)} "[: last - first - 2].center(last - first - 1, "-")
    row[first:last] = text + ">" if towards_right else "<" + text
    return "".join(row).rstrip()


def _message(row: Mapping[str, str]) -> Message:
    text = row["data"].replace("\r\n", "\n")
    return Message("received" if row["dir"] == "in" else "sent", text)
