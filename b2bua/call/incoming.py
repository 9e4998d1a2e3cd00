"""The leg of whoever called us: responses to an INVITE (RFC 3261 section 13.3).

Owns what the caller hears before the answer, and repeating the 2xx until its ACK. Each called leg whose session
description reaches the caller has an early dialog of its own here, so that an answer never changes within one.
"""

from __future__ import annotations

from typing import Final

from b2bua.call.events import Answered, Progressed, Rejected
from b2bua.call.headers import content_of
from b2bua.call.leg import ALLOW, REACHING, Leg, LegUser, Stack, contact_of
from b2bua.call.provisionals import CallerEarly, Provisionals, is_described, provisionals_of
from b2bua.call.repetition import Repetition
from b2bua.call.tables import INCOMING, LegEvent, LegState
from b2bua.dialog.dialog import Dialog, dialog_of_request
from b2bua.effects import Flow, Send
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.tables import Event, compiled
from b2bua.transaction.timers import Timer

_KEEP_RINGING: Final = 60.0
# Early dialogs of one call. Whoever makes up more gets none of its own.
_MOST_EARLY: Final = 64


class IncomingLeg(Leg):
    """The caller's side of a call."""

    __slots__ = (
        "_answer",
        "_bound",
        "_early",
        "_progress",
        "_rejection",
        "_repetition",
        "_ringing",
        "_source",
        "_transaction",
        "provisionals",
    )

    def __init__(
        self, stack: Stack, call: LegUser, request: Request, flow: Flow, transaction: ServerTransaction
    ) -> None:
        tag = stack.turn.draw()
        dialog = dialog_of_request(request, flow, tag, stack.ways, int(tag[:15], 16))
        super().__init__(stack, call, 0, dialog, LegState.INVITED)
        self._transaction = transaction
        transaction.user = self
        transaction.tag = tag
        self.timer = stack.refreshing.invited(request)
        self._bound: str | None = None
        self._early: dict[str, Dialog] | None = None
        self._source: str | None = None
        self._progress: Progressed | None = None
        self._answer: Answered | None = None
        self._rejection: Rejected | None = None
        self._ringing: Timer | None = None
        self._repetition: Repetition | None = None
        self.provisionals: Provisionals | None = None
        if "Supported" in request.headers or "Require" in request.headers:
            self.provisionals = provisionals_of(self, request)

    def progress(self, happening: Progressed, source: str | None) -> None:
        """Pass a provisional response on; `source` names the called dialog that it comes from."""
        self._progress, self._source = happening, source
        if not self.step(LegEvent.PROGRESSED) and happening.due is not None:
            happening.due.acknowledge()

    def answer(self, happening: Answered, source: str) -> None:
        """Take the call on behalf of the called dialog `source`."""
        self._answer, self._source = happening, source
        if self.provisionals is not None and self.provisionals.withholds(self.dialog_for(source)):
            self.step(LegEvent.WITHHOLD)
        else:
            self.step(LegEvent.ANSWERED)

    def proceed(self, early: CallerEarly) -> None:
        """What was sent reliably is acknowledged: go on with what had to wait for that."""
        early.current = None
        if self.state is LegState.WITHHELD:
            self.step(LegEvent.ANSWERED)
        elif self.provisionals is not None:
            self.provisionals.proceed(early)

    def unacknowledged(self) -> None:
        """What was sent reliably is not acknowledged (RFC 3262 section 3)."""
        self.reason = "no PRACK came for our provisional response"
        self.step(LegEvent.UNACKNOWLEDGED)

    def reject(self, happening: Rejected) -> None:
        """Refuse the call."""
        self._rejection = happening
        self.step(LegEvent.REJECTED)

    def cancelled(self) -> None:
        """The caller sent CANCEL: nothing, if the call was answered already (9.2)."""
        self.step(LegEvent.CANCELLED)

    def acknowledged(self, request: Request) -> None:
        """The ACK of our 2xx came."""
        self.message = request
        self.step(LegEvent.ACKNOWLEDGED)
        self.message = None

    def abolish(self) -> None:
        """Leave everything, whatever the state."""
        self.stop_repeating()
        self._settle(self.dialog)
        self._transaction.drop()
        super().abolish()

    def reply_failed(self, transaction: ServerTransaction) -> None:
        """A response to the INVITE could not be delivered: the caller is gone."""
        self.reason = "the caller cannot be reached"
        self.step(LegEvent.LOST)

    def timer_fired(self, name: str) -> None:
        """One of this leg's timers is due."""
        if name == "ringing":
            if self.provisionals is None:
                self._transaction.step(Event.REQUEST)
                self._ringing = self.stack.turn.after(_KEEP_RINGING, self, "ringing")
            else:
                self.send_provisional()
        else:
            self.step(LegEvent.REPEAT if name == "repeat" else LegEvent.UNACKNOWLEDGED)

    # What the table's words do.

    def send_provisional(self) -> None:
        """Send 1xx, and send it again each minute, so that no proxy on the way gives up (13.3.1.1)."""
        progress = self._progress
        assert progress is not None
        content, stack, dialog = progress.content, self.stack, self.dialog
        if self.provisionals is None or not self.provisionals.send(progress, self._source):
            place = stack.ways.place(dialog.flow)
            headers = [place.secured if dialog.secure else place.contact, *progress.headers]
            body = b""
            if content is not None:
                dialog = self.dialog_for(self._source)
                headers += content.headers
                body = self.describe(dialog, content, place)
            self._transaction.respond(progress.status, dialog.local_tag, headers, body, progress.reason)
            if progress.due is not None:
                progress.due.acknowledge()
        if self._ringing is not None:
            stack.turn.timers.cancel(self._ringing)
        self._ringing = stack.turn.after(_KEEP_RINGING, self, "ringing")

    def send_reliably(self, progress: Progressed, early: CallerEarly) -> Send:
        """Send 1xx in an early dialog where it is to be acknowledged. Gives what was sent."""
        content, stack, dialog = progress.content, self.stack, early.dialog
        place = stack.ways.place(dialog.flow)
        rseq = ("RSeq", str(early.sender.next_rseq()))
        headers = [contact_of(dialog, place), ALLOW, _REQUIRE_RELIABLE, rseq, *progress.headers]
        body = b""
        if early.settled and is_described(content):
            # Its answer is there; and nothing that could be taken for another offer is to come.
            content = None
        if content is not None:
            headers += content.headers
            body = self.describe(dialog, content, place)
            early.told = content
        self._transaction.respond(progress.status, dialog.local_tag, headers, body, progress.reason)
        return Send(self._transaction.response, self._transaction.flow)

    def send_answer(self) -> None:
        """Send 200; from here on the dialog is the one of the leg that answered."""
        answer = self._answer
        assert answer is not None
        self._settle(self.dialog_for(self._source))
        content, stack, dialog = answer.content, self.stack, self.dialog
        if self.provisionals is not None:
            content = self.provisionals.left_to_say(dialog, content)
        place = stack.ways.place(dialog.flow)
        timer = self.timer
        if not timer.is_lasting:
            stack.refreshing.begin(self)
        contact = place.secured if dialog.secure else place.contact
        headers = [contact, ALLOW, *timer.telling, *answer.headers]
        body = b""
        if content is not None:
            headers += content.headers
            body = self.describe(dialog, content, place)
        self.cause, self.reason = 200, "OK"
        self.answered_at = stack.turn.wall
        self._transaction.respond(200, dialog.local_tag, headers, body)
        self._answer = None

    def start_repeating(self) -> None:
        """Repeat the 200 from T1 up to every T2, on streams too, for 64*T1 (13.3.1.4)."""
        self._repetition = Repetition(self.stack.turn, self)

    def repeat_answer(self) -> None:
        """Send the 200 once more."""
        self._transaction.step(Event.SUCCESS)
        assert self._repetition is not None
        self._repetition.again()

    def stop_repeating(self) -> None:
        """The ACK came, or never will."""
        if self._repetition is not None:
            self._repetition.stop()
            self._repetition = None
        if self.state is LegState.CLOSING:
            self.reason = "no ACK came for our 200"

    def send_rejection(self) -> None:
        """Send the final failure."""
        rejection = self._rejection
        assert rejection is not None
        self._final(rejection.status, rejection.reason, rejection.headers)

    def send_timeout(self) -> None:
        """Give up a caller who does not acknowledge what was sent reliably (RFC 3262 section 3)."""
        self._final(504, "", ())

    def send_unavailable(self) -> None:
        """The called side is gone before its answer could be passed on."""
        self._final(480, "", ())

    def send_terminated(self) -> None:
        """Answer the INVITE of a caller who left (9.2, 15.1.2)."""
        self._final(487, "", ())

    def report_left(self) -> None:
        """Tell the call that nobody waits any more."""
        self._settle(self.dialog)
        self.cause, self.reason = self.cause or 487, self.reason or "the caller gave up"
        self.call.leg_left()

    def report_acknowledged(self) -> None:
        """Tell the call that the caller has the answer, and pass on its own if the offer was ours."""
        assert self.message is not None
        self.call.leg_confirmed(content_of(self.message))

    def _final(self, status: int, reason: str, headers: tuple[tuple[str, str], ...]) -> None:
        self._settle(self.dialog)
        self.cause, self.reason = status, self.reason or reason
        self._transaction.respond(status, self.dialog.local_tag, headers, b"", reason)

    def dialog_of(self, request: Request) -> Dialog:
        """The early dialog that a request is in, or the one that stays."""
        if self._early is None or request.to_tag == self.dialog.local_tag:
            return self.dialog
        return next(dialog for dialog in self._early.values() if dialog.local_tag == request.to_tag)

    def dialog_for(self, source: str | None) -> Dialog:
        """The early dialog for what this called dialog says."""
        if self._bound is None:
            self._bound = source
        if source is None or self._bound == source:
            return self.dialog
        if self._early is None:
            self._early = {}
        dialog = self._early.get(source)
        if dialog is None and len(self._early) >= _MOST_EARLY:
            return self.dialog
        if dialog is None:
            tag = self.stack.turn.draw()
            dialog = self._early[source] = self.dialog.beside(tag, int(tag[:15], 16))
            if self._transaction.merge_key is not None:
                # Requests in one dialog do not count in another: each begins with the INVITE's number (12.1.1).
                dialog.remote_cseq = self._transaction.merge_key[2]
            self.stack.legs[tag] = self
        return dialog

    def _settle(self, dialog: Dialog) -> None:
        """One of the early dialogs is the one that stays: the others are gone (13.3.1.4)."""
        if self._ringing is not None:
            self.stack.turn.timers.cancel(self._ringing)
            self._ringing = None
        self._progress = None
        if self.provisionals is not None:
            self.provisionals.close(dialog)
        if self._early is None:
            return
        legs = self.stack.legs
        for other in (self.dialog, *self._early.values()):
            if other is not dialog:
                legs.pop(other.local_tag, None)
        self.dialog = dialog
        self._early = None


_REQUIRE_RELIABLE: Final = ("Require", "100rel")

IncomingLeg.table = compiled(IncomingLeg, INCOMING, LegState, REACHING)
