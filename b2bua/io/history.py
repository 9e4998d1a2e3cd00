"""How calls were decided, as the store's thread keeps it: documents made, written, and in time removed.

Owns which documents there are, that each version that decided some is kept with them, and the bounds on all of it:
whenever rows are added, some of the oldest go, so that nothing ever has many to remove at once. Runs in the store's
thread; leaves the statements to `database`, what stands in a document to whoever recorded it.
"""

from __future__ import annotations

import zlib
from collections import deque
from itertools import islice

from b2bua.effects import Recording
from b2bua.io.database import Database, Decided
from b2bua.settings import History as Bounds

KEPT = 50_000
"""Recordings that wait while they can't be written; beyond, new ones are lost, and counted. Some 50 MB."""

TIDY_SECONDS = 3600.0
"""How often what is rarely removed is looked at: versions, and accounts that are gone."""

_BATCH = 2_000
_MOST_KNOWN = 64


class History:
    """`fresh` is the event loop's to append to, and this thread's to take from."""

    def __init__(self, database: Database, bounds: Bounds) -> None:
        self._database = database
        self._bounds = bounds
        self.fresh: deque[tuple[Recording, bool]] = deque()
        self._kept: deque[Decided] = deque()
        self._known: dict[str, None] = {}
        self._versions: dict[str, bytes] = {}
        self._tidied = 0.0

    @property
    def is_on(self) -> bool:
        """Whether anything is to be kept."""
        return self._bounds.calls > 0

    @property
    def waiting(self) -> int:
        """How many wait to be written."""
        return len(self.fresh) + len(self._kept)

    def write(self, wall: float) -> None:
        """Write all that wait. Raises sqlite3.Error; what could not be written is kept for the next time."""
        while self.fresh:
            self._take(*self.fresh.popleft())
        before = wall - self._bounds.age
        while self._kept:
            batch = list(islice(self._kept, _BATCH))
            self._database.put_decisions(batch, self._versions)
            self._versions = {}
            for _ in batch:
                self._kept.popleft()
            self._database.drop_decisions(self._bounds.calls, before, 2 * len(batch) + 100)
            if wall - self._tidied > TIDY_SECONDS:
                self._tidied = wall
                self._database.drop_forgotten(before)

    def _take(self, recording: Recording, registration: bool) -> None:
        version = recording.version
        if version not in self._known:
            self._versions[version] = zlib.compress(recording.version_document())
            self._known[version] = None
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        whole = recording.whole()
        further = tuple(recording.further()) if whole is None else ()
        document = None if whole is None else whole.decode()
        self._kept.append(Decided(recording.call, version, recording.since, document, further, registration))
