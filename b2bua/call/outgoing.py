"""The leg of whomever we call: one INVITE and what comes back (RFC 3261 sections 13.2 and 9.1).

Owns the choice of a stream for what is too large for a datagram (18.1.1), answering a trunk's challenge (22.2), CANCEL,
the ACK of a 2xx, and ending forks that nobody wants. Leaves finding the next hop to `b2bua.names`, and which of its
targets has its turn to `attempts`.
"""

from __future__ import annotations

from b2bua.call.attempts import Attempts, retry_after
from b2bua.call.early import CalledEarlies
from b2bua.call.events import Answered, Content, Progressed, Rejected, refusal_of
from b2bua.call.forks import end_fork, forsake
from b2bua.call.headers import content_of, crossing
from b2bua.call.leg import ALLOW, REACHING, TOO_SMALL, Leg, LegUser, Stack, contact_of
from b2bua.call.proof import Proof
from b2bua.call.tables import OUTGOING, LegEvent, LegState
from b2bua.dialog.dialog import Dialog, complete
from b2bua.effects import Address, Answer, Failed, Flow, Resolved
from b2bua.routing.destination import Destination
from b2bua.routing.meters import Witness
from b2bua.sip.message import Request, Response
from b2bua.sip.rack import with_reliable
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.derived import cancellation
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

# RFC 3261 18.1.1, where the path's MTU is unknown, in octets.
_LARGEST_DATAGRAM = 1300
_MOST_INVITES = 20


class OutgoingLeg(Leg):
    """A called side of a call. `rang` is whether any 18x came; `response` is the INVITE's while it is at work."""

    __slots__ = (
        "_ack_content",
        "_attempts",
        "_datagram_flow",
        "_headers",
        "_invite",
        "_max_forwards",
        "_offer",
        "_proof",
        "_streams_refused",
        "_timer",
        "addresses",
        "destination",
        "early",
        "rang",
        "response",
        "witness",
    )

    def __init__(
        self,
        stack: Stack,
        call: LegUser,
        number: int,
        destination: Destination,
        offer: Content | None,
        headers: tuple[tuple[str, str], ...],
        max_forwards: int,
        call_id: str,
    ) -> None:
        tag = stack.turn.draw()
        dialog = Dialog(call_id, f"{destination.from_};tag={tag}", tag, destination.to, "", _NOWHERE, int(tag[:15], 16))
        super().__init__(stack, call, number, dialog, LegState.RESOLVING)
        self._aim(destination)
        self.rang = False
        self.witness: Witness | None = None
        self.response: Response | None = None
        self.early: CalledEarlies | None = None
        self.addresses: tuple[Address, ...] = ()
        self._offer = offer
        self._headers = headers
        self._max_forwards = max_forwards
        self._invite: ClientTransaction | None = None
        self._ack_content: Content | None = None
        self._datagram_flow: Flow | None = None
        self._streams_refused = False
        self._attempts: Attempts | None = None
        self._timer: Timer | None = None
        self._proof = Proof(destination.account) if destination.account is not None else None
        self.timer = stack.refreshing.opening

    def exceed(self) -> None:
        """There is nothing left of Max-Breadth for this leg (RFC 5393 5.3.3)."""
        self.cause, self.reason = 440, "Max-Breadth Exceeded"
        self.step(LegEvent.UNRESOLVED)

    def start(self, breadth: int | None = None) -> None:
        """Find where to send the INVITE, at once where no name has to be looked up, and send it.

        `breadth` is this leg's share of Max-Breadth, where it has to say so.
        """
        if breadth is not None:
            self._headers = (*self._headers, ("Max-Breadth", str(breadth)))
        if self.dialog.pinned:
            self.step(LegEvent.RESOLVED)
            return
        hop, stack = self.destination.hop, self.stack
        if hop.address is None:
            self._attempts = Attempts(self)
            stack.names.resolve(hop, self)
            return
        self.addresses = (hop.address,)
        self._set_out(stack.ways.flow_to(hop.address))

    def resolved(self, answer: Answer) -> None:
        """The next hop's addresses are known, or will not be."""
        if self.state is not LegState.RESOLVING or self._attempts is None:
            return
        if isinstance(answer, Resolved):
            self.addresses = answer.addresses
            self._set_out(self._attempts.found(answer))
        else:
            self._fail(answer.reason if isinstance(answer, Failed) else "no address")

    def abandon(self) -> None:
        """The call has no use for this leg any more."""
        if self.answered_at is None:
            self.cause, self.reason = 487, "the call went elsewhere or was given up"
        self.step(LegEvent.ABANDON)

    @property
    def source(self) -> str:
        """A name for the called side's dialog; forks of one INVITE have several (12.1.2)."""
        response = self.response
        return f"{self.number} {self.dialog.remote_tag if response is None else response.to_tag}"

    def acknowledge(self, content: Content | None) -> None:
        """The caller has the answer: let the called side know (13.2.2.4)."""
        if content is not None:
            self._ack_content = content
        elif self.early is not None and self.early.settled(self.dialog):
            self._ack_content = None
        self.step(LegEvent.ACKNOWLEDGED)

    def abolish(self) -> None:
        """Leave everything, whatever the state."""
        self.drop_invite()
        super().abolish()

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """A response to our INVITE, or to our BYE, came."""
        if transaction.method != "INVITE":
            super().responded(transaction, response)
            return
        self.response = response
        status = response.status
        if self._attempts is not None:
            self._attempts.heard(response)
        if status < 200:
            if "RSeq" in response.headers and not self._counts(response):
                self.response = None
                return
            self.rang = self.rang or status >= 180
            self.step(LegEvent.PROGRESSED)
        elif status < 300:
            self._succeeded(transaction, response)
        elif status in _FLOW_FAILED and self._by_another_flow(status):
            pass
        elif status in (401, 407) and self.state in _UNDECIDED and self.authorization(response, "INVITE"):
            self.step(LegEvent.CHALLENGED)
        elif status == TOO_SMALL and self.state in _UNDECIDED and self._asks_for_more(response):
            self.step(LegEvent.TOO_BRIEF)
        elif status != 503 or not self._go_elsewhere("503", retry_after(response)):
            self.step(LegEvent.REJECTED)
        self.response = None

    def timed_out(self, transaction: ClientTransaction) -> None:
        """Nothing came back from where we sent the INVITE: the next address may do better (RFC 3263 4.3)."""
        if transaction.method != "INVITE":
            super().timed_out(transaction)
        elif not self._go_elsewhere(_SILENT) and not self._by_another_flow():
            self.cause, self.reason = 408, _SILENT
            self.step(LegEvent.UNREACHABLE)

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """The INVITE could not be delivered; one that went by a stream for its size tries a datagram (18.1.1)."""
        if transaction.method != "INVITE":
            super().transport_failed(transaction)
        elif self._datagram_flow is not None and self.state is LegState.CALLING:
            self.dialog.flow = self._datagram_flow
            self._datagram_flow = None
            self._streams_refused = True
            self.step(LegEvent.ELSEWHERE)
        else:
            why = self.stack.turn.why or _CUT_OFF
            if not self._go_elsewhere(why) and not self._by_another_flow():
                self.cause, self.reason = 503, why
                self.step(LegEvent.UNREACHABLE)

    def unheard(self) -> None:
        """Not a word from the target at work, and others are left (RFC 3263 4.3)."""
        invite = self._invite
        if self._go_elsewhere(_SILENT) and invite is not None:
            forsake(self.stack, invite, self._offer is not None)

    def late(self) -> None:
        """Finding the next hop and trying its targets have taken as long as one transaction may."""
        if self.state is LegState.RESOLVING:
            self._fail("the name was not resolved in time")
        elif self.state is LegState.CALLING and self._invite is not None:
            forsake(self.stack, self._invite, self._offer is not None)
            self._invite = None
            self._go_elsewhere(_SILENT)
            if not self._by_another_flow():
                self.cause, self.reason = 408, _SILENT
                self.step(LegEvent.UNREACHABLE)

    def timer_fired(self, name: str) -> None:
        """A cancelled INVITE never got its final response (9.1)."""
        self.step(LegEvent.GIVE_UP)

    def authorization(self, response: Response, method: str) -> tuple[str, str] | None:
        """The header that answers this challenge, if it comes from one of the trunk's own addresses."""
        proof = self._proof
        if proof is None or self.dialog.flow.remote not in {address.host for address in self.addresses}:
            return None
        before = proof.given
        given = proof.answer(response, method, self.dialog.target, self.stack.turn.draw())
        if self._invite is not None and method != "INVITE":
            # The ACK of the INVITE has what that was given, not what went with a request in between.
            proof.given = before
        return given

    def belongs(self, request: Request) -> bool:
        """Before the answer, each early dialog of the INVITE counts."""
        if super().belongs(request):
            return True
        early = None if self.early is None else self.early.dialog_of(request.from_tag)
        return early is not None and request.call_id == early.call_id

    def dialog_of(self, request: Request) -> Dialog:
        """The early dialog that a request is in, or the one that stays."""
        found = None if self.early is None else self.early.dialog_of(request.from_tag)
        return found or self.dialog

    # What the table's words do.

    def send_invite(self) -> None:
        """Send the INVITE, with credentials if the last one was challenged."""
        if self.early is not None:
            self.early.leave_behind()
            self.early = None
        dialog, stack = self.dialog, self.stack
        place = stack.ways.place(dialog.flow)
        contact = place.secured if dialog.secure else place.contact
        asking = self.timer.asking
        if self._offer is not None or self.call.hears_offers():
            # Without an offer only where the called side's could be answered before it takes the call.
            asking = with_reliable(asking)
        headers = [contact, ALLOW, *asking, *self._headers]
        body = b""
        if self._offer is not None:
            headers += self._offer.headers
            body = self.describe(dialog, self._offer, place)
        if self._proof is not None and self._proof.given is not None:
            headers.append(self._proof.given)
        branch = stack.branch()
        cseq = dialog.next_cseq()
        data = dialog.write("INVITE", cseq, place, branch, headers, body, self._max_forwards)
        if len(data) > _LARGEST_DATAGRAM and self._may_stream():
            self._datagram_flow = dialog.flow
            flow = stack.ways.flow_to(Address("TCP", dialog.flow.remote, dialog.flow.remote_port))
            dialog.flow = flow or dialog.flow
            place = stack.ways.place(dialog.flow)
            headers[0] = contact_of(dialog, place)
            data = dialog.write("INVITE", cseq, place, branch, headers, body, self._max_forwards)
        self._invite = stack.transactions.begin_client("INVITE", branch, data, dialog.flow, self)
        if self._attempts is not None:
            self._attempts.sent()

    def send_elsewhere(self) -> None:
        """Send the same request by another way: all that differs is its branch (RFC 3263 4.3, RFC 3261 18.1.1)."""
        self.dialog.local_cseq -= 1
        self.send_invite()

    def report_progress(self) -> None:
        """Pass on what the called side says of itself; its 100 stays with us."""
        response = self.response
        assert response is not None
        if response.status > 100:
            content, headers = content_of(response), crossing(response, "1xx")
            due = None if self.early is None else self.early.due
            self.call.leg_progressed(self, Progressed(response.status, response.reason, content, headers, due))

    def take_answer(self) -> None:
        """Make the dialog of the 2xx ours (12.1.2)."""
        response = self.response
        assert response is not None
        if self.early is not None:
            self.dialog = self.early.dialog_of(response.to_tag) or self.dialog
        complete(self.dialog, response, self.dialog.flow, self.stack.ways)
        if self._offer is None and not (self.early is not None and self.early.settled(self.dialog)):
            # The called side made the offer: should the caller leave now, its ACK refuses it (13.2.2.4).
            content = content_of(response)
            if content is not None and content.around is not None:
                self._ack_content = refusal_of(content)
        self._settle()
        if self.state is LegState.ANSWERED:
            self.stack.refreshing.answered(self, response)
            self.cause, self.reason = 200, "OK"
            self.answered_at = self.stack.turn.wall
            self._offer = None
            self._headers = ()

    def report_answer(self) -> None:
        """The called side took the call."""
        response = self.response
        assert response is not None
        content = content_of(response)
        if self.early is not None and self.early.settled(self.dialog):
            # What was agreed reliably holds, whatever the 2xx says or leaves out (RFC 3261 13.2.1).
            content = self.early.said(self.dialog)
        self.call.leg_answered(self, Answered(content, crossing(response, "2xx")))

    def report_rejection(self) -> None:
        """The called side did not take the call."""
        response = self.response
        assert response is not None
        self.cause, self.reason = response.status, response.reason
        contacts: tuple[str, ...] = ()
        if 300 <= response.status < 400 and isinstance(response.contacts, list):
            best_first = sorted(response.contacts, key=lambda c: -float(c.param("q") or 1))
            contacts = tuple(str(contact.uri) for contact in best_first)
        headers = crossing(response, "3xx-6xx")
        status, reason = response.status, response.reason
        if status == TOO_SMALL:
            # What was too small is between that side and us.
            status, reason = 500, ""
        self.call.leg_rejected(self, Rejected(status, reason, headers, contacts))

    def report_unreachable(self) -> None:
        """There is no way to the called side."""
        self.call.leg_rejected(self, Rejected(self.cause, self.reason, reached=False))

    def send_cancel(self) -> None:
        """Ask the called side to stop; should it never say so, stop waiting after 64*T1 (9.1)."""
        invite, turn = self._invite, self.stack.turn
        assert invite is not None
        self.stack.transactions.begin_client("CANCEL", invite.branch, cancellation(invite.request), invite.flow, None)
        self._timer = turn.after(64 * turn.settings.timers.t1, self, "give up")

    def drop_invite(self) -> None:
        """No final response came to an INVITE that was cancelled."""
        if self._invite is not None:
            self._invite.drop()

    def send_ack(self) -> None:
        """Acknowledge the 2xx; its transaction repeats the ACK whenever the 2xx is repeated (13.2.2.4)."""
        invite, dialog, stack = self._invite, self.dialog, self.stack
        assert invite is not None
        content = self._ack_content
        place = stack.ways.place(dialog.flow)
        headers: tuple[tuple[str, str], ...] = ()
        body = b""
        if content is not None:
            headers = content.headers
            body = self.describe(dialog, content, place)
        if self._proof is not None and self._proof.given is not None:
            # The ACK carries what its INVITE carried (RFC 3261 13.2.2.4).
            headers = (*headers, self._proof.given)
            self._proof.accepted()
        cseq = dialog.local_cseq
        if self.early is not None:
            cseq, self.early = self.early.cseq, None
        data = dialog.write("ACK", cseq, place, stack.branch(), headers, body)
        invite.acknowledged(dialog.remote_tag, data, dialog.flow)
        invite.user = None
        self._invite = None
        self._ack_content = None

    def finish(self) -> None:
        """Let go of what the INVITE needed."""
        self._settle()
        if self._invite is not None:
            self._invite.user = None
            self._invite = None
            self.early = None
        self._offer = None
        super().finish()

    def _succeeded(self, transaction: ClientTransaction, response: Response) -> None:
        if self.dialog.remote_tag and response.to_tag != self.dialog.remote_tag:
            end_fork(self.stack, response, transaction)
        else:
            self.step(LegEvent.ANSWERED)

    def _asks_for_more(self, response: Response) -> bool:
        """Whether a longer session interval may do (RFC 4028 7.3); a peer that goes on raising it is given up."""
        return self.dialog.local_cseq < _MOST_INVITES and self.stack.refreshing.raised(self, response)

    def _counts(self, response: Response) -> bool:
        """Whether a provisional response that may be reliable is the next one (RFC 3262 section 4)."""
        if self._offer is None and not self.call.hears_offers():
            # Our INVITE did not say that we speak 100rel.
            return True
        if self.early is None:
            self.early = CalledEarlies(self, self.dialog.local_cseq)
        if self._proof is not None:
            self._proof.accepted()
        return self.early.take(response, self._offer is None)

    def _may_stream(self) -> bool:
        flow = self.dialog.flow
        unbound = not self.dialog.pinned and not self._streams_refused
        named = self.destination.hop.transport is not None
        return unbound and not named and flow.transport == "UDP" and self.stack.ways.has("TCP", flow.remote)

    def _set_out(self, flow: Flow | None) -> None:
        if flow is not None:
            self.dialog.flow = flow
            self.step(LegEvent.RESOLVED)
        else:
            self._fail(f"none of our sockets can reach {self.destination.hop.uri.host}")

    def _go_elsewhere(self, why: str, seconds: float | None = None) -> bool:
        """The target at work failed: try the next one, unless the call is under way there, or not wanted any more.

        A 100 before a 503 says nothing of the call, a lost connection after one might leave it behind.
        """
        attempts = self._attempts
        if attempts is None:
            return False
        attempts.failed(why, seconds)
        waiting = self.state is LegState.CALLING
        refused = self.state is LegState.PROCEEDING and self.response is not None and not self.rang
        flow = attempts.elsewhere() if waiting or refused else None
        if flow is None:
            return False
        self.dialog.flow = flow
        if self._proof is not None:
            self._proof.move()
        self._datagram_flow = None
        self._streams_refused = False
        return self.step(LegEvent.ELSEWHERE)

    def _aim(self, destination: Destination) -> None:
        dialog = self.dialog
        self.destination = destination
        dialog.flow = destination.flow or _NOWHERE
        dialog.pinned = destination.flow is not None
        dialog.routes = destination.routes
        dialog.target = destination.uri
        dialog.secure = destination.uri.startswith("sips:")
        if destination.routes:
            self.seen_at = destination.source

    def _by_another_flow(self, status: int = 0) -> bool:
        """Whether the phone has another flow, by which the INVITE goes now (RFC 5626 5.3)."""
        if status == 430:
            self.stack.flow_gone(self.destination)
        spare = self.destination.spare
        if spare is None or self.state not in _UNDECIDED:
            return False
        self._aim(spare)
        self._settle()
        return self.step(LegEvent.ANOTHER_FLOW)

    def _fail(self, reason: str) -> None:
        self.cause, self.reason = 503, reason
        self.step(LegEvent.UNRESOLVED)

    def _settle(self) -> None:
        """Nothing of the set-up is waited for any more."""
        if self._attempts is not None:
            self._attempts.close()
            self._attempts = None
        if self._timer is not None:
            self.stack.turn.timers.cancel(self._timer)
            self._timer = None


_NOWHERE = Flow("UDP", "", 0, "", 0)
# RFC 5626 5.3: what says that a flow has failed, where it is a response.
_FLOW_FAILED = (408, 430)
_SILENT = "no response"
_CUT_OFF = "the next hop cannot be reached"
_UNDECIDED = (LegState.CALLING, LegState.PROCEEDING)

OutgoingLeg.table = compiled(OutgoingLeg, OUTGOING, LegState, REACHING)
