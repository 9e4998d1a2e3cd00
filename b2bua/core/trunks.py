"""Which addresses the trunks have: their `peers`, and what their URIs resolve to.

Owns recognising that a request comes from a trunk. A name is looked up when the policy is loaded, and again every
five minutes.
"""

from __future__ import annotations

from b2bua.dialog.dialog import is_address
from b2bua.dialog.hops import hop_of
from b2bua.effects import Answer, Resolved
from b2bua.names.names import Names
from b2bua.sip.uri import Uri
from b2bua.transaction.turn import Turn
from dsl.policy import Policy

_AGAIN = 300.0


class Trunks:
    """The addresses of one policy's trunks."""

    def __init__(self, turn: Turn, names: Names) -> None:
        self._turn = turn
        self._names_of = names
        self._policy: Policy | None = None
        self._fixed: dict[str, str] = {}
        self._looked_up: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, Uri] = {}

    def load(self, policy: Policy) -> None:
        """Take over a policy's trunks."""
        waiting = bool(self._names)
        self._policy = policy
        self._fixed = {}
        self._names = {}
        for trunk in policy.trunks.values():
            uri = Uri.parse(trunk.uri)
            if is_address(uri.host):
                self._fixed.setdefault(uri.host, trunk.name)
            else:
                self._names[trunk.name] = uri
        self._looked_up = {name: found for name, found in self._looked_up.items() if name in self._names}
        if self._names:
            self._ask()
            if not waiting:
                self._turn.after(_AGAIN, self, "again")

    def of(self, address: str) -> str | None:
        """The trunk that this address belongs to."""
        policy = self._policy
        found = policy.trunk_of(address) if policy is not None else None
        if found is not None:
            return found
        found = self._fixed.get(address)
        if found is None and self._names:
            found = next((name for name, addresses in self._looked_up.items() if address in addresses), None)
        return found

    def timer_fired(self, name: str) -> None:
        """Time to look the names up again."""
        if self._names:
            self._ask()
            self._turn.after(_AGAIN, self, "again")

    def found(self, name: str, addresses: tuple[str, ...]) -> None:
        """A trunk's name has these addresses now."""
        if name in self._names:
            self._looked_up[name] = addresses

    def _ask(self) -> None:
        for name, uri in self._names.items():
            self._names_of.resolve(hop_of(uri), _Lookup(self, name))


class _Lookup:
    """One name that is being looked up; a failure leaves the addresses that were known."""

    def __init__(self, trunks: Trunks, name: str) -> None:
        self._trunks = trunks
        self._name = name

    def resolved(self, answer: Answer) -> None:
        """The answer came."""
        if isinstance(answer, Resolved):
            self._trunks.found(self._name, tuple(address.host for address in answer.addresses))
