"""The leg of whomever we call: one INVITE and what comes back (RFC 3261 sections 13.2 and 9.1).

Owns the INVITE itself, answering a trunk's challenge (22.2), CANCEL, the ACK of a 2xx, and ending forks that nobody
wants. Leaves finding the next hop to `b2bua.names`, which of its targets has its turn to `attempts`, and by which
way the INVITE goes to `course`.
"""

from __future__ import annotations

from typing import Final

from b2bua.call.attempts import Attempts, retry_after
from b2bua.call.course import UNDECIDED, by_another_flow, by_stream, set_out, silent, to_next_target, undelivered
from b2bua.call.early import CalledEarlies, counts
from b2bua.call.events import Answered, Content, Progressed, Rejected, refusal_of
from b2bua.call.forks import end_fork
from b2bua.call.headers import content_of, crossing
from b2bua.call.leg import ALLOW, REACHING, TOO_SMALL, Leg, LegUser, Stack, contact_of
from b2bua.call.proof import Proof
from b2bua.call.rejection import rejection_of
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
_LARGEST_DATAGRAM: Final = 1300
_MOST_INVITES: Final = 20


class OutgoingLeg(Leg):
    """A called side of a call. `rang` is whether any 18x came; `response` is the INVITE's while it is at work.

    `invite` is the INVITE's transaction until its ACK, and `offer` what it offers; `attempts` are the targets of a name
    that was looked up; `proof` answers a trunk's challenges. `datagram_flow` is what the INVITE had gone by, had it not
    been too large; `streams_refused` whether no stream was taken for that.
    """

    __slots__ = (
        "_ack_content",
        "_headers",
        "_max_forwards",
        "_timer",
        "addresses",
        "attempts",
        "datagram_flow",
        "destination",
        "early",
        "invite",
        "offer",
        "proof",
        "rang",
        "response",
        "streams_refused",
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
        self.aim(destination)
        self.rang = False
        self.witness: Witness | None = None
        self.response: Response | None = None
        self.early: CalledEarlies | None = None
        self.addresses: tuple[Address, ...] = ()
        self.offer = offer
        self._headers = headers
        self._max_forwards = max_forwards
        self.invite: ClientTransaction | None = None
        self._ack_content: Content | None = None
        self.datagram_flow: Flow | None = None
        self.streams_refused = False
        self.attempts: Attempts | None = None
        self._timer: Timer | None = None
        self.proof = Proof(destination.account) if destination.account is not None else None
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
            self.attempts = Attempts(self)
            stack.names.resolve(hop, self)
            return
        self.addresses = (hop.address,)
        set_out(self, stack.ways.flow_to(hop.address))

    def resolved(self, answer: Answer) -> None:
        """The next hop's addresses are known, or will not be."""
        if self.state is not LegState.RESOLVING or self.attempts is None:
            return
        if isinstance(answer, Resolved):
            self.addresses = answer.addresses
            set_out(self, self.attempts.found(answer))
        else:
            self.fail(answer.reason if isinstance(answer, Failed) else "no address")

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
        if self.attempts is not None:
            self.attempts.heard(response)
        if status < 200:
            if "RSeq" in response.headers and not counts(self, response):
                self.response = None
                return
            self.rang = self.rang or status >= 180
            self.step(LegEvent.PROGRESSED)
        elif status < 300:
            self._succeeded(transaction, response)
        elif status in _FLOW_FAILED and by_another_flow(self, status):
            pass
        elif status in (401, 407) and self.state in UNDECIDED and self.authorization(response, "INVITE"):
            self.step(LegEvent.CHALLENGED)
        elif status == TOO_SMALL and self.state in UNDECIDED and self._asks_for_more(response):
            self.step(LegEvent.TOO_BRIEF)
        elif status != 503 or not to_next_target(self, "503", retry_after(response)):
            self.step(LegEvent.REJECTED)
        self.response = None

    def timed_out(self, transaction: ClientTransaction) -> None:
        """Nothing came back from where our INVITE, or our BYE, went."""
        if transaction.method != "INVITE":
            super().timed_out(transaction)
        else:
            silent(self)

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """Our INVITE, or our BYE, could not be delivered."""
        if transaction.method != "INVITE":
            super().transport_failed(transaction)
        else:
            undelivered(self)

    def timer_fired(self, name: str) -> None:
        """A cancelled INVITE never got its final response (9.1)."""
        self.step(LegEvent.GIVE_UP)

    def authorization(self, response: Response, method: str) -> tuple[str, str] | None:
        """The header that answers this challenge, if it comes from one of the trunk's own addresses."""
        proof = self.proof
        if proof is None or self.dialog.flow.remote not in {address.host for address in self.addresses}:
            return None
        before = proof.given
        given = proof.answer(response, method, self.dialog.target, self.stack.turn.draw())
        if self.invite is not None and method != "INVITE":
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
        if self.offer is not None or self.call.hears_offers():
            # Without an offer only where the called side's could be answered before it takes the call.
            asking = with_reliable(asking)
        headers = [contact, ALLOW, *asking, *self._headers]
        body = b""
        if self.offer is not None:
            headers += self.offer.headers
            body = self.describe(dialog, self.offer, place)
        if self.proof is not None and self.proof.given is not None:
            headers.append(self.proof.given)
        branch = stack.branch()
        cseq = dialog.next_cseq()
        data = dialog.write("INVITE", cseq, place, branch, headers, body, self._max_forwards)
        if len(data) > _LARGEST_DATAGRAM and by_stream(self):
            place = stack.ways.place(dialog.flow)
            headers[0] = contact_of(dialog, place)
            data = dialog.write("INVITE", cseq, place, branch, headers, body, self._max_forwards)
        self.invite = stack.transactions.begin_client("INVITE", branch, data, dialog.flow, self)
        if self.attempts is not None:
            self.attempts.sent()

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
        if self.offer is None and not (self.early is not None and self.early.settled(self.dialog)):
            # The called side made the offer: should the caller leave now, its ACK refuses it (13.2.2.4).
            content = content_of(response)
            if content is not None and content.around is not None:
                self._ack_content = refusal_of(content)
        self.settle()
        if self.state is LegState.ANSWERED:
            self.stack.refreshing.answered(self, response)
            self.cause, self.reason = 200, "OK"
            self.answered_at = self.stack.turn.wall
            self.offer = None
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
        self.call.leg_rejected(self, rejection_of(response))

    def report_unreachable(self) -> None:
        """There is no way to the called side."""
        self.call.leg_rejected(self, Rejected(self.cause, self.reason, reached=False))

    def send_cancel(self) -> None:
        """Ask the called side to stop; should it never say so, stop waiting after 64*T1 (9.1)."""
        invite, turn = self.invite, self.stack.turn
        assert invite is not None
        self.stack.transactions.begin_client("CANCEL", invite.branch, cancellation(invite.request), invite.flow, None)
        self._timer = turn.after(64 * turn.settings.timers.t1, self, "give up")

    def drop_invite(self) -> None:
        """No final response came to an INVITE that was cancelled."""
        if self.invite is not None:
            self.invite.drop()

    def send_ack(self) -> None:
        """Acknowledge the 2xx; its transaction repeats the ACK whenever the 2xx is repeated (13.2.2.4)."""
        invite, dialog, stack = self.invite, self.dialog, self.stack
        assert invite is not None
        content = self._ack_content
        place = stack.ways.place(dialog.flow)
        headers: tuple[tuple[str, str], ...] = ()
        body = b""
        if content is not None:
            headers = content.headers
            body = self.describe(dialog, content, place)
        if self.proof is not None and self.proof.given is not None:
            # The ACK carries what its INVITE carried (RFC 3261 13.2.2.4).
            headers = (*headers, self.proof.given)
            self.proof.accepted()
        cseq = dialog.local_cseq
        if self.early is not None:
            cseq, self.early = self.early.cseq, None
        data = dialog.write("ACK", cseq, place, stack.branch(), headers, body)
        invite.acknowledged(dialog.remote_tag, data, dialog.flow)
        invite.user = None
        self.invite = None
        self._ack_content = None

    def finish(self) -> None:
        """Let go of what the INVITE needed."""
        self.settle()
        if self.invite is not None:
            self.invite.user = None
            self.invite = None
            self.early = None
        self.offer = None
        super().finish()

    def _succeeded(self, transaction: ClientTransaction, response: Response) -> None:
        if self.dialog.remote_tag and response.to_tag != self.dialog.remote_tag:
            end_fork(self.stack, response, transaction)
        else:
            self.step(LegEvent.ANSWERED)

    def _asks_for_more(self, response: Response) -> bool:
        """Whether a longer session interval may do (RFC 4028 7.3); a peer that goes on raising it is given up."""
        return self.dialog.local_cseq < _MOST_INVITES and self.stack.refreshing.raised(self, response)

    def aim(self, destination: Destination) -> None:
        """Have the INVITE go there."""
        dialog = self.dialog
        self.destination = destination
        dialog.flow = destination.flow or _NOWHERE
        dialog.pinned = destination.flow is not None
        dialog.routes = destination.routes
        dialog.target = destination.uri
        dialog.secure = destination.uri.startswith("sips:")
        if destination.routes:
            self.seen_at = destination.source

    def fail(self, reason: str) -> None:
        """There is no way to the called side, for this reason."""
        self.cause, self.reason = 503, reason
        self.step(LegEvent.UNRESOLVED)

    def settle(self) -> None:
        """Nothing of the set-up is waited for any more."""
        if self.attempts is not None:
            self.attempts.close()
            self.attempts = None
        if self._timer is not None:
            self.stack.turn.timers.cancel(self._timer)
            self._timer = None


_NOWHERE: Final = Flow("UDP", "", 0, "", 0)
# RFC 5626 5.3: what says that a flow has failed, where it is a response.
_FLOW_FAILED: Final = (408, 430)

OutgoingLeg.table = compiled(OutgoingLeg, OUTGOING, LegState, REACHING)
