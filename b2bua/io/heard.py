"""The messages that the edge has seen, gathered by Call-ID until the calls are over that they belong to.

Owns which messages begin a tape, how much of it stays in memory, and when it leaves unasked. The event loop only
appends to `fresh`; all else runs in the store's thread, some of it for each message, so that it is spare. Leaves whose
the tapes are, and which are stored, to `tapes`.
"""

from __future__ import annotations

import re
from collections import deque

from b2bua.io.blotting import blotted
from b2bua.io.shell import Taped
from b2bua.tape import Kept, pack

FRESH = 50_000
"""Messages that wait for the thread; beyond, the oldest are lost. Some 50 MB."""

SILENT_SECONDS = 60.0
"""After so long nothing more is expected of an INVITE that was refused, or let lie, and became no call."""

PRESSED_SECONDS = 2.0
"""The same when there is too much."""

SWEEP_SECONDS = 10.0

MESSAGES = 200
"""So many messages of a Call-ID: beyond, the first and the last hundred are kept."""

OCTETS = 262_144
"""So many octets of a Call-ID, if that is more than two messages."""

CROWDED = 8_000_000
"""From so many octets of all tapes on, those of calls that are quiet are compressed."""

MOST = 64_000_000
"""So many octets of all tapes: beyond, the oldest are lost. Some 50,000 calls that talk."""

_QUIET_SECONDS = 20.0
_SEALED = 32_768
_OVERHEAD = 200

_FIELD = re.compile(rb"\n(?:call-id|i)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE)


def call_id(data: bytes) -> bytes:
    """What the head of a message has as its Call-ID (RFC 3261 20.8); nothing where it has none."""
    # As nearly all write it, and we do.
    begin = data.find(b"\r\nCall-ID: ")
    if begin >= 0 and data.find(b"\r\n\r\n", 0, begin) < 0:
        value = data[begin + 11 : data.find(b"\r\n", begin + 11)].strip()
        if value:
            return value
    found = _FIELD.search(data, 0, data.find(b"\r\n\r\n") + 2)
    return b"" if found is None else found[1].strip()


def kept(messages: list[Taped]) -> list[Kept]:
    """Messages as they are stored and shown: without secrets."""
    secretless = blotted([data for *_, data in messages])
    return [
        Kept(wall, sent, flow.transport, flow.local, flow.local_port, flow.remote, flow.remote_port, data)
        for (wall, sent, flow, _), data in zip(messages, secretless, strict=True)
    ]


class Tape:
    """The messages of one Call-ID: `sealed` are those before `messages`, as they are stored; `left_out` were not kept.

    `tied` counts the calls that it waits for to be over.
    """

    __slots__ = ("_went_on", "last", "left_out", "messages", "octets", "sealed", "tied")

    def __init__(self) -> None:
        self.messages: list[Taped] = []
        self.sealed = b""
        self.octets = 0
        self.left_out = 0
        self.tied = 0
        self.last = 0.0
        self._went_on = False

    def shorten(self) -> int:
        """Leave out what is in the middle; how many octets that makes."""
        messages, before = self.messages, self.octets
        while len(messages) > MESSAGES or (self.octets > OCTETS and len(messages) > 2):
            *_, data = messages.pop(len(messages) // 2)
            self.octets -= len(data) + _OVERHEAD
            self.left_out += 1
        return before - self.octets

    def silence(self, wall: float) -> float:
        """For how long there was nothing on it, in seconds."""
        if self.messages:
            self.last = self.messages[-1][0]
        return wall - self.last

    def is_of_a_call(self) -> bool:
        """Whether the INVITE got further than to a refusal."""
        if not self._went_on:
            self._went_on = any(data.startswith((b"SIP/2.0 1", b"SIP/2.0 2")) for *_, data in self.messages)
        return self._went_on

    def seal(self) -> None:
        """Compress what there is, unless that has been done often."""
        if not self.messages or len(self.sealed) > _SEALED:
            return
        self.is_of_a_call()
        self.sealed += pack(kept(self.messages))
        self.messages = []
        self.octets = len(self.sealed) + _OVERHEAD


class Heard:
    """`fresh` is the event loop's to append to, and this thread's to take from. No call is longer than `longest`."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self.fresh: deque[Taped] = deque(maxlen=FRESH)
        self.lost = 0
        self.octets = 0
        self._tapes: dict[bytes, Tape] = {}
        self._swept = 0.0

    @property
    def count(self) -> int:
        """How many tapes there are."""
        return len(self._tapes)

    def get(self, key: bytes) -> Tape | None:
        """The tape of a Call-ID."""
        return self._tapes.get(key)

    def forget(self, key: bytes) -> None:
        """Let the tape of a Call-ID go; what still comes begins none."""
        self.octets -= self._tapes.pop(key).octets

    def listen(self) -> None:
        """Take what is fresh. Only an INVITE begins a tape."""
        fresh, tapes, octets = self.fresh, self._tapes, 0
        if len(fresh) == FRESH:
            self.lost += 1
        for _ in range(len(fresh)):
            taped = fresh.popleft()
            data = taped[3]
            key = call_id(data)
            tape = tapes.get(key)
            if tape is None:
                if not key or not data.startswith(b"INVITE "):
                    continue
                tape = tapes[key] = Tape()
            messages = tape.messages
            messages.append(taped)
            size = len(data) + _OVERHEAD
            octets += size
            tape.octets += size
            if tape.octets > OCTETS or len(messages) > MESSAGES:
                octets -= tape.shorten()
        self.octets += octets

    def tidy(self, now: float, wall: float) -> bool:
        """Let go what became no call, and the oldest beyond the bound; whether it was time to look."""
        if self.octets <= MOST and now - self._swept < SWEEP_SECONDS:
            return False
        self._swept = now
        self._sweep(wall, SILENT_SECONDS if self.octets <= MOST else PRESSED_SECONDS)
        while self.octets > MOST:
            self.forget(next(iter(self._tapes)))
            self.lost += 1
        return True

    def _sweep(self, wall: float, silent: float) -> None:
        crowded = self.octets > CROWDED
        for key, tape in list(self._tapes.items()):
            silence = tape.silence(wall)
            expected = silence < silent or tape.tied > 0 or tape.is_of_a_call()
            if not expected or silence > self._longest + SILENT_SECONDS:
                self.forget(key)
            elif crowded and silence > _QUIET_SECONDS:
                before = tape.octets
                tape.seal()
                self.octets += tape.octets - before
