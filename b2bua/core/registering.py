"""REGISTER, from the request to the response (RFC 3261 section 10.3).

Owns the order of things, and that a 200 is sent only when its bindings are stored. Leaves the bindings to
`registrar`, and whether to accept at all to the policy (`routing.admitting`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from b2bua.core.ids import Pending
from b2bua.effects import Answer, Failed, Flow, Log, StoreBindings, Stored
from b2bua.registrar.asked import Bounds
from b2bua.registrar.binding import document
from b2bua.registrar.door import SAID, whence
from b2bua.registrar.registrar import Registrar, Registration
from b2bua.registrar.turns import Turns
from b2bua.routing.verdicts import Accept
from b2bua.settings import Registration as Defaults
from b2bua.sip.errors import LocalError, PeerError
from b2bua.sip.message import Request
from b2bua.transaction.layer import Transactions
from b2bua.transaction.responses import stateless
from b2bua.transaction.server import ServerKey, ServerTransaction
from b2bua.transaction.timers import Timer
from b2bua.transaction.turn import Turn

_STORE_SECONDS: Final = 10.0
_STORE_FAILED: Final = (("Retry-After", "10"),)


class Registering:
    """The registrations that are under way. `users` limits what is loaded to those that still exist."""

    def __init__(
        self, turn: Turn, transactions: Transactions, registrar: Registrar, pending: Pending, key: bytes
    ) -> None:
        self._turn = turn
        self._transactions = transactions
        self._registrar = registrar
        self._pending = pending
        self._key = key
        self._turns: Turns[_Request] = Turns()

    def accepted(self, user: str, request: Request, flow: Flow, source: str, key: ServerKey, accept: Accept) -> None:
        """The policy lets this REGISTER from `source` through: do it, in its turn. PeerError 503 when too many wait."""
        bounds = _bounds(self._turn.settings.registration, accept)
        if "Contact" not in request.headers and not self._turns.held(user):
            # A query changes nothing, so it needs no turn and leaves no state.
            headers = self._registrar.response_headers(user, self._turn.wall)
            self._turn.effects.append(stateless(request, flow, self._key, 200, headers))
            return
        waiting = _Request(self, user, request, flow, source, bounds)
        mine = self._turns.take(user, waiting)
        waiting.transaction = self._transactions.begin_server(request, flow, key)
        if mine:
            self._work(waiting)

    def expire(self) -> None:
        """Drop the bindings whose time is over, here and in the store."""
        for change in self._registrar.expire(self._turn.wall):
            if not self._turns.held(change.aor):
                self._store(change, _Expiry())

    def _work(self, waiting: _Request | None) -> None:
        while waiting is not None:
            turn = self._turn
            try:
                registration = self._registrar.register(
                    waiting.user, waiting.request, waiting.flow, waiting.bounds, turn.wall, waiting.source
                )
            except PeerError as error:
                if error.status == 403:
                    turn.effects.append(_refusal(waiting, error.reason))
                waiting.answer(error.status, error.headers, error.reason, turn)
            except LocalError as fault:
                turn.effects.append(Log("error", "internal error", {"what": str(fault)}))
                waiting.answer(500, (), None, turn)
            else:
                if registration.changed:
                    waiting.registration = registration
                    self._store(registration, waiting)
                    return
                headers = self._registrar.response_headers(waiting.user, turn.wall, registration)
                waiting.answer(200, tuple(headers), None, turn)
            waiting = self._turns.done(waiting.user)

    def _store(self, registration: Registration, waiter: _Request | _Expiry) -> None:
        id = self._pending.ask(waiter)
        if isinstance(waiter, _Request):
            waiter.patience = self._turn.after(_STORE_SECONDS, waiter, "store")
        self._turn.effects.append(StoreBindings(id, registration.aor, document(registration.after)))

    def stored(self, waiting: _Request, answer: Answer) -> None:
        """The store has, or has not, what a REGISTER asked for."""
        turn, registration = self._turn, waiting.registration
        turn.timers.cancel(waiting.patience)
        if registration is None:
            raise LocalError("a REGISTER was stored before it was worked out")
        if isinstance(answer, Stored):
            self._registrar.commit(registration)
            headers = self._registrar.response_headers(waiting.user, turn.wall, registration)
            waiting.answer(200, tuple(headers), None, turn)
            turn.count("registrations")
        else:
            turn.effects.append(Log("error", "registration not stored", {"user": waiting.user, "why": str(answer)}))
            waiting.answer(500, _STORE_FAILED, "The registration could not be stored", turn)
        self._work(self._turns.done(waiting.user))

    def forsaken(self, waiting: _Request) -> None:
        """The store did not answer in time. What it does all the same is undone by the next registration's row."""
        self._pending.forget(waiting)
        self.stored(waiting, Failed("the store did not answer in time"))


def _refusal(waiting: _Request, reason: str) -> Log:
    """What the operator is told of a registration that an account may not have."""
    request = waiting.request
    contacts = ", ".join(request.headers["Contact"])[:SAID]
    fields = whence(request, waiting.flow, waiting.source) | {"reason": reason.lower(), "account": waiting.user}
    said: dict[str, object] = {"what": "registration refused"}
    return Log("warning", "security", said | fields | {"contact": contacts, "call_id": request.call_id[:SAID]})


@lru_cache(maxsize=64)
def _bounds(own: Defaults, accept: Accept) -> Bounds:
    """What holds where the policy says this much."""
    low = own.min_expires if accept.min_expires is None else accept.min_expires
    high = own.max_expires if accept.max_expires is None else accept.max_expires
    most = own.max_contacts if accept.max_contacts is None else accept.max_contacts
    return Bounds(low, high, max(low, min(own.default_expires, high)), most)


class _Request:
    """One REGISTER that has begun."""

    __slots__ = (
        "_registering",
        "bounds",
        "flow",
        "patience",
        "registration",
        "request",
        "source",
        "transaction",
        "user",
    )

    def __init__(
        self, registering: Registering, user: str, request: Request, flow: Flow, source: str, bounds: Bounds
    ) -> None:
        self._registering = registering
        self.user = user
        self.request = request
        self.flow = flow
        self.source = source
        self.bounds = bounds
        self.transaction: ServerTransaction | None = None
        self.registration: Registration | None = None
        self.patience: Timer | None = None

    def resolved(self, answer: Answer) -> None:
        """The store answered."""
        self._registering.stored(self, answer)

    def timer_fired(self, name: str) -> None:
        """The store takes too long: the phone is told, before its own transaction gives up."""
        self._registering.forsaken(self)

    def answer(self, status: int, headers: tuple[tuple[str, str], ...], reason: str | None, turn: Turn) -> None:
        """Send the final response."""
        if self.transaction is not None:
            self.transaction.respond(status, turn.draw(), headers, b"", reason)


class _Expiry:
    """Bindings that ran out were removed from the store; should that fail, loading drops them anyway."""

    def resolved(self, answer: Answer) -> None:
        """Nothing waits for this."""
