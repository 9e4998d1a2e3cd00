"""One trunk as it lives: whether it takes calls, why not, and what its operator reads of it.

Owns bringing together the operator's word, the checks, what calls taught (`trust`) and the registration, and one line
in the log for each change. A registration that fails does not take a trunk out: many registrars are down while their
gateways are up, and where the gateway is too, the calls tell.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import Protocol

from b2bua.call.leg import Stack
from b2bua.effects import Log
from b2bua.routing.gateways import Gateway
from b2bua.trunk.check import Check
from b2bua.trunk.registration import Registration
from b2bua.trunk.tables import RegistrationState, TrustState
from b2bua.trunk.trust import FAILURES, Trust

_TOKEN_OCTETS = 10


class LineState(StrEnum):
    """What an operator sees. `probing`: down, and single calls may try it."""

    UP = "up"
    DOWN = "down"
    PROBING = "probing"
    DISABLED = "disabled"


class LineUser(Protocol):
    """Whoever lets calls go there."""

    def line_changed(self, line: Line) -> None:
        """More or fewer calls may go there now."""


class Line:
    """One trunk. `since` is the wall time of the last change of `state`. `registration` and `check` may be absent."""

    __slots__ = (
        "_registered",
        "_stack",
        "_user",
        "check",
        "disabled",
        "gateway",
        "registration",
        "since",
        "state",
        "token",
        "trust",
    )

    def __init__(self, stack: Stack, gateway: Gateway, key: bytes, domain: str, disabled: bool, user: LineUser) -> None:
        """`key` is the server's own, 32 secret octets; `domain` is ours, and who asks."""
        self._user = user
        trunk, hop, account = gateway.trunk, gateway.hop, gateway.account
        self._stack = stack
        self.gateway = gateway
        self.disabled = disabled
        self.token = token_of(gateway, key)
        self.trust = Trust(stack.turn, self)
        self.check = None if trunk.check is None else Check(stack, hop, trunk.check, domain, self)
        self.registration: Registration | None = None
        if trunk.registers and account is not None and trunk.account is not None:
            self.registration = Registration(stack, hop, trunk.account, account, self.token, self)
        self._registered = ""
        self.state = LineState.DISABLED if disabled else LineState.UP
        self.since = stack.turn.wall

    def begin(self) -> None:
        """Check and register, as the trunk's settings say; what was refused is tried again."""
        if self.check is not None:
            self.check.begin()
        if self.registration is not None and not self.disabled:
            self.registration.begin()

    def end(self) -> None:
        """The trunk is no more: ask nothing, and take the registration back."""
        self.trust.stop_timer()
        self.rest()

    def leave(self) -> None:
        """Take the registration back."""
        if self.registration is not None:
            self.registration.end()

    def rest(self) -> None:
        """The server takes no calls any more: be registered nowhere, and ask nothing."""
        if self.check is not None:
            self.check.end()
        self.leave()

    def switch(self, disabled: bool) -> None:
        """The operator wants no new calls there, and no registration, or wants calls again: `begin` brings it back."""
        self.disabled = disabled
        if disabled:
            self._registered = ""
            self.leave()
        else:
            self.trust.back()
        self._look()

    # Calls.

    @property
    def up(self) -> bool:
        """Whether a new call may go there."""
        return not self.disabled and (self.check is None or not self.check.down) and self.trust.admits

    @property
    def why(self) -> str:
        """Why not, or not for all; empty where all is well."""
        if self.disabled:
            return "by the operator"
        if self.check is not None and self.check.down:
            return self.check.why
        if self.trust.state is TrustState.TRUSTED:
            return ""
        return f"{FAILURES} calls in a row failed: {self.trust.why}"

    # What checks and calls say.

    def check_succeeded(self, again: bool) -> None:
        """The trunk answers."""
        self._stack.turn.count("trunk_checks")
        if again:
            self.trust.back()
            self._look()

    def check_failed(self, why: str) -> None:
        """It does not."""
        self._stack.turn.count("trunk_checks_failed")
        self._look()

    def trust_changed(self) -> None:
        """Its calls fail, or do so no more."""
        self._look()

    def _look(self) -> None:
        """See what it is now, and say so where that is another thing than before."""
        self._user.line_changed(self)
        turn, before = self._stack.turn, self.state
        if self.disabled:
            now = LineState.DISABLED
        elif self.check is not None and self.check.down:
            now = LineState.DOWN
        elif self.trust.state is TrustState.TRUSTED:
            now = LineState.UP
        else:
            now = LineState.DOWN if self.trust.state is TrustState.OUT else LineState.PROBING
        if now is before:
            return
        self.state = now
        if {before, now} == {LineState.DOWN, LineState.PROBING}:
            return
        name, lasted = self.gateway.trunk.name, round(turn.wall - self.since)
        self.since = turn.wall
        fields: dict[str, object] = {"trunk": name}
        if now is LineState.UP:
            turn.effects.append(Log("info", "trunk up", {**fields, "after": f"{lasted}s"}))
        elif now is LineState.DISABLED:
            turn.effects.append(Log("info", "trunk disabled", fields))
        else:
            turn.count("trunks_taken_out")
            turn.effects.append(Log("warning", "trunk down", {**fields, "why": self.why}))

    # What the registration says.

    def registered(self) -> None:
        """The registrar has us."""
        turn = self._stack.turn
        turn.count("trunk_registrations")
        if self._registered != "registered" and self.registration is not None:
            seconds = round((self.registration.until or turn.wall) - turn.wall)
            turn.effects.append(
                Log("info", "registered at trunk", {"trunk": self.gateway.trunk.name, "for": f"{seconds}s"})
            )
        self._registered = "registered"

    def registration_failed(self, why: str, again: float) -> None:
        """The registrar does not have us for now."""
        turn = self._stack.turn
        turn.count("trunk_registrations_failed")
        if self._registered != "waiting":
            fields: dict[str, object] = {"trunk": self.gateway.trunk.name, "why": why, "again_in": f"{again:.0f}s"}
            turn.effects.append(Log("warning", "not registered at trunk", fields))
        self._registered = "waiting"

    def registration_refused(self, why: str) -> None:
        """The registrar does not want us."""
        turn = self._stack.turn
        turn.count("trunk_registrations_refused")
        if self._registered != "refused":
            hint = "see the trunk's name and secret; `b2bua reload` or `b2bua trunk NAME enable` tries again at once"
            fields: dict[str, object] = {"trunk": self.gateway.trunk.name, "why": why, "hint": hint}
            turn.effects.append(Log("error", "registration refused by trunk", fields))
        self._registered = "refused"

    @property
    def timers(self) -> int:
        """How many timers are set for it."""
        waiting = (self.check, self.registration, self.trust)
        return sum(1 for part in waiting if part is not None and part.waits)

    @property
    def leaving(self) -> bool:
        """Whether the registration is being taken back."""
        return self.registration is not None and self.registration.state is RegistrationState.LEAVING

    def registration_state(self, wall: float) -> str:
        """In a word, for operators: off, registering, registered, waiting, refused or leaving."""
        registration = self.registration
        if registration is None or registration.state is RegistrationState.OFF:
            return "off"
        if registration.state is RegistrationState.REFUSED:
            return "refused"
        if registration.state is RegistrationState.LEAVING:
            return "leaving"
        if registration.until is not None and registration.until > wall:
            return "registered"
        return "waiting" if registration.state is RegistrationState.WAITING else "registering"


def token_of(gateway: Gateway, key: bytes) -> str:
    """The user of our Contact at a trunk: nobody else can guess it, and it is the same after a restart."""
    trunk = gateway.trunk
    bound = "\0".join(("trunk contact", trunk.name, trunk.uri, trunk.account or ""))
    return blake2b(bound.encode("utf-8", "surrogateescape"), key=key, digest_size=_TOKEN_OCTETS).hexdigest()
