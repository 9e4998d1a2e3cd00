"""All trunks of a server: which there are, which one a request comes from, and which take calls.

Owns their coming and going with the policy: a trunk whose place and account stay the same keeps its registration and
what is known of it. A request comes from a trunk if its source is one of the trunk's `peers` or an address of its
name, or if it is for the Contact that we registered there. That holds a token of 80 bits under the server's own key,
which only the trunk's registrar was told: providers call from other addresses than those they register at. Whoever
reads it on the way could call as the trunk; through another trunk that does not lead (`transit`).

A name is looked up when the policy is loaded, and again every five minutes.

While a version is on trial, the trunks that it adds are there as well. Where it only says something else of a trunk,
the trunk stays what it is in the version in force, whose state and registration are known; the trial's calls go where
it says, whatever that state is (`apart`), and say nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from b2bua.call.leg import Stack
from b2bua.core.views import TrunkView, trunk_view
from b2bua.dialog.hops import Hop
from b2bua.effects import Answer, Resolved
from b2bua.routing.gateways import Gateway
from b2bua.routing.meters import Witness
from b2bua.routing.versions import Version, Versions
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri
from b2bua.transaction.timers import Timer
from b2bua.trunk.line import Line
from b2bua.trunk.tables import TrustState

_AGAIN: Final = 300.0


class Trunks:
    """The trunks of the versions that new calls follow.

    `barred` are the names of those that take no calls, `witnesses` whom calls tell how they went. `disabled` are those
    that the operator has switched off.
    """

    def __init__(self, stack: Stack, key: bytes, disabled: Iterable[str]) -> None:
        self._stack = stack
        self._turn = stack.turn
        self._key = key
        self._disabled = set(disabled)
        self._lines: dict[str, Line] = {}
        self._leaving: list[Line] = []
        self._tokens: dict[str, str] = {}
        self.barred: set[str] = set()
        self.witnesses: dict[str, Witness] = {}
        self._begun = False
        self._looked_up: dict[str, tuple[str, ...]] = {}
        self._hops: dict[str, Hop] = {}
        self._again: Timer | None = None

    def load(self, versions: Versions) -> None:
        """Take over the trunks of the versions that new calls follow."""
        live = versions.live
        self._hops = {uri: version.gateways[name].hop for version in live for name, uri in version.named}
        self._looked_up = {uri: found for uri, found in self._looked_up.items() if uri in self._hops}
        before, self._lines = self._lines, {}
        for version in live:
            for name, gateway in version.gateways.items():
                if name not in self._lines:
                    self._lines[name] = self._line(name, gateway, before, version)
        for version in versions.kept:
            version.apart = frozenset([name for name, gateway in version.gateways.items() if self._is_apart(gateway)])
        for line in before.values():
            line.end()
        self.barred.clear()
        self.witnesses.clear()
        for line in self._lines.values():
            self.line_changed(line)
        self._leaving = [line for line in (*self._leaving, *before.values()) if not _gone(line)]
        self._tokens = {line.token: name for name, line in self._lines.items() if line.gateway.trunk.registers}
        if self._begun:
            self.begin()

    def _line(self, name: str, gateway: Gateway, before: dict[str, Line], version: Version) -> Line:
        """The line of a trunk: the one that was there, if it is the same still."""
        line = before.get(name)
        if line is None or not _same(line.gateway, gateway):
            return Line(self._stack, gateway, self._key, version.policy.domains[0], name in self._disabled, self)
        del before[name]
        line.gateway = gateway
        return line

    def _is_apart(self, gateway: Gateway) -> bool:
        line = self._lines.get(gateway.trunk.name)
        return line is not None and line.gateway is not gateway and not _same(line.gateway, gateway)

    def begin(self) -> None:
        """Look names up, check and register: from now on, whenever a policy is loaded."""
        self._begun = True
        self._look_up()
        for line in self._lines.values():
            line.begin()

    # Who calls.

    def of(self, request: Request, address: str, version: Version) -> str | None:
        """The trunk of this version that a request from this address comes from."""
        if self._tokens:
            name = self._tokens.get(request.request_uri.user or "")
            if name is not None and name in version.gateways:
                return name
        return self.at(address, version)

    def at(self, address: str, version: Version) -> str | None:
        """The trunk of this version that is at this address."""
        found = version.policy.trunk_of(address)
        if found is not None:
            return found
        found = version.fixed.get(address)
        if found is None and self._looked_up:
            looked_up = self._looked_up
            found = next((name for name, uri in version.named if address in looked_up.get(uri, ())), None)
        return found

    def is_contact(self, uri: Uri) -> bool:
        """Whether this is a Contact that we registered at a trunk, so that it does not say whom the call is for."""
        return bool(self._tokens) and uri.user in self._tokens

    def disabled(self, trunk: str) -> bool:
        """Whether the operator wants no new calls there."""
        return trunk in self._disabled

    # Who takes calls.

    def why(self, trunk: str) -> str:
        """Why not."""
        line = self._lines.get(trunk)
        return "" if line is None else line.why

    def witness(self, trunk: str) -> Witness | None:
        """Whom a call tells that goes to a trunk which is not, or not yet again, to be trusted."""
        line = self._lines.get(trunk)
        return None if line is None else line.trust.witness()

    def line_changed(self, line: Line) -> None:
        """More or fewer calls may go to this trunk now."""
        name = line.gateway.trunk.name
        (self.barred.discard if line.up else self.barred.add)(name)
        if line.trust.state is TrustState.TRUSTED:
            self.witnesses[name] = line.trust
        else:
            self.witnesses.pop(name, None)

    # The operator.

    def switch(self, trunk: str, disabled: bool) -> None:
        """No new calls there, or calls again: also should the policy get such a trunk later."""
        (self._disabled.add if disabled else self._disabled.discard)(trunk)
        line = self._lines.get(trunk)
        if line is not None:
            line.switch(disabled)
            if self._begun:
                line.begin()

    def views(self, channels: dict[str, int], wall: float) -> list[TrunkView]:
        """Every trunk, in the policy's order, those of a trial last, with how many legs it carries."""
        return [trunk_view(line, channels.get(name, 0), wall) for name, line in self._lines.items()]

    def addresses(self, trunk: str) -> tuple[str, ...]:
        """Those that the name in a trunk's URI had when it was looked up last; none where it holds an address."""
        line = self._lines.get(trunk)
        return () if line is None else self._looked_up.get(line.gateway.trunk.uri, ())

    def leave(self) -> None:
        """The server is about to end: take all registrations back, make no more, and ask no trunk how it is."""
        self._begun = False
        for line in self._lines.values():
            line.rest()

    @property
    def timers(self) -> int:
        """How many timers are set for trunks: one to look up names, and one for each thing that a trunk waits for."""
        lines = (*self._lines.values(), *self._leaving)
        return (self._again is not None) + sum(line.timers for line in lines)

    @property
    def leaving(self) -> bool:
        """Whether a registration is being taken back."""
        self._leaving = [line for line in self._leaving if not _gone(line)]
        return bool(self._leaving) or any(line.leaving for line in self._lines.values())

    # Names.

    def timer_fired(self, name: str) -> None:
        """Time to look the names up again."""
        self._look_up()

    def found(self, uri: str, addresses: tuple[str, ...]) -> None:
        """The name in a trunk's URI has these addresses now."""
        if uri in self._hops:
            self._looked_up[uri] = addresses

    def _look_up(self) -> None:
        self._turn.timers.cancel(self._again)
        self._again = self._turn.after(_AGAIN, self, "again") if self._hops else None
        for uri, hop in self._hops.items():
            self._stack.names.resolve(hop, _Lookup(self, uri))


class _Lookup:
    """One name that is being looked up; a failure leaves the addresses that were known."""

    def __init__(self, trunks: Trunks, uri: str) -> None:
        self._trunks = trunks
        self._uri = uri

    def resolved(self, answer: Answer) -> None:
        """The answer came."""
        if isinstance(answer, Resolved):
            self._trunks.found(self._uri, tuple(address.host for address in answer.addresses))


def _same(one: Gateway, other: Gateway) -> bool:
    """Whether a trunk is where it was, is checked as it was, and knows us by the same account."""
    return (one.trunk.uri, one.account, one.trunk.account, one.trunk.registers, one.trunk.check) == (
        other.trunk.uri,
        other.account,
        other.trunk.account,
        other.trunk.registers,
        other.trunk.check,
    )


def _gone(line: Line) -> bool:
    return line.registration is None or line.registration.over
