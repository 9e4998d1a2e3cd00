"""The core: hands each input to transaction, dialog and call, and returns what they want done.

Pure: `now` (monotonic seconds) and `wall` (seconds since the epoch) are arguments, randomness is injected, and nothing
waits. Owns which layer an input belongs to. An INVITE goes from here to `Call.follow` in four direct calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from b2bua.call.call import Call
from b2bua.call.forks import end_fork
from b2bua.call.leg import ALLOW, Leg, Stack
from b2bua.call.outgoing import OutgoingLeg
from b2bua.core import admission
from b2bua.core.ids import Pending
from b2bua.core.registering import Registering
from b2bua.core.trunks import Trunks
from b2bua.core.views import CallView, RegistrationView, call_view, registration_view
from b2bua.dialog.ways import Ways
from b2bua.effects import Answer, CloseFlow, Effect, Flow, Log, Resolve, Transport
from b2bua.registrar.authenticator import Stale, Verified
from b2bua.registrar.registrar import Registrar
from b2bua.routing.admitting import Admitting
from b2bua.routing.directory import Directory
from b2bua.routing.facts import dialed_of
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.meters import Meters
from b2bua.routing.verdicts import Accept, Challenge, Dial, Redirect, Reject
from b2bua.settings import Settings
from b2bua.sip.errors import LocalError, Malformed, PeerError
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse
from b2bua.sip.uri import Uri
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.keys import server_key
from b2bua.transaction.layer import Transactions
from b2bua.transaction.responses import stateless, stateless_tag
from b2bua.transaction.server import ServerKey
from b2bua.transaction.turn import Turn
from dsl.policy import Policy

_TIMERS_A_TURN = 256


class Core:
    """One server's state. Every input method returns its effects, to be performed in order."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        draw: Callable[[], str],
        key: bytes,
        bindings: Iterable[tuple[str, bytes]],
        now: float,
        wall: float,
    ) -> None:
        """`draw` gives 16 random hexadecimal digits; `key` is 32 secret octets; `bindings` are the stored rows."""
        self._turn = turn = Turn(settings, draw, now, wall)
        self._key = key
        self._policy = policy
        self._pending = Pending()
        self._transactions = Transactions(turn, self._stray_success)
        self._ways = Ways(settings)
        self._stack = Stack(turn, self._transactions, self._ways, self._resolve)
        self._registrar = Registrar(self._ways.ours)
        self._load(bindings)
        self._meters = Meters(self._is_registered)
        self._directory = Directory(self._registrar.bindings, self._is_ours)
        self._admitting = Admitting(turn, key, policy, self._meters)
        self._registering = Registering(turn, self._transactions, self._registrar, self._pending, key)
        self._trunks = Trunks(turn, self._pending)
        self._trunks.load(policy)
        self._calls: dict[str, Call] = {}
        self._draining = False
        self._began = turn.effects

    def _load(self, bindings: Iterable[tuple[str, bytes]]) -> None:
        turn = self._turn
        for aor, row in bindings:
            try:
                self._registrar.load(aor, row, turn.wall)
            except LocalError as error:
                turn.effects.append(Log("error", "stored registration dropped", {"user": aor, "why": str(error)}))

    # Inputs.

    def datagram(self, data: bytes, flow: Flow, now: float, wall: float) -> list[Effect]:
        """A datagram, or one whole message of a stream."""
        turn = self._begin(now, wall)
        request: Request | None = None
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._response(message)
            else:
                request = message
                self._request(message, flow)
        except Malformed as error:
            self._malformed(error, flow)
        except PeerError as error:
            self._refuse(request, flow, error.status, error.reason, error.headers)
        except LocalError as error:
            turn.effects.append(Log("error", "internal error", {"what": str(error)}))
            self._refuse(request, flow, 500, "Server Internal Error", ())
        return turn.effects

    def malformed(self, error: Malformed, flow: Flow, now: float, wall: float) -> list[Effect]:
        """A stream's framing is lost: answer if that can be done, and close it (RFC 3261 18.3)."""
        turn = self._begin(now, wall)
        self._malformed(error, flow)
        turn.effects.append(CloseFlow(flow))
        return turn.effects

    def answered(self, id: int, result: Answer, now: float, wall: float) -> list[Effect]:
        """The shell has the answer to an effect that carried this id."""
        turn = self._begin(now, wall)
        self._pending.answered(id, result)
        return turn.effects

    def flow_failed(self, flow: Flow, now: float, wall: float) -> list[Effect]:
        """What was sent by this flow did not arrive, or this stream has closed."""
        turn = self._begin(now, wall)
        turn.count("flows_failed")
        if flow.connection:
            self._registrar.flow_closed(flow, wall)
            self._transactions.stream_closed(flow)
            for leg in self._stack.legs.values():
                leg.dialog.stream_closed(flow)
        else:
            self._transactions.transport_error(flow)
        return turn.effects

    def tick(self, now: float, wall: float) -> list[Effect]:
        """Some time has passed: `wake_at` says when this is due."""
        turn = self._begin(now, wall)
        turn.timers.fire(now, _TIMERS_A_TURN)
        self._registering.expire()
        return turn.effects

    def reload(self, policy: Policy, now: float, wall: float) -> list[Effect]:
        """New calls follow this version; calls in progress keep theirs."""
        turn = self._begin(now, wall)
        self._policy = policy
        self._admitting.reload(policy)
        self._trunks.load(policy)
        turn.effects.append(Log("info", "policy loaded", {"policy": policy.name, "hash": policy.hash}))
        return turn.effects

    def drain(self, now: float, wall: float) -> list[Effect]:
        """Take no new calls, emergencies aside."""
        turn = self._begin(now, wall)
        self._draining = True
        return turn.effects

    def hangup(self, call_id: str, now: float, wall: float) -> list[Effect]:
        """End one call. KeyError when there is none with this id."""
        turn = self._begin(now, wall)
        self._calls[call_id].hang_up()
        return turn.effects

    def hangup_all(self, now: float, wall: float) -> list[Effect]:
        """End all calls."""
        turn = self._begin(now, wall)
        for call in list(self._calls.values()):
            call.hang_up()
        return turn.effects

    def salvage(self, now: float, wall: float) -> list[Effect]:
        """After an input that met a bug of ours: what it had led to, and the end of the call that it was about."""
        turn = self._turn
        effects, concerned = turn.effects, turn.concerned
        self._begin(now, wall)
        turn.count("calls_failed")
        if concerned is not None:
            turn.concerned = concerned
            concerned.fail()
        return effects + turn.effects

    def abolish(self, now: float, wall: float) -> list[Effect]:
        """After a `salvage` that met a bug too: take the call away without another word."""
        turn = self._turn
        effects, concerned = turn.effects, turn.concerned
        self._begin(now, wall)
        if concerned is not None:
            concerned.abolish()
        return effects + turn.effects

    # What can be asked.

    @property
    def started(self) -> list[Effect]:
        """What is to be done before the first input."""
        effects, self._began = self._began, []
        return effects

    @property
    def wake_at(self) -> float | None:
        """When `tick` is due, in monotonic seconds."""
        due = self._turn.timers.wake_at
        expiry = self._registrar.next_expiry
        if expiry is not None:
            expiry = self._turn.now + max(0.0, expiry - self._turn.wall) + 1.0
            due = expiry if due is None else min(due, expiry)
        return due

    @property
    def idle(self) -> bool:
        """Whether no call is left and nothing is asked of the shell."""
        return not self._calls and not len(self._pending)

    @property
    def counters(self) -> dict[str, int]:
        """How often things happened since the start."""
        return self._turn.counters

    def sizes(self) -> dict[str, int]:
        """How much of everything there is."""
        return {
            "calls": len(self._calls),
            "legs": len({id(leg) for leg in self._stack.legs.values()}),
            "dialogs": len(self._stack.legs),
            "transactions": len(self._transactions),
            "timers": self._turn.timers.live,
            "pending": len(self._pending),
        }

    def calls(self) -> list[CallView]:
        """Every call."""
        legs: dict[str, list[Leg]] = {}
        for leg in {id(leg): leg for leg in self._stack.legs.values()}.values():
            call = leg.call
            if isinstance(call, Call):
                legs.setdefault(call.id, []).append(leg)
        return [call_view(call, legs.get(call.id, [])) for call in self._calls.values()]

    def registrations(self, wall: float) -> list[RegistrationView]:
        """Every binding."""
        return [registration_view(binding, wall) for binding in self._registrar.everything(wall)]

    # Messages.

    def _begin(self, now: float, wall: float) -> Turn:
        self._turn.begin(now, wall)
        return self._turn

    def _response(self, response: Response) -> None:
        if not self._transactions.response(response):
            self._turn.count("responses_unmatched")

    def _request(self, request: Request, flow: Flow) -> None:
        method = request.method
        key = server_key(request, "INVITE" if method == "ACK" else method)
        if self._transactions.absorb(request, key):
            self._turn.count("requests_repeated")
        elif method == "ACK":
            self._ack(request)
        elif method == "CANCEL":
            self._cancel(request, flow, key)
        elif request.to_tag is not None and method != "REGISTER":
            self._inside(request, flow, key)
        else:
            self._outside(request, flow, key)

    def _ack(self, request: Request) -> None:
        leg = self._stack.legs.get(request.to_tag or "")
        if leg is not None and leg.belongs(request):
            leg.call.acknowledged(leg, request)
        else:
            self._turn.count("acks_unmatched")

    def _cancel(self, request: Request, flow: Flow, key: ServerKey) -> None:
        transaction = self._transactions.cancelled(request)
        if transaction is None:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        tag = transaction.tag or stateless_tag(request, self._key)
        self._transactions.begin_server(request, flow, key).respond(200, tag)
        if transaction.user is not None:
            transaction.user.cancelled()

    def _inside(self, request: Request, flow: Flow, key: ServerKey) -> None:
        leg = self._stack.legs.get(request.to_tag or "")
        if leg is None or not leg.belongs(request):
            raise PeerError(481, "Call/Transaction Does Not Exist")
        admission.check_inside(request)
        if request.method == "OPTIONS":
            self._capabilities(request, flow)
            return
        leg.receive(request, flow, self._transactions.begin_server(request, flow, key))

    def _outside(self, request: Request, flow: Flow, key: ServerKey) -> None:
        admission.check_method(request)
        admission.check_scheme(request)
        if self._transactions.merged(request):
            raise PeerError(482, "Loop Detected")
        uri = request.request_uri
        if uri.scheme == "sip" and not self._is_ours(uri):
            raise PeerError(404, "Not Found")
        admission.check_extensions(request)
        if request.method == "INVITE":
            self._invite(request, flow, key)
        elif request.method == "REGISTER":
            self._register(request, flow, key)
        else:
            self._capabilities(request, flow)

    def _invite(self, request: Request, flow: Flow, key: ServerKey) -> None:
        admission.check_invite(request)
        admission.check_body(request)
        self._check_load(request)
        verdict = self._admitting.verify(request)
        verified = verdict.user if isinstance(verdict, Verified) else None
        turn = self._turn
        trunk = self._trunks.of(flow.remote)
        inquiry = Inquiry(self._policy, self._directory, self._meters, request, flow, turn.wall, verified, trunk)
        decision = inquiry.decide()
        if isinstance(decision.action, Challenge):
            self._challenge(request, flow, isinstance(verdict, Stale))
            return
        transaction = self._transactions.begin_server(request, flow, key)
        if isinstance(decision.action, Dial):
            transaction.respond(100, "")
        call = Call(self._stack, inquiry, request, flow, transaction, self._call_over)
        self._calls[call.id] = call
        turn.count("calls")
        call.follow(decision)

    def _register(self, request: Request, flow: Flow, key: ServerKey) -> None:
        verdict = self._admitting.verify(request)
        verified = verdict.user if isinstance(verdict, Verified) else None
        if len(self._pending) >= self._turn.settings.limits.max_pending:
            raise PeerError(503, "Service Unavailable", self._retry_after())
        user, decision = self._admitting.registering(request, flow, verified)
        self._admitting.count(decision, user)
        match decision.action:
            case Challenge():
                self._challenge(request, flow, isinstance(verdict, Stale))
            case Accept() as accept if user is not None:
                self._registering.accepted(user, request, flow, key, accept)
            case Reject(code=code, reason=reason):
                self._turn.effects.append(stateless(request, flow, self._key, code, (), reason))
            case Redirect(code=code, uri=uri):
                headers = (("Contact", f"<{uri}>"),)
                self._turn.effects.append(stateless(request, flow, self._key, code, headers))
            case _:
                raise PeerError(404, "Not Found")

    def _challenge(self, request: Request, flow: Flow, stale: bool) -> None:
        headers = self._admitting.challenge(stale)
        self._turn.effects.append(stateless(request, flow, self._key, 401, headers))

    def _capabilities(self, request: Request, flow: Flow) -> None:
        headers = (
            ALLOW,
            admission.ACCEPT,
            admission.ACCEPT_ENCODING,
            ("Accept-Language", "en"),
            ("Supported", ""),
            ("User-Agent", self._turn.settings.user_agent),
        )
        self._turn.effects.append(stateless(request, flow, self._key, 200, headers))

    def _check_load(self, request: Request) -> None:
        limits = self._turn.settings.limits
        full = len(self._calls) >= limits.max_calls or len(self._pending) >= limits.max_pending
        if not full and not self._draining:
            return
        dialed = dialed_of(request)
        if dialed is None or not self._policy.is_emergency(dialed):
            self._turn.count("calls_refused")
            raise PeerError(503, "Service Unavailable", self._retry_after())

    def _retry_after(self) -> tuple[tuple[str, str], ...]:
        return (("Retry-After", str(self._turn.settings.limits.retry_after)),)

    def _malformed(self, error: Malformed, flow: Flow) -> None:
        self._turn.count("messages_malformed")
        self._refuse(error.request, flow, error.status, error.reason, error.headers)

    def _refuse(
        self,
        request: Request | None,
        flow: Flow,
        status: int,
        reason: str,
        headers: tuple[tuple[str, str], ...],
    ) -> None:
        if request is None or request.method == "ACK":
            self._turn.count("messages_dropped")
            return
        self._turn.count(f"refused_{status}")
        self._turn.effects.append(stateless(request, flow, self._key, status, headers, reason))

    # What the layers ask of the core.

    def _stray_success(self, response: Response, transaction: ClientTransaction) -> None:
        end_fork(self._stack, response, transaction)

    def _resolve(self, leg: OutgoingLeg) -> None:
        hop = leg.destination.hop
        asked = (hop.param("transport") or "").lower()
        transport: Transport | None = "TCP" if asked == "tcp" else "UDP" if asked == "udp" else None
        id = self._pending.ask(leg)
        self._turn.effects.append(Resolve(id, hop.host, hop.port, transport))

    def _call_over(self, call: Call) -> None:
        self._calls.pop(call.id, None)

    def _is_registered(self, user: str) -> bool:
        return bool(self._registrar.bindings(user, self._turn.wall))

    def _is_ours(self, uri: Uri) -> bool:
        return uri.host in self._policy.domains or self._ways.is_host(uri.host)
