"""The policy that new calls follow, and how another takes its place.

Owns the order of it: read it in a thread, make its sounds ready, swap. Whatever is wrong on the way leaves the old one
in force. Leaves sounds to `repertoire`, and the calls that still follow an old policy to the core.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from b2bua.core import Core
from b2bua.io.repertoire import Repertoire
from b2bua.io.requests import Refused
from b2bua.io.shell import Shell
from dsl.diagnostics import PolicyError
from dsl.policy import Policy


class InForce:
    """`policy` is in force. `load` reads the next; it raises PolicyError or OSError.

    `repertoire` is None where there is no media, and so nothing to play.
    """

    def __init__(
        self, policy: Policy, load: Callable[[], Policy], core: Core, shell: Shell, repertoire: Repertoire | None
    ) -> None:
        self.policy = policy
        self.load = load
        self._core = core
        self._shell = shell
        self._repertoire = repertoire
        self._reloading = trio.Lock()

    async def reload(self) -> object:
        """Read the policy in a thread, and swap it if all is well with it. Raises Refused with every problem."""
        log = self._shell.log
        async with self._reloading:
            try:
                policy = await trio.to_thread.run_sync(self.load)
            except PolicyError as error:
                for wrong in error.problems:
                    place = f"{wrong.file}:{wrong.line}:{wrong.column}"
                    log.error("policy not loaded", at=place, why=wrong.message, advice=wrong.advice)
                raise self._refused(str(error), "\n") from None
            except OSError as error:
                log.error("policy not loaded", why=str(error))
                raise self._refused(str(error), "; ") from None
            await self._admit(policy)
            before, self.policy = self.policy, policy
            self._shell.turn(self._core.reload, policy)
        return {"policy": policy.name, "hash": policy.hash, "before": before.hash}

    async def _admit(self, policy: Policy) -> None:
        """Make the sounds of a policy ready. Raises Refused when one cannot be played."""
        wrong = await self._repertoire.admit(policy) if self._repertoire is not None else []
        for why in wrong:
            self._shell.log.error("policy not loaded", why=why)
        if wrong:
            raise self._refused("\n".join(wrong), "\n")

    def _refused(self, why: str, stop: str) -> Refused:
        return Refused(f"{why}{stop}the policy {self.policy.hash} stays in force")
