"""What must outlive a crash, written by a thread of its own.

Owns batching: bindings that come within some milliseconds are committed in one transaction, and answered then; records
follow within 200 ms, and are kept for another try while the disk refuses them. Nothing here waits in the event loop.
Leaves the tables to `database`, how calls were decided to `history`, and their messages to `tapes`.
"""

from __future__ import annotations

import contextlib
import math
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import islice

import trio

from b2bua.effects import Answer, Failed, Record, Recording, StoreBindings, Stored
from b2bua.io.database import Database
from b2bua.io.failure import ServerError
from b2bua.io.history import KEPT, History
from b2bua.io.inbox import Item, Question, Sign, Switch
from b2bua.io.measures import Waiting
from b2bua.io.shell import Shell, Taped
from b2bua.io.tally import Tally
from b2bua.io.tapes import Tapes
from b2bua.settings import History as Bounds
from b2bua.tape import Kept

COALESCE_SECONDS = 0.2
"""How long a record waits for others to be written with it."""

RETRY_SECONDS = 1.0
"""From a failed write of records to the next try."""

RECORDS_KEPT = 100_000
"""Records that wait while they can't be written; beyond, new ones are lost, and counted. Some 50 MB."""

LISTEN_SECONDS = 0.5
"""How often messages are listened to while nothing else is due."""

GATHER_SECONDS = 0.01
"""How long a binding waits for others to be committed with it: a commit costs as much as all of them."""

BINDINGS_BATCH = 256
"""Bindings of one transaction: their answers are one turn of the event loop, some 10 ms."""

RECORDS_BATCH = 5_000
"""Records of one transaction: it takes some 50 ms."""


class Store:
    """The writer. `start` once within trio, `stop` at the end. No call is longer than `max_call`, in seconds.

    `tally` counts the calls whose records come, if anybody looks.
    """

    def __init__(self, database: Database, shell: Shell, history: Bounds, max_call: float, tally: Tally | None) -> None:
        self._database = database
        self._shell = shell
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        # The loop appends to the first, and the thread moves all of it to the second, which is the thread's alone.
        self._fresh: deque[Record] = deque()
        self._kept: deque[Record] = deque()
        self._history = History(database, history)
        self._tapes = Tapes(database, history.messages, max_call)
        self._tally = tally
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._token: trio.lowlevel.TrioToken | None = None

    def start(self) -> None:
        """Begin to write."""
        self._token = trio.lowlevel.current_trio_token()
        self._thread.start()

    async def stop(self) -> None:
        """Write everything that waits, then end."""
        self._inbox.put(Sign.STOP)
        await trio.to_thread.run_sync(self._thread.join)

    @property
    def tape(self) -> Callable[[Taped], None] | None:
        """What takes each message, for the event loop to call; None where none are kept."""
        return self._tapes.heard.fresh.append if self._tapes.is_on else None

    def sizes(self) -> dict[str, int]:
        """How much of calls' messages there is in memory."""
        return self._tapes.sizes()

    # In the event loop.

    async def so_far(self, call: str, call_ids: tuple[str, ...]) -> tuple[list[Kept], int]:
        """The messages of a call in progress, whose legs have these Call-IDs, and how many were left out.

        The thread must be running.
        """
        question = Question(call, call_ids)
        self._inbox.put(question)
        await question.done.wait()
        return question.messages, question.left_out

    def bindings(self, effect: StoreBindings) -> None:
        """Write these bindings, then answer."""
        if self._thread.is_alive():
            self._inbox.put(effect)
        else:
            self._shell.answer(effect.id, Failed("the store has ended"))

    async def switch(self, trunk: str, disabled: bool) -> None:
        """Remember that the operator has switched a trunk off, or on again. Raises ServerError when that is impossible.

        The thread must be running.
        """
        switch = Switch(trunk, disabled)
        self._inbox.put(switch)
        await switch.done.wait()
        if switch.wrong is not None:
            raise ServerError(f"the store refused it: {switch.wrong}")

    def record(self, record: Record) -> None:
        """Write this record, soon."""
        if self._tally is not None:
            self._tally.take(record)
        if len(self._fresh) + len(self._kept) >= RECORDS_KEPT:
            self._shell.counters["records_lost"] += 1
            return
        self._fresh.append(record)
        if len(self._fresh) == 1:
            self._inbox.put(Sign.RECORDS)

    def remember(self, recording: Recording, registration: bool) -> None:
        """Write how a call or a registration was decided, soon."""
        history = self._history
        if not history.is_on:
            return
        if history.waiting >= KEPT:
            self._shell.counters["decisions_lost"] += 1
            return
        history.fresh.append((recording, registration))
        if len(history.fresh) == 1:
            self._inbox.put(Sign.RECORDS)

    def waiting(self) -> Waiting:
        """What waits, and whether it can be written."""
        return Waiting(len(self._fresh) + len(self._kept), self._history.waiting, self._failing)

    def _count(self, what: str, number: int) -> None:
        self._shell.counters[what] += number

    def _complain(self, what: str, why: str, waiting: int) -> None:
        self._failing = f"{what}: {why}"
        self._shell.counters["writes_failed"] += 1
        self._shell.log.error(f"{what} not stored", why=why, waiting=waiting)

    def _mended(self) -> None:
        self._failing = ""

    # In the thread.

    def _run(self) -> None:
        due: float | None = None
        listen = time.monotonic() + LISTEN_SECONDS
        if not self._tapes.is_on:
            listen = math.inf
            self._forget_tapes()
        stop = False
        while not stop:
            batch: list[StoreBindings] = []
            until = min(listen, math.inf if due is None else due)
            for item in self._taken(None if until == math.inf else max(0.0, until - time.monotonic())):
                if item is Sign.STOP:
                    stop = True
                elif isinstance(item, StoreBindings):
                    batch.append(item)
                elif isinstance(item, Switch):
                    self._write_switch(item)
                elif isinstance(item, Question):
                    item.messages, item.left_out = self._tapes.so_far(item.call, item.call_ids)
                    self._tell(item.done.set)
                elif due is None:
                    due = time.monotonic() + COALESCE_SECONDS
            if batch:
                self._write_bindings(batch)
            if stop or (due is not None and due <= time.monotonic()):
                done = self._write_records() and self._write_history()
                if done and self._failing:
                    self._tell(self._mended)
                due = None if done else time.monotonic() + RETRY_SECONDS
            if stop or listen <= time.monotonic():
                done = self._write_tapes(everything=stop)
                listen = time.monotonic() + (LISTEN_SECONDS if done else RETRY_SECONDS)

    def _taken(self, seconds: float | None) -> list[Item]:
        """What is in the inbox, after waiting for the first thing; perhaps nothing when the time is over."""
        taken: list[Item] = []
        with contextlib.suppress(queue.Empty):
            taken.append(self._inbox.get(timeout=seconds))
            if isinstance(taken[0], StoreBindings):
                time.sleep(GATHER_SECONDS)
            while len(taken) < BINDINGS_BATCH:
                taken.append(self._inbox.get_nowait())
        return taken

    def _write_bindings(self, batch: list[StoreBindings]) -> None:
        answer: Answer = Stored()
        try:
            self._database.put_bindings([(effect.aor, effect.document) for effect in batch])
        except sqlite3.Error as error:
            answer = Failed(f"the store refused it: {error}")
            self._tell(self._complain, "bindings", str(error), len(batch))
        else:
            if self._failing:
                self._tell(self._mended)
        self._tell(self._shell.answers, [(effect.id, answer) for effect in batch])

    def _write_switch(self, switch: Switch) -> None:
        try:
            self._database.put_trunk(switch.trunk, switch.disabled)
        except sqlite3.Error as error:
            switch.wrong = str(error)
        self._tell(switch.done.set)

    def _write_records(self) -> bool:
        """Write all that wait, or as many as the disk takes; whether none are left."""
        kept = self._kept
        fresh = [self._fresh.popleft() for _ in range(len(self._fresh))]
        kept += fresh
        if self._tapes.is_on:
            self._tapes.heard.listen()
            for record in fresh:
                self._tapes.tie(record, time.monotonic())
        while kept:
            batch = list(islice(kept, RECORDS_BATCH))
            try:
                self._database.put_records(batch)
            except sqlite3.Error as error:
                self._tell(self._complain, "call records", str(error), len(kept))
                return False
            for _ in batch:
                kept.popleft()
        return True

    def _write_history(self) -> bool:
        """The same for how calls were decided."""
        try:
            self._history.write(time.time())
        except sqlite3.Error as error:
            self._tell(self._complain, "decisions", str(error), self._history.waiting)
            return False
        return True

    def _forget_tapes(self) -> None:
        """None are to be kept: nor are those of before."""
        try:
            self._database.forget_tapes()
        except sqlite3.Error as error:
            self._tell(self._complain, "end of messages", str(error), 0)

    def _write_tapes(self, *, everything: bool) -> bool:
        """The same for their messages."""
        tapes, wall = self._tapes, time.time()
        tapes.heard.listen()
        tapes.close(time.monotonic(), wall, everything=everything)
        if lost := tapes.lost():
            self._tell(self._count, "tapes_lost", lost)
        waiting = tapes.waiting
        try:
            tapes.write(wall)
        except sqlite3.Error as error:
            self._tell(self._complain, "messages", str(error), tapes.waiting)
            return False
        if waiting and self._failing:
            self._tell(self._mended)
        return True

    def _tell(self, hear: Callable[..., None], *what: object) -> None:
        """Call something in the event loop; it may have ended."""
        if self._token is not None:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(partial(hear, *what))
