"""Calls' messages, as the store's thread keeps them: tied to calls by records, written, and in time removed.

Owns when the tape of a call is over, which calls' are kept, and the bounds on what is stored. Runs in the store's
thread. Leaves gathering to `heard`, the form to `b2bua.tape`, the statements to `database`.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from operator import attrgetter, itemgetter

from b2bua.effects import Record
from b2bua.io.database import Database, StoredTape
from b2bua.io.heard import MOST, Heard, Tape, kept
from b2bua.settings import Messages
from b2bua.tape import Kept, pack, unpack

LINGER_SECONDS = 1.0
"""From a call's last record until its tape is closed: the last 200 may still be on its way."""

DROP_SECONDS = 60.0
"""How often the oldest are looked at while there is nothing to write."""

_BATCH = 500
_wall = itemgetter(0)


class _Call:
    """What is known of a call that has lost a leg."""

    __slots__ = ("call_ids", "is_remarkable", "start")

    def __init__(self, start: float) -> None:
        self.start = start
        self.call_ids: list[bytes] = []
        self.is_remarkable = True

    def add(self, record: Record) -> None:
        """Take over what a record says: the last tells how the call went. One that was answered, and hung up by one of
        its parties, is like all others.
        """
        self.start = min(self.start, record.start)
        self.is_remarkable = bool(record.joined) or record.hung_up_by in ("", "system")


class Tapes:
    """What was `heard` of calls, until it is stored. No call is longer than `longest`, in seconds."""

    def __init__(self, database: Database, bounds: Messages, longest: float) -> None:
        self._database = database
        self._bounds = bounds
        self.heard = Heard(longest)
        self._calls: dict[str, _Call] = {}
        self._over: deque[tuple[float, str]] = deque()
        self._closed: deque[StoredTape] = deque()
        self._closed_octets = 0
        self._dropped = 0.0
        self._lost = 0
        self._allowance = float(bounds.all_below)
        self._counted = 0.0
        self._further = 0

    @property
    def is_on(self) -> bool:
        """Whether anything is to be kept."""
        return self._bounds.octets > 0

    @property
    def waiting(self) -> int:
        """How many wait to be written."""
        return len(self._closed)

    def sizes(self) -> dict[str, int]:
        """How much there is in memory."""
        return {
            "tapes": self.heard.count + len(self._closed),
            "tape octets": self.heard.octets + self._closed_octets,
        }

    def lost(self) -> int:
        """How many could not be kept since this was last asked."""
        lost = self._lost + self.heard.lost
        self._lost = self.heard.lost = 0
        return lost

    def tie(self, record: Record, now: float) -> None:
        """A leg is over: its messages, which were listened to until now, belong to this call."""
        call = self._calls.get(record.call)
        if call is None:
            call = self._calls[record.call] = _Call(record.start)
        call.add(record)
        key = _key(record.sip_call_id)
        if key not in call.call_ids:
            call.call_ids.append(key)
            tape = self.heard.get(key)
            if tape is not None:
                tape.tied += 1
        for over in record.over:
            self._over.append((now + LINGER_SECONDS, over))

    def so_far(self, call: str, call_ids: tuple[str, ...]) -> tuple[list[Kept], int]:
        """The messages of a call in progress, whose legs have these Call-IDs, and how many were left out."""
        self.heard.listen()
        known = self._calls.get(call)
        keys = dict.fromkeys([*(known.call_ids if known is not None else ()), *map(_key, call_ids)])
        tapes = [tape for key in keys if (tape := self.heard.get(key)) is not None]
        messages = [one for tape in tapes for one in (*unpack(tape.sealed), *kept(tape.messages))]
        return sorted(messages, key=attrgetter("wall")), sum(tape.left_out for tape in tapes)

    def close(self, now: float, wall: float, *, everything: bool = False) -> None:
        """Close the tapes of calls that are over, and let go those that became none."""
        while self._over and (everything or self._over[0][0] <= now):
            self._close(self._over.popleft()[1], now)
        while self._closed_octets > MOST:
            self._closed_octets -= len(self._closed.popleft().messages)
            self._lost += 1
        if self.heard.tidy(now, wall):
            for id, call in list(self._calls.items()):
                if not any(self.heard.get(key) for key in call.call_ids):
                    del self._calls[id]

    def write(self, wall: float) -> None:
        """Write those that are closed. Raises sqlite3.Error; what could not be written is kept for the next time."""
        if not self._closed and wall - self._dropped > DROP_SECONDS:
            self._drop(wall, 0)
        while self._closed:
            batch = list(islice(self._closed, _BATCH))
            self._database.put_tapes(batch)
            for tape in batch:
                self._closed.popleft()
                self._closed_octets -= len(tape.messages)
            self._drop(wall, 2 * len(batch))

    def _drop(self, wall: float, so_many: int) -> None:
        """Remove so many of the oldest, and some more, as far as the bounds are passed."""
        self._dropped = wall
        self._database.drop_tapes(self._bounds.octets, wall - self._bounds.age, so_many + 100)

    def _close(self, id: str, now: float) -> None:
        call = self._calls.pop(id, None)
        if call is None:
            return
        tapes = [tape for key in call.call_ids if (tape := self._untied(key)) is not None]
        if not tapes or not self._is_wanted(call, now):
            return
        stored = b"".join([tape.sealed for tape in tapes])
        messages = sorted([taped for tape in tapes for taped in tape.messages], key=_wall)
        if messages:
            stored += pack(kept(messages))
        self._closed.append(StoredTape(id, call.start, sum([tape.left_out for tape in tapes]), stored))
        self._closed_octets += len(stored)

    def _untied(self, key: bytes) -> Tape | None:
        """The tape of a call that is over; it goes with the last of those that it was tied to."""
        tape = self.heard.get(key)
        if tape is not None:
            tape.tied -= 1
            if tape.tied <= 0:
                self.heard.forget(key)
        return tape

    def _is_wanted(self, call: _Call, now: float) -> bool:
        """Whether its messages are kept: where there are many calls, not those of each that went well."""
        bounds = self._bounds
        self._allowance = min(self._allowance + (now - self._counted) * bounds.all_below, float(bounds.all_below))
        self._counted = now
        if call.is_remarkable:
            return True
        if self._allowance >= 1.0:
            self._allowance -= 1.0
            return True
        self._further += 1
        return bounds.sample > 0 and self._further % bounds.sample == 0


def _key(call_id: str) -> bytes:
    """A Call-ID as it is in a message: of its octets those that are no UTF-8 came as surrogates."""
    return call_id.encode("utf-8", "surrogateescape")
