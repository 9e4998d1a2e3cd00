"""A call: the caller's leg, the legs that were tried for it, and the decision that connects them.

Owns what passes between the legs, and the order of things: decide, dial, answer, talk, end. It sees neutral events
only. Leaves the wire to the legs, the steps of a dial to `hunt`, requests inside the call to `exchange`, and records
to `record`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from b2bua.call.events import Answered, Content, Progressed, Rejected
from b2bua.call.exchange import Exchange
from b2bua.call.glare import refusal
from b2bua.call.headers import crossing, edited
from b2bua.call.hunt import Hunt
from b2bua.call.incoming import IncomingLeg
from b2bua.call.leg import Leg, Stack
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.record import record
from b2bua.effects import Flow, Log
from b2bua.routing.destination import Refused
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.verdicts import Decision, Dial, HeaderEdit, Outcome, Redirect, Reject, Target
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction

_MOST_DIALS = 10
_MOST_REDIRECTIONS = 5
# RFC 3326: a phone that rang in vain need not show a missed call.
_ELSEWHERE = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)


class Call:
    """One call, from its INVITE to its last leg's end. `id` is ours, for operators and records."""

    __slots__ = (
        "_dials",
        "_edits",
        "_exchanges",
        "_headers",
        "_hunt",
        "_in_call",
        "_live",
        "_max_forwards",
        "_numbers",
        "_offer",
        "_over",
        "_redirections",
        "_rejection",
        "_ringing_told",
        "_taken",
        "answered",
        "callee",
        "caller",
        "hung_up_by",
        "id",
        "incoming",
        "inquiry",
        "rules",
        "source",
        "stack",
        "tags",
    )
    # For mypyc: what `_finish_if_over` deletes.
    __deletable__ = ("incoming",)

    def __init__(
        self,
        stack: Stack,
        inquiry: Inquiry,
        request: Request,
        flow: Flow,
        transaction: ServerTransaction,
        offer: Content | None,
        max_forwards: int,
        over: Callable[[Call], None],
    ) -> None:
        self.stack = stack
        self.inquiry = inquiry
        self._over = over
        facts = inquiry.facts
        self.caller = facts.caller or facts.claimed or ""
        self.callee = facts.dialed or ""
        self.source = flow.remote
        self.answered: OutgoingLeg | None = None
        self.hung_up_by: Literal["caller", "callee", "system", ""] = ""
        self.rules: tuple[str, ...] = ()
        self.tags: dict[str, str] = {}
        self._hunt: Hunt | None = None
        self._dials = 0
        self._edits: tuple[HeaderEdit, ...] = ()
        self._exchanges: list[Exchange] = []
        self._in_call: list[str] = []
        self._numbers = 0
        self._redirections: set[str] = set()
        self._rejection: Rejected | None = None
        self._ringing_told = False
        self._taken: list[tuple[str, str]] = []
        self._offer = offer
        self._headers = crossing(request, "INVITE")
        self._max_forwards = max_forwards
        self.incoming = IncomingLeg(stack, self, request, flow, transaction)
        self.id = self.incoming.dialog.local_tag
        self._live: set[int] = {0}
        if facts.caller is not None:
            self._enter(facts.caller)

    # What the policy says.

    def follow(self, decision: Decision) -> None:
        """Do what was decided."""
        self.rules += decision.rules
        if decision.tags:
            self.tags = {**self.tags, **decision.tags}
        self._edits += decision.headers
        turn = self.stack.turn
        if decision.takes:
            self._taken += self.inquiry.take(decision.takes, turn.wall)
        for line in decision.logs:
            turn.effects.append(Log("info", "policy", {"call": self.id, "said": line}))
        match decision.action:
            case Dial() as dial:
                self._dial(dial)
            case Reject(code=code, reason=reason):
                self._reject(code, reason)
            case Redirect(code=code, uri=uri):
                self.incoming.reject(Rejected(code, "", (("Contact", f"<{uri}>"),)))
            case other:
                turn.effects.append(Log("error", "policy", {"call": self.id, "impossible here": repr(other)}))
                self._reject(500, None)

    def _dial(self, dial: Dial) -> None:
        self._dials += 1
        if self._dials > _MOST_DIALS:
            self._reject(500, "the routing policy dialled too often")
            return
        self._hunt = hunt = Hunt(self, dial)
        if not self.inquiry.forward(dial):
            self.dial_over(Outcome("failure", dial.forwarder))
            return
        if dial.notify is not None:
            self.incoming.progress(Progressed(dial.notify, "", None, ()), None)
        hunt.advance()

    def _reject(self, code: int, reason: str | None) -> None:
        headers: tuple[tuple[str, str], ...] = ()
        rejection = self._rejection
        if rejection is not None and rejection.status == code and reason is None:
            # What the called side said about its refusal goes with the same status.
            headers, reason = rejection.headers, rejection.reason
        self.incoming.reject(Rejected(code, reason or "", headers))

    # What a dial brings.

    def dial_party(self, target: Target, forwarding: bool) -> list[OutgoingLeg] | Refused:
        """New legs to a party, not yet started."""
        found = self.inquiry.destinations(target, forwarding)
        if isinstance(found, Refused):
            return found
        legs = []
        for destination in found:
            self._numbers += 1
            headers = (*destination.headers, *self._headers)
            if self._edits:
                headers = edited(headers, self._edits)
            leg = OutgoingLeg(
                self.stack,
                self,
                self._numbers,
                destination,
                self._offer,
                headers,
                self._max_forwards,
                self.stack.turn.draw(),
            )
            self._live.add(leg.number)
            if destination.trunk is not None:
                self.inquiry.meters.take_channel(destination.trunk)
            legs.append(leg)
        return legs

    def failover(self, leg: OutgoingLeg) -> frozenset[int]:
        """The statuses that this leg's trunk counts as unreachable."""
        trunk = leg.destination.trunk
        return self.inquiry.policy.trunks[trunk].failover if trunk is not None else frozenset()

    def trunk_progress(self, legs: Iterable[OutgoingLeg]) -> float | None:
        """The longest that any of these legs' trunks may stay silent, in seconds, if all of them say so."""
        longest = 0.0
        for leg in legs:
            trunk = leg.destination.trunk
            limit = self.inquiry.policy.trunks[trunk].progress if trunk is not None else None
            if limit is None:
                return None
            longest = max(longest, limit)
        return longest

    def dial_over(self, outcome: Outcome) -> None:
        """Nobody took the call: the policy says what comes next."""
        hunt, self._hunt = self._hunt, None
        assert hunt is not None
        self._ringing_told = False
        self._rejection = hunt.rejection
        redirected = outcome.redirected
        if redirected is not None:
            if redirected in self._redirections or len(self._redirections) >= _MOST_REDIRECTIONS:
                outcome = Outcome("failure", outcome.target, None, outcome.rang, outcome.tried)
            self._redirections.add(redirected)
        self.follow(self.inquiry.resume(hunt.dial.frame, outcome, self.stack.turn.wall))

    # What the legs bring.

    def leg_progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """Of several phones the caller hears one 180 without a description; of one, all that it says."""
        hunt = self._hunt
        if hunt is None or not hunt.progressed(leg):
            return
        if not hunt.several:
            self.incoming.progress(progress, leg.source if progress.content is not None else None)
        elif progress.status >= 180 and not self._ringing_told:
            self._ringing_told = True
            self.incoming.progress(Progressed(180, "", None, ()), None)

    def leg_rejected(self, leg: OutgoingLeg, rejection: Rejected) -> None:
        """The dial goes on, or is over."""
        if self._hunt is not None:
            self._hunt.rejected(leg, rejection)

    def leg_answered(self, leg: OutgoingLeg, answer: Answered) -> None:
        """The dial is over, and the caller is told."""
        if self._hunt is None:
            return
        self._hunt.answered(leg)
        self._hunt = None
        self.answered = leg
        self._offer = None
        self._headers = ()
        self._edits = ()
        self._rejection = None
        self.inquiry.forget()
        user = leg.destination.party
        if leg.destination.trunk is None and user in self.inquiry.policy.users:
            self._enter(user)
        self.incoming.answer(answer, leg.source)

    def leg_confirmed(self, content: Content | None) -> None:
        """The caller has the answer: the called side may know."""
        if self.answered is not None:
            self.answered.acknowledge(content)

    def leg_left(self) -> None:
        """Nobody waits any more."""
        self._stop_dialling()

    def leg_hung_up(self, leg: Leg, headers: tuple[tuple[str, str], ...]) -> None:
        """One side is gone: the other is told."""
        self._end("caller" if leg is self.incoming else "callee", leg, headers)

    def leg_lost(self, leg: Leg) -> None:
        """One side cannot be reached: the other is told."""
        self._end("system", leg, ())

    def _stop_dialling(self) -> None:
        hunt, self._hunt = self._hunt, None
        if hunt is not None:
            hunt.stop()

    def _end(
        self, by: Literal["caller", "callee", "system"], ended: Leg | None, headers: tuple[tuple[str, str], ...]
    ) -> None:
        if not self.hung_up_by:
            self.hung_up_by = by
        for exchange in list(self._exchanges):
            exchange.drop()
        for leg in (self.incoming, self.answered):
            if leg is not None and leg is not ended:
                leg.parting = headers
                leg.end()

    # What the operator and the clock bring.

    def hang_up(self) -> None:
        """End the call, wherever it stands."""
        if self.answered is not None:
            self._end("system", None, ())
        else:
            self.incoming.reject(Rejected(480, "ended by the operator"))
            self._stop_dialling()

    def fail(self) -> None:
        """End the call for a fault of ours: 500 to a caller who still waits."""
        if self.answered is not None:
            self._end("system", None, ())
        else:
            self.incoming.reject(Rejected(500, ""))
            self._stop_dialling()

    def abolish(self) -> None:
        """Take every leg of this call out of the stack, unsaid: to end it properly has failed."""
        if self._hunt is not None:
            self._hunt.forget()
        for exchange in self._exchanges:
            exchange.stop_timers()
        self._hunt = None
        self._exchanges = []
        for leg in {id(leg): leg for leg in self.stack.legs.values() if leg.call is self}.values():
            leg.abolish()
        if self._live:
            self._live = set()
            self._finish_if_over()

    # Requests inside the call.

    def requested(self, leg: Leg, request: Request, flow: Flow, transaction: ServerTransaction) -> None:
        """The peer of this leg has a request for the other side: pass it, or say why not."""
        far: Leg | None = self.answered if leg is self.incoming else self.incoming
        refused = refusal(request, leg, far, self._exchanges)
        if refused is not None or far is None:
            status, headers = (refused.status, refused.headers) if refused is not None else (481, ())
            transaction.respond(status, leg.dialog.local_tag, headers)
            return
        if request.method in ("INVITE", "UPDATE"):
            leg.dialog.retarget(request, flow, self.stack.ways)
        if request.method == "INVITE":
            transaction.respond(100, "")
        self._exchanges.append(Exchange(self, leg, far, request, transaction))

    def acknowledged(self, leg: Leg, request: Request) -> None:
        """An ACK of a 2xx came: of a re-INVITE's, or of the first."""
        for exchange in self._exchanges:
            if exchange.near is leg and exchange.method == "INVITE" and exchange.cseq == request.cseq.number:
                exchange.acknowledged(request)
                return
        if leg is self.incoming:
            self.incoming.acknowledged(request)

    def exchange_over(self, exchange: Exchange) -> None:
        """A request that was passed is done."""
        self._exchanges.remove(exchange)
        self._finish_if_over()

    # The end.

    def leg_over(self, leg: Leg) -> None:
        """Nothing more comes from this leg: write its record."""
        self._live.discard(leg.number)
        if isinstance(leg, OutgoingLeg) and leg.destination.trunk is not None:
            self.inquiry.meters.free_channel(leg.destination.trunk)
        self.stack.turn.effects.append(record(self, leg))
        self._finish_if_over()

    def _finish_if_over(self) -> None:
        if self._live or self._exchanges:
            return
        meters = self.inquiry.meters
        for name, key in self._taken:
            meters.give_back(name, key)
        for user in self._in_call:
            meters.leave_call(user)
        self._taken = []
        self._in_call = []
        self._over(self)
        # Its legs know their call: without this, only the collector could free what is over.
        self.answered = None
        del self.incoming

    def _enter(self, user: str) -> None:
        self.inquiry.meters.enter_call(user)
        self._in_call.append(user)
