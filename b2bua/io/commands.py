"""What an operator asks of a running server, done: each of `requests` in its turn.

Owns what may be refused, and the words of it. Leaves the socket to `control`, how the server is to the server itself,
and swapping the policy to `in_force`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trio

from b2bua.core import Core
from b2bua.io.explaining import explained
from b2bua.io.failure import ServerError
from b2bua.io.in_force import InForce
from b2bua.io.requests import (
    Explain,
    HangUp,
    Refused,
    Reload,
    Request,
    RollBack,
    ShowCalls,
    ShowPolicies,
    ShowRegistrations,
    ShowSecurity,
    ShowStatus,
    ShowTrunks,
    SwitchTrunk,
    Unban,
    WatchCalls,
)
from b2bua.io.shell import Shell
from b2bua.io.store import Store
from dsl.diagnostics import suggestion


class Commands:
    """`status` tells how the server is."""

    def __init__(self, core: Core, shell: Shell, store: Store, in_force: InForce, status: Callable[[], object]) -> None:
        self._core = core
        self._shell = shell
        self._store = store
        self._in_force = in_force
        self._status = status

    async def act(self, request: Request) -> object:
        """Do what is asked, and return what is to be shown. Raises Refused."""
        match request:
            case ShowCalls():
                return self._core.calls()
            case WatchCalls(since, calls):
                return {"now": time.time(), "calls": self._core.calls_since(since, frozenset(calls))}
            case ShowRegistrations():
                return self._core.registrations(time.time())
            case ShowTrunks():
                return self._core.trunks(time.time())
            case ShowStatus():
                return self._status()
            case ShowSecurity():
                return self._core.security(trio.current_time(), time.time())
            case Unban(who):
                return self._unban(who)
            case HangUp(call):
                return self._hang_up(call)
            case SwitchTrunk(trunk, disable):
                return await self._switch(trunk, disable)
            case ShowPolicies():
                return self._in_force.versions()
            case Reload(percent):
                return await self._in_force.reload(percent)
            case RollBack():
                return await self._in_force.roll_back()
            case Explain(sentences):
                return await explained(self._core, sentences, time.time())

    def _hang_up(self, call: str) -> object:
        try:
            effects = self._core.hangup(call, trio.current_time(), time.time())
        except KeyError:
            raise Refused(f"there is no call {call}; `b2bua show calls` lists them") from None
        self._shell.perform(effects)
        self._shell.settle()
        return {"call": call}

    def _unban(self, who: str) -> object:
        forgiven, effects = self._core.forgive(who, trio.current_time(), time.time())
        if not forgiven:
            raise Refused(f"nothing is held against {who}; `b2bua show security` lists who is shut out")
        self._shell.perform(effects)
        return {"who": who, "forgiven": forgiven}

    async def _switch(self, trunk: str, disable: bool) -> object:
        """Remember it first, so that what was said holds after a restart too. Raises Refused."""
        known = [each.name for each in self._core.trunks(time.time())]
        if trunk not in known:
            advice = suggestion(trunk, known) or "`b2bua show trunks` lists them"
            raise Refused(f"there is no trunk {trunk}; {advice}")
        try:
            await self._store.switch(trunk, disable)
        except ServerError as error:
            raise Refused(f"trunk {trunk} is as it was: {error}") from None
        self._shell.turn(self._core.switch_trunk, trunk, disable)
        return {"trunk": trunk, "disabled": disable}
