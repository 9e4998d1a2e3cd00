"""Telling somebody of each call that ended: each at least once, in order, and as long as it takes.

Owns how far that has come, and the pauses after a failure. To whom, and in which form, is `csv_file`'s and `webhook`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import trio
from structlog.typing import FilteringBoundLogger

from b2bua.io.failure import ServerError
from b2bua.operator.desk.cursor import Cursor
from b2bua.operator.desk.ended import EndedCall, ended_after

LOOK_SECONDS: Final = 1.0
"""From one look for calls that ended to the next."""

FIRST_DELAY_SECONDS: Final = 1.0
LONGEST_DELAY_SECONDS: Final = 300.0
"""Between a failure and the next try: the first, doubled each time up to the longest."""


class NotToldError(Exception):
    """They could not be told; the text says why."""


class Feed:
    """One of them. `tell` tells some calls, and raises NotToldError when it cannot; `longest` is the longest pause."""

    def __init__(
        self,
        name: str,
        state: Path,
        first: int,
        tell: Callable[[Sequence[EndedCall]], Awaitable[None]],
        log: FilteringBoundLogger,
        longest: float = LONGEST_DELAY_SECONDS,
    ) -> None:
        self.name = name
        self.told = self.failures = 0
        self.failing = False
        self._state = state
        self._first = first
        self._tell = tell
        self._log = log
        self._longest = longest
        self._cursor: Cursor | None = None

    async def run(self, ended: trio.Event) -> None:
        """Tell, until the server has ended; then what is left, as far as that can be done at once."""
        delay = FIRST_DELAY_SECONDS
        while True:
            last = ended.is_set()
            try:
                while await self._some():
                    delay = FIRST_DELAY_SECONDS
            except (NotToldError, ServerError, OSError) as error:
                self.failures += 1
                self._complain(str(error))
                rest, delay = delay, min(2 * delay, self._longest)
            else:
                rest = LOOK_SECONDS
            if last:
                break
            with trio.move_on_after(rest):
                await ended.wait()
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    async def _some(self) -> bool:
        """Tell the next, if there are any."""
        if self._cursor is None:
            try:
                self._cursor = Cursor(self._state / f"{self.name}.told", self._first)
            except BlockingIOError:
                # The desk of a server that was killed tells its last.
                return False
        calls = await trio.to_thread.run_sync(ended_after, self._state, self._cursor.upto)
        if calls:
            await self._tell(calls)
            self._cursor.move(calls[-1].number)
            self.told += len(calls)
        if self.failing:
            self.failing = False
            self._log.info("records told again", to=self.name)
        return bool(calls)

    def _complain(self, why: str) -> None:
        """Once for each time that it begins to fail."""
        if not self.failing:
            self.failing = True
            self._log.error("records not told", to=self.name, why=why)
