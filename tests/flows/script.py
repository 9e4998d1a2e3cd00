"""Reading `.flow` files: their lines as values, with the mistakes named by file and line.

Before the first timed line may stand: `phone NAME ...` and `gateway NAME ...` for parties that are not as usual (see
`cast`), `name HOST PARTY...` for what a host name stands for, `setting NAME NUMBER`, `retransmissions shown`,
`media up [PORTS]` for a media process that is there from the start, `front NETWORK...` for proxies that are believed,
`known in NETWORK as ADDRESS` for an address of ours that is known there,
`log EVENT` for an error that is to be logged, `policy`, `next policy` and `last policy` with the text indented below or
a file named beside; or `example FILE`, for a policy under examples/ with its own domain and users, and
`date DATE TIME` for when it begins, on that policy's clocks. After the last one:
`record in|out CAUSE [hung up by WHO] [[CHECKS]]`, in the order of the legs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

_ENTRY = re.compile(
    r"(?P<start>\d+(?:\.\d+)?)(?:\.\.(?P<end>\d+(?:\.\d+)?))?\s+(?P<who>[\w-]+)(?:\.(?P<call>\w+))?\s+(?P<way>[<>])\s+"
)
_NEXT = re.compile(r"\s{2,}(?=\d+(?:\.\d+)?(?:\.\.\d+(?:\.\d+)?)?\s+[\w.-]+\s+[<>]\s)")
_RECORD = re.compile(
    r"record (?P<way>in|out)\s+(?P<cause>\d{3})"
    r"(?:\s+hung up by (?P<who>caller|callee|system))?(?:\s+\[(?P<checks>.*)\])?"
)
MANY_PORTS = 40
_EXAMPLES = Path(__file__).parents[2] / "examples"
_CLOSING = {'"': '"', "<": ">", "(": ")", "[": "]"}


class FlowError(Exception):
    """A flow that cannot be read; the text says where and why."""


class Message(msgspec.Struct, frozen=True):
    """What is sent or due: `INVITE`, `reINVITE`, `180 INVITE`; and what its brackets say, item by item."""

    kind: str
    items: tuple[str, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One party's part of a row. A message that is due may come from `start` to `end` seconds; `call` names which."""

    where: str
    start: float
    end: float
    who: str
    call: str
    sends: bool
    messages: tuple[Message, ...]


class RecordLine(msgspec.Struct, frozen=True):
    """A call detail record that the flow must leave."""

    way: Literal["in", "out"]
    cause: int
    hung_up_by: str
    items: tuple[str, ...]


class Party(msgspec.Struct, frozen=True):
    """Somebody beyond the usual cast, or one of them otherwise than usual."""

    name: str
    words: tuple[str, ...]


class Flow(msgspec.Struct):
    """A whole file."""

    path: Path
    title: str = ""
    policy: str = ""
    next_policy: str = ""
    last_policy: str = ""
    example: Path | None = None
    date: str = ""
    parties: list[Party] = []
    names: dict[str, tuple[str, ...]] = {}
    settings: dict[str, float] = {}
    fronts: list[str] = []
    known: list[tuple[str, str]] = []
    shows_retransmissions: bool = False
    media_ports: int = 0
    logs: list[str] = []
    lines: list[Line] = []
    records: list[RecordLine] = []


def read_flow(path: Path) -> Flow:
    """Read a file. Raises FlowError."""
    return _Reader(path).read()


class _Reader:
    def __init__(self, path: Path) -> None:
        self.flow = Flow(
            path=path, parties=[], names={}, settings={}, fronts=[], known=[], logs=[], lines=[], records=[]
        )
        self.number = 0
        self.block = ""

    def read(self) -> Flow:
        for text in self.flow.path.read_text().splitlines():
            self.number += 1
            self._text_line(text)
        if not self.flow.title:
            raise FlowError(f"{self.flow.path.name}: the first line says what it shows, after a `#`")
        return self.flow

    def _text_line(self, text: str) -> None:
        if self.block and (text.startswith("  ") or not text.strip()):
            setattr(self.flow, self.block, getattr(self.flow, self.block) + text[2:] + "\n")
            return
        self.block = ""
        if text.startswith("#"):
            self.flow.title = self.flow.title or text.lstrip("# ")
        elif text.strip():
            self._directive(text.strip())

    def _directive(self, text: str) -> None:
        word, *rest = text.split()
        match word:
            case "next" | "last" if rest == ["policy"]:
                self.block = f"{word}_policy"
            case "policy":
                self.block = "policy"
                if rest:
                    self.flow.policy = (self.flow.path.parent / rest[0]).read_text()
            case "example":
                self.flow.example = _EXAMPLES / rest[0]
            case "date":
                self.flow.date = " ".join(rest)
            case "phone" | "gateway":
                self.flow.parties.append(Party(rest[0], (word, *rest[1:])))
            case "name":
                self.flow.names[rest[0]] = tuple(rest[1:])
            case "setting":
                self.flow.settings[rest[0]] = float(rest[1])
            case "front":
                self.flow.fronts += rest
            case "known" if len(rest) == 4:
                self.flow.known.append((rest[1], rest[3]))
            case "retransmissions" if rest == ["shown"]:
                self.flow.shows_retransmissions = True
            case "media" if rest[:1] == ["up"]:
                self.flow.media_ports = int(rest[1]) if rest[1:] else MANY_PORTS
            case "log":
                self.flow.logs.append(" ".join(rest))
            case "record":
                self.flow.records.append(self._record(text))
            case _:
                self._row(text)

    def _record(self, text: str) -> RecordLine:
        found = _RECORD.fullmatch(text)
        if found is None:
            raise self._wrong(f"no record line: {text}")
        way: Literal["in", "out"] = "in" if found["way"] == "in" else "out"
        return RecordLine(way, int(found["cause"]), found["who"] or "", split(found["checks"] or ""))

    def _row(self, text: str) -> None:
        for entry in _NEXT.split(text):
            found = _ENTRY.match(entry)
            if found is None:
                raise self._wrong(f"no line of a flow: {entry}")
            start = float(found["start"])
            if self.flow.lines and start < self.flow.lines[-1].start:
                raise self._wrong(f"{start} comes before the line above")
            messages = tuple(self._message(part) for part in split(entry[found.end() :]))
            self.flow.lines.append(
                Line(
                    f"{self.flow.path.name}:{self.number}",
                    start,
                    float(found["end"] or start),
                    found["who"],
                    found["call"] or "",
                    found["way"] == ">",
                    messages,
                )
            )

    def _message(self, text: str) -> Message:
        kind, bracket, rest = text.partition("[")
        if bracket and not rest.rstrip().endswith("]"):
            raise self._wrong(f"a bracket stays open: {text}")
        kind = " ".join(kind.split())
        return Message(f"{kind} INVITE" if kind.isdigit() else kind, split(rest.rstrip()[:-1]))

    def _wrong(self, text: str) -> FlowError:
        return FlowError(f"{self.flow.path.name}:{self.number}: {text}")


def split(text: str) -> tuple[str, ...]:
    """The parts between commas that stand outside quotes, angle brackets, parentheses and brackets."""
    parts: list[str] = []
    depth: list[str] = []
    current = ""
    for character in text:
        if depth and character == depth[-1]:
            depth.pop()
        elif character in _CLOSING and not (depth and depth[-1] == '"'):
            depth.append(_CLOSING[character])
        if character == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    parts.append(current.strip())
    return tuple(part for part in parts if part)
