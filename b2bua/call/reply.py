"""An offer inside a call that we answer ourselves (RFC 3261 section 14.2, RFC 3311).

Owns our 2xx, its repetition and its ACK. Leaves to `talk` which offers these are, and what follows from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.events import Content
from b2bua.call.headers import content_of
from b2bua.call.leg import ALLOW, Leg, contact_of
from b2bua.call.repetition import Repetition
from b2bua.call.tables import OWN_ANSWER, ExchangeEvent, ExchangeState
from b2bua.call.undertaking import REACHING, Compiled, Undertaking
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.tables import Event, compiled

if TYPE_CHECKING:
    from b2bua.call.talk import Talk


class Reply(Undertaking):
    """`near` sent the offer, or a re-INVITE without one: then ours is in the 2xx, and the ACK answers it."""

    __slots__ = (
        "_cseq",
        "_method",
        "_offered",
        "_repetition",
        "_server",
        "_timer",
        "asked",
        "message",
        "near",
    )

    def __init__(self, talk: Talk, near: Leg, request: Request, server: ServerTransaction) -> None:
        super().__init__(talk, near, _TABLE, ExchangeState.ANSWERED, offers=True)
        self.near = near
        self.asked: Leg | None = None
        self._method = request.method
        self._cseq = request.cseq.number
        self.message: Request | None = None
        self._server = server
        self._offered = content_of(request)
        self._repetition: Repetition | None = None
        self._timer = near.stack.refreshing.offered(near, request)
        server.user = self

    def start(self, description: Content) -> None:
        """Answer; of an offer in the request, both sides' descriptions hold from now on."""
        near = self.near
        dialog = near.dialog
        place = near.stack.ways.place(dialog.flow)
        body = near.describe(dialog, description, place)
        timer = near.stack.refreshing.accepted(near, self._timer)
        headers = (contact_of(dialog, place), ALLOW, *timer, *description.headers)
        self._server.respond(200, dialog.local_tag, headers, body)
        if self._method == "INVITE":
            self._repetition = Repetition(near.stack.turn, self)
        if self._offered is not None and not description.told:
            self.talk.settled(near, self._offered, None, None)
        if self._method != "INVITE":
            self.finish()

    def acknowledged(self, request: Request) -> bool:
        """An ACK came: whether it was of our 2xx."""
        if self._method != "INVITE" or request.cseq.number != self._cseq:
            return False
        self.message = request
        self.step(ExchangeEvent.ACKNOWLEDGED)
        return True

    def forget(self) -> None:
        """What comes now is nobody's."""
        self.stop_timers()
        self._server.user = None

    def cancelled(self) -> None:
        """A CANCEL for what is answered already changes nothing (RFC 3261 9.2)."""

    def reply_failed(self, transaction: ServerTransaction) -> None:
        """The leg cannot be told: it repeats its request, or gives up."""

    def timer_fired(self, name: str) -> None:
        """It is time to repeat the 2xx, or to give up."""
        self.step(ExchangeEvent.REPEAT if name == "repeat" else ExchangeEvent.UNACKNOWLEDGED)

    # What the table's words do.

    def repeat_answer(self) -> None:
        """Send the 2xx once more."""
        self._server.step(Event.SUCCESS)
        assert self._repetition is not None
        self._repetition.again()

    def stop_timers(self) -> None:
        """Stop repeating."""
        if self._repetition is not None:
            self._repetition.stop()
            self._repetition = None

    def take_answer(self) -> None:
        """Of an offer of ours, the ACK has the answer."""
        if self._offered is None and self.message is not None:
            self.talk.settled(self.near, content_of(self.message), None, None)

    def report_lost(self) -> None:
        """The leg never acknowledged."""
        self.near.lose()

    def finish(self) -> None:
        """Be gone."""
        self.message = None
        self.talk.over(self)


_TABLE: Final[Compiled] = compiled(Reply, OWN_ANSWER, ExchangeState, REACHING)
