"""What an operator asks of a running server, done: each of `requests` in its turn.

Owns what may be refused, and the words of it. Leaves the socket to `control`, how the server is to the server itself,
and swapping the policy to `in_force`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import trio

from b2bua.core import Core, TrunkDetail, UserDetail, UserView
from b2bua.io.explaining import explained
from b2bua.io.failure import ServerError
from b2bua.io.in_force import InForce
from b2bua.io.requests import (
    Explain,
    HangUp,
    Measure,
    Refused,
    Reload,
    Request,
    RollBack,
    ShowCalls,
    ShowLimits,
    ShowPolicies,
    ShowRegistrations,
    ShowSecurity,
    ShowStatus,
    ShowTape,
    ShowTransports,
    ShowTrunk,
    ShowTrunks,
    ShowUser,
    ShowUsers,
    SwitchTrunk,
    Unban,
    WatchCalls,
)
from b2bua.io.shell import Shell
from b2bua.io.store import Store
from dsl.diagnostics import suggestion

_PORTION = 1_000
"""Accounts that are looked at in one turn: 2 ms."""


class Commands:
    """`status` tells how the server is, `measures` the same in numbers, `transports` what each listen address does."""

    def __init__(
        self,
        core: Core,
        shell: Shell,
        store: Store,
        in_force: InForce,
        status: Callable[[], object],
        transports: Callable[[], object],
        measures: Callable[[], object],
    ) -> None:
        self._core = core
        self._shell = shell
        self._store = store
        self._in_force = in_force
        self._status = status
        self._transports = transports
        self._measures = measures

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
            case ShowUsers():
                return await self._users()
            case ShowUser(name):
                return self._user(name)
            case ShowTrunk(name):
                return self._trunk(name)
            case ShowLimits():
                return self._core.overview.limits(time.time())
            case ShowTransports():
                return self._transports()
            case Measure():
                return self._measures()
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
            case ShowTape(call):
                return await self._tape(call)

    async def _users(self) -> list[UserView]:
        """In portions: messages have their turn in between, however many accounts there are."""
        names, shown = self._core.overview.user_names(), []
        for first in range(0, len(names), _PORTION):
            shown += self._core.overview.users(names[first : first + _PORTION], time.time())
            await trio.lowlevel.checkpoint()
        return shown

    def _user(self, name: str) -> UserDetail:
        overview = self._core.overview
        known = self._core.policy.callee(name) or name
        try:
            return overview.user(known, time.time())
        except KeyError:
            advice = suggestion(name, overview.user_names()) or "`b2bua show users` lists them"
            raise Refused(f"there is no user {name}; {advice}") from None

    def _trunk(self, name: str) -> TrunkDetail:
        try:
            return self._core.overview.trunk(name, time.time())
        except KeyError:
            raise self._no_trunk(name) from None

    def _no_trunk(self, name: str) -> Refused:
        known = [each.name for each in self._core.trunks(time.time())]
        return Refused(f"there is no trunk {name}; {suggestion(name, known) or '`b2bua show trunks` lists them'}")

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

    async def _tape(self, call: str) -> object:
        """What of a call is in memory, of one that has just ended too. Raises Refused."""
        if self._store.tape is None:
            raise Refused("messages are not kept here: `octets` of `messages` of `history` is off in the settings")
        views = self._core.calls_since(math.inf, frozenset((call,)))
        legs = tuple(leg.sip_call_id for view in views for leg in view.legs)
        messages, left_out = await self._store.so_far(call, legs)
        if not views and not messages:
            raise Refused(f"there is no call {call}; `b2bua show calls` lists them")
        return {"call": call, "left_out": left_out, "messages": messages}

    async def _switch(self, trunk: str, disable: bool) -> object:
        """Remember it first, so that what was said holds after a restart too. Raises Refused."""
        known = [each.name for each in self._core.trunks(time.time())]
        if trunk not in known:
            raise self._no_trunk(trunk)
        try:
            await self._store.switch(trunk, disable)
        except ServerError as error:
            raise Refused(f"trunk {trunk} is as it was: {error}") from None
        self._shell.turn(self._core.switch_trunk, trunk, disable)
        return {"trunk": trunk, "disabled": disable}
