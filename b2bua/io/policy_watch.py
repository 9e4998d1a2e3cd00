"""The files of the policy over time: one that changes is read again, without anybody having to say so.

Owns when they are looked at, and when a change counts. Leaves reading to `in_force`, and to `dsl` which files they are:
script, includes, tables, holidays, users, secrets and sounds.

Files are looked at by their state, every so often. Being told by the system would be quicker, but of a file on a
network volume it tells nothing, and of one that an editor or a deployment puts in another's place only whoever watches
each folder on the way; a few dozen files cost less than a millisecond a look, in a thread, where a slow volume holds
up nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import trio

from b2bua.io.in_force import InForce
from dsl.files import Signature, signature


class PolicyWatch:
    """Looks every `seconds`; what is found goes to `percent` of new calls.

    A change counts when two looks have seen the same: whoever writes two files, or a long one, is to be ready.
    """

    def __init__(self, in_force: InForce, seconds: float, percent: int) -> None:
        self._in_force = in_force
        self._seconds = seconds
        self._percent = percent
        self._seen = in_force.seen

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await trio.sleep(self._seconds)
            await self.look()

    async def look(self) -> None:
        """Load the policy if a file is not as it was read last, and has stayed so since the last look."""
        before = self._seen
        self._seen = await trio.to_thread.run_sync(_states, list(self._in_force.seen))
        if self._seen != self._in_force.seen and self._seen == before:
            await self._in_force.changed(self._percent)


def _states(paths: Iterable[Path]) -> dict[Path, Signature]:
    return {path: signature(path) for path in paths}
