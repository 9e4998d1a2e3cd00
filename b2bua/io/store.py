"""What must outlive a crash, written by a thread of its own (DESIGN: persist before send, where it was promised).

Owns batching: bindings are committed as soon as the thread is free, all that wait in one transaction, and answered
then; records follow within 200 ms, and are kept for another try while the disk refuses them. Nothing here waits in
the event loop. Leaves the tables to `database`.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections import deque

import msgspec
import trio

from b2bua.effects import Answer, Failed, Record, StoreBindings, Stored
from b2bua.io.database import Database
from b2bua.io.shell import Shell

COALESCE_SECONDS = 0.2
"""How long a record waits for others to be written with it."""

RETRY_SECONDS = 1.0
"""From a failed write of records to the next try."""

RECORDS_KEPT = 100_000
"""Records that wait while they can't be written; beyond, the oldest are lost, and counted. Some 50 MB."""

BATCH = 5_000
"""Rows of one transaction: it takes some 50 ms."""


class _Stop(msgspec.Struct, frozen=True):
    """Write what there is, and end."""


class _Wake(msgspec.Struct, frozen=True):
    """There are records."""


class Store:
    """The writer. `start` once within trio, `stop` at the end."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self._database = database
        self._shell = shell
        self._inbox: queue.SimpleQueue[StoreBindings | _Wake | _Stop] = queue.SimpleQueue()
        self._records: deque[Record] = deque(maxlen=RECORDS_KEPT)
        self._awake = False
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._token: trio.lowlevel.TrioToken | None = None

    def start(self) -> None:
        """Begin to write."""
        self._token = trio.lowlevel.current_trio_token()
        self._thread.start()

    async def stop(self) -> None:
        """Write everything that waits, then end. Bindings are not answered any more."""
        self._inbox.put(_Stop())
        await trio.to_thread.run_sync(self._thread.join)
        self._database.close()

    # In the event loop.

    def bindings(self, effect: StoreBindings) -> None:
        """Write these bindings, then answer."""
        self._inbox.put(effect)

    def record(self, record: Record) -> None:
        """Write this record, soon."""
        if len(self._records) == RECORDS_KEPT:
            self._shell.counters["records_lost"] += 1
        self._records.append(record)
        if not self._awake:
            self._awake = True
            self._inbox.put(_Wake())

    def _answer(self, answers: list[tuple[int, Answer]]) -> None:
        for id, answer in answers:
            self._shell.answer(id, answer)

    def _complain(self, what: str, error: str, waiting: int) -> None:
        self._shell.counters["writes_failed"] += 1
        self._shell.log.error(f"{what} not stored", why=error, waiting=waiting)

    # In the thread.

    def _run(self) -> None:
        due: float | None = None
        stop = False
        while not stop:
            batch: list[StoreBindings] = []
            timeout = None if due is None else max(0.0, due - time.monotonic())
            for item in self._taken(timeout):
                match item:
                    case StoreBindings():
                        batch.append(item)
                    case _Wake():
                        due = due or time.monotonic() + COALESCE_SECONDS
                    case _Stop():
                        stop = True
            if batch:
                self._write_bindings(batch)
            if stop or (due is not None and due <= time.monotonic()):
                due = self._write_records()

    def _taken(self, timeout: float | None) -> list[StoreBindings | _Wake | _Stop]:
        """What is in the inbox, after waiting for the first thing."""
        try:
            taken = [self._inbox.get(timeout=timeout)]
            while len(taken) < BATCH:
                taken.append(self._inbox.get_nowait())
        except queue.Empty:
            return [] if timeout is not None and "taken" not in locals() else taken
        return taken
