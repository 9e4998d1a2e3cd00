"""What is left of versions that nobody follows any more, let go of bit by bit.

Owns that the end of a version with 100,000 users or rows holds up no call: all of it at once takes as long as reading
hundreds of messages. Leaves to calls, and to whoever else has a version, when they are done with it.
"""

from __future__ import annotations

import weakref
from collections import deque

import trio

from dsl.compile_setup import Setup
from dsl.policy import Policy

LOOK_SECONDS = 1.0
"""How often it is looked whether there is something: a version may end in any thread."""

BIT = 500
"""What is let go of at a time: some 0.3 ms."""


class Remains:
    """Of all policies that are watched."""

    def __init__(self) -> None:
        self._left: deque[Setup] = deque()

    def watch(self, policy: Policy) -> None:
        """Take what this policy has when it ends."""
        weakref.finalize(policy, self._left.append, policy.setup).atexit = False

    async def run(self) -> None:
        """Let go until cancelled."""
        while True:
            await trio.sleep(LOOK_SECONDS)
            while self._left:
                parts = _parts(self._left.popleft())
                while parts:
                    del parts[-BIT:]
                    await trio.lowlevel.checkpoint()


def _parts(setup: Setup) -> list[object]:
    """What there may be many of. Others may have some of it still, so that nothing is taken out of where it is."""
    parts: list[object] = [*setup.directory.credentials.values(), *setup.directory.users.values()]
    for table in setup.tables.values():
        parts += table.rows
        parts += table.rows.values()
    return parts
