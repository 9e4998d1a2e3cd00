"""A request inside a call that is passed from one leg to the other (RFC 3261 section 14, RFC 3311, RFC 6086).

Owns the far leg's transaction, the answer's way back, the ACK of a re-INVITE and its loss. Leaves to the call whether
the request may pass at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.events import Content, refusal_of
from b2bua.call.headers import content_of, crossing, rendering_of
from b2bua.call.leg import ALLOW, DIALOG_GONE, TOO_SMALL, Leg, contact_of
from b2bua.call.repetition import Repetition
from b2bua.call.tables import (
    INVITE_EXCHANGE,
    REQUEST_EXCHANGE,
    ExchangeEvent,
    ExchangeState,
)
from b2bua.call.undertaking import REACHING, Compiled, Undertaking
from b2bua.dialog.session_timer import OFF
from b2bua.sip.message import Request, Response
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.derived import cancellation
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.tables import Event, compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.talk import Talk

_UNDECIDED: Final = (ExchangeState.PASSED, ExchangeState.RINGING)


class Exchange(Undertaking):
    """`near` sent the request, `asked` gets it."""

    __slots__ = (
        "_ack_content",
        "_client",
        "_content",
        "_give_up",
        "_headers",
        "_invite_cseq",
        "_max_forwards",
        "_proof",
        "_raised",
        "_rendering",
        "_repetition",
        "_response",
        "_server",
        "_timer",
        "asked",
        "cseq",
        "method",
        "near",
    )

    def __init__(self, talk: Talk, near: Leg, far: Leg, request: Request, server: ServerTransaction) -> None:
        invite = request.method == "INVITE"
        offers = invite or request.method == "UPDATE"
        super().__init__(talk, near, _INVITE if invite else _REQUEST, ExchangeState.PASSED, offers)
        self.near = near
        self.asked = far
        self.method = request.method
        self.cseq = request.cseq.number
        self._server = server
        server.user = self
        self._repetition: Repetition | None = None
        self._give_up: Timer | None = None
        self._response: Response | None = None
        self._ack_content: Content | None = None
        self._proof: tuple[str, str] | None = None
        self._raised = False
        self._content = content_of(request)
        self._timer = near.stack.refreshing.offered(near, request) if offers else OFF
        self._headers = crossing(request, "re-INVITE" if request.method == "INVITE" else request.method)
        self._rendering = rendering_of(request) if self.offers else None
        forwards = request.max_forwards
        self._max_forwards = 70 if forwards is None else forwards - 1
        self._client = self._passed_on(self._headers)
        self._invite_cseq = far.dialog.local_cseq

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """The far leg answered."""
        if response.status < 200:
            self.step(ExchangeEvent.PROGRESSED)
            return
        if response.status in (401, 407) and self.state in _UNDECIDED:
            self._proof = self.asked.authorization(response, self.method)
            if self._proof is not None:
                self._pass_on_again()
                return
        elif response.status == TOO_SMALL and not self._raised and self.state in _UNDECIDED:
            self._raised = self.asked.stack.refreshing.raised(self.asked, response)
            if self._raised:
                self._pass_on_again()
                return
        self._response = response
        self.step(ExchangeEvent.ANSWERED if response.status < 300 else ExchangeEvent.REJECTED)

    def reply_failed(self, transaction: ServerTransaction) -> None:
        """The near leg cannot be told: its own transaction will time out."""

    def cancelled(self) -> None:
        """The near leg sent CANCEL for its re-INVITE."""
        self.step(ExchangeEvent.CANCELLED)

    def acknowledged(self, request: Request) -> bool:
        """An ACK from the near leg came: whether it was of the 2xx to this re-INVITE."""
        if self.method != "INVITE" or request.cseq.number != self.cseq:
            return False
        self._ack_content = content_of(request)
        self.step(ExchangeEvent.ACKNOWLEDGED)
        return True

    def forget(self) -> None:
        """What comes now is nobody's."""
        self.stop_timers()
        self._client.user = self._server.user = None

    def timer_fired(self, name: str) -> None:
        """One of this exchange's timers is due."""
        self.step(_TIMERS[name])

    def _pass_on_again(self) -> None:
        self._client.user = None
        self._client = self._passed_on(self._headers if self._proof is None else (*self._headers, self._proof))
        self._invite_cseq = self.asked.dialog.local_cseq

    def _passed_on(self, headers: tuple[tuple[str, str], ...]) -> ClientTransaction:
        return self.asked.request(self.method, self, headers, self._content, self._max_forwards, self._rendering)

    # What the tables' words do.

    def pass_answer(self) -> None:
        """Give the near leg the far leg's 2xx."""
        response, near, far = self._response, self.near, self.asked
        assert response is not None
        ways = near.stack.ways
        if self.offers:
            far.dialog.retarget(response, far.dialog.flow, ways)
            far.stack.refreshing.answered(far, response)
        place = ways.place(near.dialog.flow)
        content = content_of(response)
        headers = [*crossing(response, "2xx")]
        if self.offers:
            timer = near.stack.refreshing.accepted(near, self._timer)
            headers = [contact_of(near.dialog, place, rendering_of(response)), ALLOW, *timer, *headers]
        body = b""
        if content is not None:
            headers += content.headers
            body = near.describe(near.dialog, content, place)
        self._server.respond(response.status, near.dialog.local_tag, headers, body)
        if self.offers and self._content is not None:
            self.talk.settled(near, self._content, far, content)

    def pass_rejection(self) -> None:
        """Give the near leg the far leg's refusal: the session stays as it was (RFC 3261 14.1)."""
        response = self._response
        assert response is not None
        if not self._server.answered:
            headers = crossing(response, "3xx-6xx")
            status, reason = (500, "") if response.status == TOO_SMALL else (response.status, response.reason)
            self._server.respond(status, self.near.dialog.local_tag, headers, b"", reason)
        self.refuse()
        if response.status in DIALOG_GONE:
            self.report_far_lost()

    def reject_timeout(self) -> None:
        """Answer for a far leg that is silent."""
        self._server.respond(408, self.near.dialog.local_tag)
        self.refuse()

    def reject_terminated(self) -> None:
        """Answer a request that is not wanted any more, by its sender or because the call ends (15.1.2)."""
        if not self._server.answered:
            self._server.respond(487, self.near.dialog.local_tag)
        self.refuse()

    def send_cancel(self) -> None:
        """Cancel the far leg's re-INVITE, and wait 64*T1 for its end (9.1)."""
        client, stack = self._client, self.asked.stack
        data = cancellation(client.request)
        stack.transactions.begin_client("CANCEL", client.branch, data, client.flow, None)
        self._give_up = stack.turn.after(64 * stack.turn.settings.timers.t1, self, "give up")

    def drop_request(self) -> None:
        """No final response came to a re-INVITE that was cancelled."""
        self._client.drop()

    def start_repeating(self) -> None:
        """Repeat the 2xx until its ACK comes (13.3.1.4)."""
        self._repetition = Repetition(self.near.stack.turn, self)

    def repeat_answer(self) -> None:
        """Send the 2xx once more."""
        self._server.step(Event.SUCCESS)
        assert self._repetition is not None
        self._repetition.again()

    def stop_timers(self) -> None:
        """Stop repeating and waiting."""
        self.near.stack.turn.timers.cancel(self._give_up)
        self._give_up = None
        if self._repetition is not None:
            self._repetition.stop()
            self._repetition = None

    def send_ack(self) -> None:
        """Acknowledge the far leg's 2xx, with what the near leg's ACK said, if it came."""
        dialog, stack, content = self.asked.dialog, self.asked.stack, self._ack_content
        late = content_of(self._response) if self._content is None and self._response is not None else None
        if content is None and late is not None and late.around is not None:
            content = refusal_of(late)
        elif late is not None and content is not None:
            self.talk.weigh(self.near, content, late)
        place = stack.ways.place(dialog.flow)
        headers: tuple[tuple[str, str], ...] = ()
        body = b""
        if content is not None:
            headers = content.headers
            body = self.asked.describe(dialog, content, place)
        if self._proof is not None:
            headers = (*headers, self._proof)
        data = dialog.write("ACK", self._invite_cseq, place, stack.branch(), headers, body)
        self._client.acknowledged(dialog.remote_tag, data, dialog.flow)
        if late is not None and self._ack_content is not None:
            self.talk.settled(self.near, self._ack_content, self.asked, late, late=True)

    def refuse(self) -> None:
        """Nothing was agreed."""
        if self.offers:
            self.talk.refused(self.near, self.asked)

    def report_far_lost(self) -> None:
        """The far leg's dialog is gone."""
        self.asked.lose()

    def report_near_lost(self) -> None:
        """The near leg never acknowledged."""
        self.near.lose()

    def finish(self) -> None:
        """Be gone."""
        self._client.user = None
        self.talk.over(self)


_INVITE: Final[Compiled] = compiled(Exchange, INVITE_EXCHANGE, ExchangeState, REACHING)
_REQUEST: Final[Compiled] = compiled(Exchange, REQUEST_EXCHANGE, ExchangeState, REACHING)
_TIMERS: Final = {
    "repeat": ExchangeEvent.REPEAT,
    "unacknowledged": ExchangeEvent.UNACKNOWLEDGED,
    "give up": ExchangeEvent.GIVE_UP,
}
