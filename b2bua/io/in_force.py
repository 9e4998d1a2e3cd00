"""The policy that new calls follow, and how another takes its place.

Owns the order of it: read it in a thread, make its sounds ready, swap; and what is known of the files that were read
last. Whatever is wrong on the way leaves the old one in force. Leaves when to look at the files to `policy_watch`,
sounds to `repertoire`, and which calls follow which version to the core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import trio

from b2bua.core import Core, PolicyView
from b2bua.io.remains import Remains
from b2bua.io.repertoire import Repertoire
from b2bua.io.requests import Refused
from b2bua.io.shell import Shell
from dsl.diagnostics import PolicyError
from dsl.files import Files, Signature, signature
from dsl.policy import Policy


class InForce:
    """`load` reads the next policy and notes its files; it raises PolicyError or OSError. `files` are the first one's.

    `repertoire` is None where there is no media, and so nothing to play. `seen` has the files that any of this depends
    on, as they were when they were read last, `remains` what is left of the versions that were loaded here.
    """

    def __init__(
        self, load: Callable[[Files], Policy], files: Files, core: Core, shell: Shell, repertoire: Repertoire | None
    ) -> None:
        self.load = load
        self.seen: dict[Path, Signature] = dict(files.seen)
        self._core = core
        self._shell = shell
        self._repertoire = repertoire
        self._reloading = trio.Lock()
        self._refusal: PolicyView | None = None
        self.remains = Remains()

    async def reload(self, percent: int) -> object:
        """Read the policy in a thread, and let so many `percent` of new calls follow it if all is well with it.

        Raises Refused with every problem.
        """
        async with self._reloading:
            return await self._reload(percent)

    async def changed(self, percent: int) -> None:
        """A file has changed: the same, but a trial stays as wide as it is. What is wrong stands in the log."""
        async with self._reloading:
            try:
                await self._reload(self._core.trial_percent or percent)
            except Refused:
                self._shell.counters["policies_refused"] += 1

    async def roll_back(self) -> object:
        """Let new calls follow the version before, as it was loaded then. Raises Refused when there is none."""
        async with self._reloading:
            before = self._core.policy
            try:
                effects = self._core.roll_back(trio.current_time(), time.time())
            except KeyError:
                raise Refused(f"no version before {before.hash} is kept; mend the files and reload") from None
            self._shell.perform(effects)
            self._shell.settle()
            self._tidy()
            policy = self._core.policy
            return {"policy": policy.name, "hash": policy.hash, "before": before.hash}

    def versions(self) -> list[PolicyView]:
        """Every version that there is, and what was read last if it was refused."""
        return self._core.policies() + ([] if self._refusal is None else [self._refusal])

    async def _reload(self, percent: int) -> object:
        policy = await self._read()
        self.remains.watch(policy)
        await self._admit(policy)
        self._refusal = None
        before = self._core.policy
        self._shell.turn(partial(self._core.reload, percent=percent), policy)
        self._tidy()
        return {
            "policy": policy.name,
            "hash": policy.hash,
            "before": before.hash,
            "percent": self._core.trial_percent or 100,
        }

    async def _read(self) -> Policy:
        log, files = self._shell.log, Files()
        try:
            return await trio.to_thread.run_sync(self.load, files)
        except PolicyError as error:
            for wrong in error.problems:
                place = f"{wrong.file}:{wrong.line}:{wrong.column}"
                log.error("policy not loaded", at=place, why=wrong.message, advice=wrong.advice)
            first = error.problems[0]
            raise self._refused(
                str(error), "\n", f"{first.file}:{first.line}:{first.column}: {first.message}"
            ) from None
        except OSError as error:
            log.error("policy not loaded", why=str(error))
            raise self._refused(str(error), "; ", str(error)) from None
        finally:
            # A load that failed early has not asked for all that the one in force depends on.
            self.seen = {path: signature(path) for path in self.seen.keys() - files.seen.keys()} | files.seen

    async def _admit(self, policy: Policy) -> None:
        """Make the sounds of a policy ready. Raises Refused when one cannot be played."""
        wrong = await self._repertoire.admit(policy) if self._repertoire is not None else []
        for why in wrong:
            self._shell.log.error("policy not loaded", why=why)
        if wrong:
            raise self._refused("\n".join(wrong), "\n", wrong[0])

    def _tidy(self) -> None:
        if self._repertoire is not None:
            self._repertoire.tidy()

    def _refused(self, why: str, stop: str, first: str) -> Refused:
        policy = self._core.policy
        self._refusal = PolicyView("", policy.name, "refused", time.time(), 0, 0, first)
        return Refused(f"{why}{stop}the policy {policy.hash} stays in force")
