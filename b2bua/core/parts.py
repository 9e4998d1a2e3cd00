"""What a core is made of, and what its parts ask of each other.

Owns that each part gets the others that it needs, once. Leaves what an input means to `core` and `requests`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from b2bua.call.call import Call
from b2bua.call.forks import end_fork
from b2bua.call.leg import Stack
from b2bua.call.refreshing import SWEEP_SECONDS
from b2bua.core.fronts import Fronts
from b2bua.core.ids import Pending
from b2bua.core.registering import Registering
from b2bua.core.trunks import Trunks
from b2bua.delivery.messages import Messages
from b2bua.dialog.known import WaysByNetwork
from b2bua.dialog.ways import Ways
from b2bua.effects import Log
from b2bua.names.names import Names
from b2bua.registrar.contacts import Contacts
from b2bua.registrar.door import Door
from b2bua.registrar.registrar import Registrar
from b2bua.routing.admitting import Admitting
from b2bua.routing.destination import Destination
from b2bua.routing.directory import Directory
from b2bua.routing.meters import Meters
from b2bua.routing.versions import Taken, Version, Versions
from b2bua.settings import Settings
from b2bua.sip.errors import LocalError
from b2bua.sip.message import Response
from b2bua.sip.uri import Uri
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.layer import Transactions
from b2bua.transaction.timers import Timer
from b2bua.transaction.turn import Turn
from dsl.networks import counting_unit
from dsl.policy import Policy


class Parts:
    """The parts of one core. `policy` is the first version; `key` signs what needs no state here."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        draw: Callable[[], str],
        key: bytes,
        bindings: Iterable[tuple[str, bytes]],
        now: float,
        wall: float,
        disabled: Iterable[str],
    ) -> None:
        self.turn = turn = Turn(settings, draw, now, wall)
        self.key = key
        self.versions = Versions(policy, settings.reload.max_age, wall)
        self.domains = frozenset(policy.domains)
        self.pending = Pending()
        self.transactions = Transactions(turn, self._stray_success)
        self.ways = WaysByNetwork(settings) if settings.advertise_in else Ways(settings)
        self.fronts = Fronts(settings.proxies) if settings.proxies else None
        self.names = Names(turn, self.pending)
        self.stack = Stack(turn, self.transactions, self.ways, self.names)
        self.registrar = Registrar(Contacts(self._leads_here, settings))
        self.stack.flow_gone = self._flow_gone
        self._load(bindings)
        self.trunks = Trunks(self.stack, key, disabled)
        self.meters = Meters(self._is_registered, self.trunks)
        self.directory = Directory(self.registrar.phones, self.is_ours)
        self.door = Door(turn, self._is_trunk, counting_unit)
        for binding in self.registrar.everything(wall):
            self.door.right(binding.source or binding.flow.remote, binding.aor)
        self.admitting = Admitting(turn, key, policy, self.meters, self.door)
        self.registering = Registering(turn, self.transactions, self.registrar, self.pending, key)
        self.trunks.load(self.versions)
        self.calls: dict[str, Call] = {}
        self.messages = Messages(self.stack)
        self._sweep: Timer | None = None
        self.draining = False

    def reload(self, policy: Policy, percent: int) -> Taken:
        """So many percent of new calls follow this version."""
        taken = self.versions.take(policy, percent, self.turn.wall)
        self.admitting.learn(policy)
        self._settle()
        return taken

    def roll_back(self) -> Version:
        """Take the last version back, and give it. Raises KeyError when there is none before."""
        given_up = self.versions.back(self.turn.wall)
        self._settle()
        return given_up

    def _settle(self) -> None:
        """Whatever goes by the versions that there are now."""
        versions = self.versions
        self.domains = frozenset([domain for version in versions.live for domain in version.policy.domains])
        self.admitting.keep(versions.kept)
        self.trunks.load(versions)

    def is_ours(self, uri: Uri) -> bool:
        """Whether a URI's host is one of our domains or addresses."""
        return uri.host in self.domains or self.ways.is_host(uri.host)

    def call_begun(self, call: Call) -> None:
        """A call is there, for as long as `max_call` at most."""
        if not self.calls:
            self._sweep = self.turn.after(SWEEP_SECONDS, self, "sweep")
        self.calls[call.id] = call

    def call_over(self, call: Call) -> None:
        """A call's last leg is over."""
        self.calls.pop(call.id, None)
        if not self.calls:
            self.turn.timers.cancel(self._sweep)

    def timer_fired(self, name: str) -> None:
        """Now and then, calls that have lasted too long are ended: one timer serves them all."""
        self._sweep = self.turn.after(SWEEP_SECONDS, self, "sweep")
        self.stack.refreshing.sweep(self.stack.legs.values())
        since = self.turn.wall - self.turn.settings.max_call
        for call in [call for call in self.calls.values() if call.incoming.started_at <= since]:
            call.hang_up()

    def _load(self, bindings: Iterable[tuple[str, bytes]]) -> None:
        turn = self.turn
        for aor, row in bindings:
            try:
                self.registrar.load(aor, row, turn.wall)
            except LocalError as error:
                turn.effects.append(Log("error", "stored registration dropped", {"user": aor, "why": str(error)}))

    def _stray_success(self, response: Response, transaction: ClientTransaction) -> None:
        end_fork(self.stack, response, transaction)

    def _flow_gone(self, destination: Destination) -> None:
        self.registrar.flow_gone(destination.party, destination.uri, destination.routes)

    def _leads_here(self, uri: Uri) -> bool:
        return self.ways.ours(uri) or (uri.host in self.domains and self.ways.is_port(uri.port))

    def _is_trunk(self, address: str) -> bool:
        return any(self.trunks.at(address, version) is not None for version in self.versions.live)

    def _is_registered(self, user: str) -> bool:
        return bool(self.registrar.bindings(user, self.turn.wall))
