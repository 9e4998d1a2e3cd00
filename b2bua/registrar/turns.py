"""One REGISTER at a time for each address-of-record (RFC 3261 10.3: in the order in which they are received).

A registration is computed from the bindings as they are and stored as a whole row. Were a second one
computed while the first is being stored, its row would not hold what the first has added. So a REGISTER
takes its turn, and the next one for the same address-of-record waits until the turn is done: stored, failed
or refused. Others are not held up.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from b2bua.sip.errors import PeerError

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """The turns and who waits for one. An `Item` is whatever the caller needs to go on with."""

    def __init__(self, most_waiting: int = 8, retry_after: int = 5) -> None:
        """`most_waiting` per address-of-record; `retry_after` in seconds, told to those that find it full."""
        self._most_waiting = most_waiting
        self._retry_after = retry_after
        self._waiting: dict[str, deque[Item]] = {}

    def take(self, aor: str, item: Item) -> bool:
        """Whether it is this item's turn now; if not, it waits and a later `done` gives it back.

        Raises PeerError 503 when too many wait already.
        """
        waiting = self._waiting.get(aor)
        if waiting is None:
            self._waiting[aor] = deque()
            return True
        if len(waiting) >= self._most_waiting:
            raise PeerError(503, "Registration Busy", (("Retry-After", str(self._retry_after)),))
        waiting.append(item)
        return False

    def done(self, aor: str) -> Item | None:
        """End the turn. The item whose turn it is now, None when nobody waits; KeyError if nobody had it."""
        waiting = self._waiting[aor]
        if waiting:
            return waiting.popleft()
        del self._waiting[aor]
        return None

    def held(self, aor: str) -> bool:
        """Whether a REGISTER has its turn there."""
        return aor in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)
