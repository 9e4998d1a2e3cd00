"""What becomes of a request: the transaction that knows it, the leg that it is for, or a new call (RFC 3261 8.2).

Owns the order of these questions, and everything that is answered without state. Leaves a dialog's requests to its leg,
a new call to `Call`, and a REGISTER that may pass to `registering`.
"""

from __future__ import annotations

from typing import Final

from b2bua.call.breadth import breadth_of
from b2bua.call.call import Call
from b2bua.call.events import Content
from b2bua.call.leg import ALLOW
from b2bua.core import admission
from b2bua.core.loops import is_loop
from b2bua.core.parts import Parts
from b2bua.core.replacing import take_place
from b2bua.effects import Flow
from b2bua.registrar.authenticator import Stale, Verified
from b2bua.routing.facts import called_in, dialed_of
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.verdicts import Accept, Challenge, Dial, Redirect, Reject
from b2bua.routing.versions import Version
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.transaction.keys import server_key
from b2bua.transaction.responses import stateless, stateless_tag
from b2bua.transaction.server import ServerKey

# Transactions that are there when a call that the policy refuses is refused without one: whoever sends as many in the
# 32 seconds that each stays means us ill. Others are bounded by the calls that there may be.
_MOST_REFUSED: Final = 200_000
# URIs with a host in them, which has to be one of ours.
_HOSTED: Final = ("sip", "sips")
# Header fields of an INVITE that need a look of their own.
_RARE: Final = frozenset(("Session-Expires", "Max-Breadth", "Replaces"))


class Requests:
    """Where requests come in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._transactions = parts.transactions
        self._legs = parts.stack.legs
        self._banned = parts.door.banned
        self._extensions = admission.extensions(parts.turn.settings)

    def take(self, request: Request, flow: Flow) -> None:
        """A request came. PeerError for one that is to be refused without state."""
        method = request.method
        key = server_key(request, "INVITE" if method == "ACK" else method)
        if self._transactions.absorb(request, key):
            self._parts.turn.count("requests_repeated")
        elif method == "ACK":
            self._ack(request)
        elif method == "CANCEL":
            self._cancel(request, flow, key)
        elif request.to_tag is not None and method != "REGISTER":
            self._inside(request, flow, key)
        else:
            self._outside(request, flow, key)

    def _ack(self, request: Request) -> None:
        leg = self._legs.get(request.to_tag or "")
        if leg is not None and leg.belongs(request):
            leg.call.acknowledged(leg, request)
        else:
            self._parts.turn.count("acks_unmatched")

    def _cancel(self, request: Request, flow: Flow, key: ServerKey) -> None:
        transaction = self._transactions.cancelled(request)
        if transaction is None:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        tag = transaction.tag or stateless_tag(request, self._parts.key)
        self._transactions.begin_server(request, flow, key).respond(200, tag)
        if transaction.user is not None:
            transaction.user.cancelled()

    def _inside(self, request: Request, flow: Flow, key: ServerKey) -> None:
        leg = self._legs.get(request.to_tag or "")
        if leg is None or not leg.belongs(request):
            raise PeerError(481, "Call/Transaction Does Not Exist")
        admission.check_inside(request, self._extensions)
        if request.method == "OPTIONS":
            self._capabilities(request, flow)
            return
        leg.receive(request, flow, self._transactions.begin_server(request, flow, key))

    def _outside(self, request: Request, flow: Flow, key: ServerKey) -> None:
        method, uri = request.method, request.request_uri
        if self._banned and self._parts.fronts is not None:
            # Whom a front proxy speaks for is known only now.
            source = self._parts.fronts.source(request, flow)
            if source != flow.remote and self._parts.door.is_shut(source):
                return
        admission.check_method(method)
        admission.check_scheme(request, uri, flow)
        if self._transactions.merged(request):
            raise PeerError(482, "Loop Detected")
        if uri.scheme in _HOSTED and not self._parts.is_ours(uri):
            raise PeerError(404, "Not Found")
        admission.check_extensions(request, self._extensions)
        if method == "INVITE":
            self._invite(request, flow, key)
        elif method == "REGISTER":
            self._register(request, flow, key)
        elif method == "MESSAGE":
            self._message(request, flow, key)
        else:
            self._capabilities(request, flow)

    def _invite(self, request: Request, flow: Flow, key: ServerKey) -> None:
        hops = admission.check_hops(request)
        admission.check_invite(request)
        offer = admission.check_body(request)
        breadth = None
        if not _RARE.isdisjoint(request.headers):
            if "Session-Expires" in request.headers:
                self._parts.stack.refreshing.check(request)
            if "Replaces" in request.headers:
                self._take_place(request, flow, key, offer)
                return
            breadth = breadth_of(request) if "Max-Breadth" in request.headers else None
        parts = self._parts
        version = parts.versions.of(request.call_id)
        self._check_load(request, version)
        source = flow.remote if parts.fronts is None else parts.fronts.source(request, flow)
        verdict = parts.admitting.verify(request, flow, source, version)
        verified = verdict.user if isinstance(verdict, Verified) else None
        trunk = parts.trunks.of(request, source, version)
        if trunk is not None:
            self._from_trunk(request, trunk)
        if request.from_tag in self._legs and is_loop(self._legs, request, trunk, source):
            # With state: what is late of it would begin another round once its leg is gone.
            parts.turn.count("loops")
            self._transactions.begin_server(request, flow, key).respond(482, parts.turn.draw())
            return
        inquiry = Inquiry(
            version,
            parts.directory,
            parts.meters,
            request,
            flow,
            source,
            parts.turn.wall,
            verified,
            trunk,
        )
        decision = inquiry.decide()
        action = decision.action
        if isinstance(action, Challenge):
            self._challenge(request, flow, source, isinstance(verdict, Stale), version)
            return
        if isinstance(action, (Reject, Redirect)) and len(self._transactions.servers) >= _MOST_REFUSED:
            raise PeerError(503, "Service Unavailable", self._retry_after())
        transaction = self._transactions.begin_server(request, flow, key)
        if isinstance(action, Dial):
            transaction.respond(100, "")
        call = Call(parts.stack, inquiry, request, flow, transaction, offer, hops, breadth, parts.call_over)
        parts.call_begun(call)
        parts.turn.count("calls")
        call.follow(decision)

    def _take_place(self, request: Request, flow: Flow, key: ServerKey, offer: Content | None) -> None:
        """An INVITE is to replace a dialog of ours: whoever wants that shows who they are, or is a trunk."""
        parts = self._parts
        version = parts.versions.of(request.call_id)
        self._check_load(request, version)
        source = flow.remote if parts.fronts is None else parts.fronts.source(request, flow)
        verdict = parts.admitting.verify(request, flow, source, version)
        verified = verdict.user if isinstance(verdict, Verified) else None
        trunk = parts.trunks.of(request, source, version)
        if trunk is not None:
            self._from_trunk(request, trunk)
        elif verified is None:
            self._challenge(request, flow, source, isinstance(verdict, Stale), version)
            return
        wall = parts.turn.wall
        inquiry = Inquiry(version, parts.directory, parts.meters, request, flow, source, wall, verified, trunk)
        if len(self._transactions.servers) >= _MOST_REFUSED:
            raise PeerError(503, "Service Unavailable", self._retry_after())
        try:
            take_place(parts, inquiry, request, flow, key, offer)
        except PeerError as error:
            # With state: the same credentials once more are no good.
            server = self._transactions.begin_server(request, flow, key)
            server.respond(error.status, parts.turn.draw(), error.headers, reason=error.reason)

    def _from_trunk(self, request: Request, trunk: str) -> None:
        """An INVITE comes from this trunk. PeerError 503 when the operator wants no calls from there.

        One for a Contact that we registered there says elsewhere whom it is for (RFC 7315 4.2).
        """
        trunks = self._parts.trunks
        if trunks.disabled(trunk):
            self._parts.turn.count("calls_refused")
            raise PeerError(503, "Service Unavailable", self._retry_after())
        if trunks.is_contact(request.request_uri):
            request.request_uri = called_in(request)

    def _message(self, request: Request, flow: Flow, key: ServerKey) -> None:
        parts = self._parts
        version = parts.versions.of(request.call_id)
        if not version.policy.speaks_of("message"):
            raise PeerError(405, "Method Not Allowed", (ALLOW,))
        hops = admission.check_hops(request)
        admission.check_message(request)
        breadth = breadth_of(request) if "Max-Breadth" in request.headers else None
        self._check_messages()
        source = flow.remote if parts.fronts is None else parts.fronts.source(request, flow)
        verdict = parts.admitting.verify(request, flow, source, version)
        verified = verdict.user if isinstance(verdict, Verified) else None
        trunk = parts.trunks.of(request, source, version)
        if trunk is not None:
            self._from_trunk(request, trunk)
        if parts.messages.is_loop(request, trunk, source):
            parts.turn.count("loops")
            self._transactions.begin_server(request, flow, key).respond(482, parts.turn.draw())
            return
        wall = parts.turn.wall
        inquiry = Inquiry(version, parts.directory, parts.meters, request, flow, source, wall, verified, trunk)
        decision = inquiry.decide_message()
        if isinstance(decision.action, Challenge):
            self._challenge(request, flow, source, isinstance(verdict, Stale), version)
            return
        transaction = self._transactions.begin_server(request, flow, key)
        parts.messages.follow(decision, inquiry, request, transaction, hops, breadth)

    def _check_messages(self) -> None:
        """PeerError 503 for a message too many: a transaction stays for as long as its sender may repeat itself."""
        parts = self._parts
        limits = parts.turn.settings.limits
        if (
            parts.draining
            or parts.messages.under_way >= limits.max_calls
            or len(parts.pending) >= limits.max_pending
            or len(self._transactions.servers) >= _MOST_REFUSED
        ):
            parts.turn.count("instant_messages_refused")
            raise PeerError(503, "Service Unavailable", self._retry_after())

    def _register(self, request: Request, flow: Flow, key: ServerKey) -> None:
        parts = self._parts
        version = parts.versions.of(request.call_id)
        source = flow.remote if parts.fronts is None else parts.fronts.source(request, flow)
        if not parts.door.lets_register(source):
            # Whoever forges a datagram's source gets nobody an answer, and a phone repeats itself.
            if flow.transport == "UDP":
                return
            raise PeerError(503, "Service Unavailable", self._retry_after())
        verdict = parts.admitting.verify(request, flow, source, version)
        verified = verdict.user if isinstance(verdict, Verified) else None
        if len(parts.pending) >= parts.turn.settings.limits.max_pending:
            raise PeerError(503, "Service Unavailable", self._retry_after())
        user, decision = parts.admitting.registering(request, flow, source, verified, version)
        match decision.action:
            case Challenge():
                self._challenge(request, flow, source, isinstance(verdict, Stale), version)
            case Accept() as accept if user is not None:
                if verified is None:
                    # Where the policy asks for no password, whoever registers is known by that.
                    parts.door.right(source, user)
                parts.registering.accepted(user, request, flow, source, key, accept)
            case Reject(code=code, reason=reason):
                parts.turn.effects.append(stateless(request, flow, parts.key, code, (), reason))
            case Redirect(code=code, uri=uri):
                headers = (("Contact", f"<{uri}>"),)
                parts.turn.effects.append(stateless(request, flow, parts.key, code, headers))
            case _:
                raise PeerError(404, "Not Found")

    def _challenge(self, request: Request, flow: Flow, source: str, stale: bool, version: Version) -> None:
        headers = self._parts.admitting.challenge(stale, source, version)
        self._parts.turn.effects.append(stateless(request, flow, self._parts.key, 401, headers))

    def _capabilities(self, request: Request, flow: Flow) -> None:
        headers = (
            ALLOW,
            admission.ACCEPT,
            admission.ACCEPT_ENCODING,
            ("Accept-Language", "en"),
            ("Supported", ", ".join(sorted(self._extensions))),
            ("User-Agent", self._parts.turn.settings.user_agent),
        )
        self._parts.turn.effects.append(stateless(request, flow, self._parts.key, 200, headers))

    def _check_load(self, request: Request, version: Version) -> None:
        parts = self._parts
        limits = parts.turn.settings.limits
        full = len(parts.calls) >= limits.max_calls or len(parts.pending) >= limits.max_pending
        if not full and not parts.draining:
            return
        dialed = dialed_of(request)
        if dialed is None or not version.policy.is_emergency(dialed):
            self._parts.turn.count("calls_refused")
            raise PeerError(503, "Service Unavailable", self._retry_after())

    def _retry_after(self) -> tuple[tuple[str, str], ...]:
        return (("Retry-After", str(self._parts.turn.settings.limits.retry_after)),)

    def refuse(
        self,
        request: Request | None,
        flow: Flow,
        status: int,
        reason: str,
        headers: tuple[tuple[str, str], ...],
    ) -> None:
        """Answer a request without state; what cannot be answered is dropped and counted."""
        if request is None or request.method == "ACK":
            self._parts.turn.count("messages_dropped")
            return
        self._parts.turn.count(f"refused_{status}")
        self._parts.turn.effects.append(stateless(request, flow, self._parts.key, status, headers, reason))
