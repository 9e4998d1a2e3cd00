"""A re-INVITE of our own: music for a party whose media otherwise passes by us (RFC 5359 section 2.3).

Owns the request, its answer and its ACK. Leaves to `talk` when one is sent and what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.call.events import Content
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.tables import OWN_OFFER, ExchangeEvent, ExchangeState
from b2bua.call.undertaking import REACHING, Compiled, Undertaking
from b2bua.sip.message import Request, Response
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.talk import Talk


class Invitation(Undertaking):
    """`asked` is the leg that shall hear music."""

    __slots__ = ("_client", "_cseq", "_offer", "_proof", "_response", "asked", "near")

    def __init__(self, talk: Talk, asked: Leg, offer: Content) -> None:
        super().__init__(talk, asked, _TABLE, ExchangeState.PASSED, offers=True)
        self.near: Leg | None = None
        self.asked = asked
        self._offer = offer
        self._response: Response | None = None
        self._proof: tuple[str, str] | None = None
        self._client = asked.request("INVITE", self, (), offer)
        self._cseq = asked.dialog.local_cseq

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """The leg answered."""
        if response.status < 200:
            return
        if response.status in (401, 407) and self._proof is None:
            self._proof = self.asked.authorization(response, "INVITE")
            if self._proof is not None:
                self._client.user = None
                self._client = self.asked.request("INVITE", self, (self._proof,), self._offer)
                self._cseq = self.asked.dialog.local_cseq
                return
        self._response = response
        self.step(ExchangeEvent.ANSWERED if response.status < 300 else ExchangeEvent.REJECTED)

    def acknowledged(self, request: Request) -> bool:
        """No ACK comes for what we asked."""
        return False

    def forget(self) -> None:
        """What comes now is nobody's."""
        self._client.user = None

    # What the table's words do.

    def send_ack(self) -> None:
        """Acknowledge the 2xx."""
        dialog, stack = self.asked.dialog, self.asked.stack
        if self._response is not None:
            dialog.retarget(self._response, dialog.flow, stack.ways)
        place = stack.ways.place(dialog.flow)
        headers = () if self._proof is None else (self._proof,)
        data = dialog.write("ACK", self._cseq, place, stack.branch(), headers)
        self._client.acknowledged(dialog.remote_tag, data, dialog.flow)

    def report_answer(self) -> None:
        """Both descriptions hold."""
        assert self._response is not None
        self.talk.settled(None, None, self.asked, content_of(self._response))

    def report_rejection(self) -> None:
        """The party stays without music."""
        assert self._response is not None
        self.talk.declined(self.asked, self._response.status)
        if self._response.status in DIALOG_GONE:
            self.asked.lose()

    def report_lost(self) -> None:
        """The leg's dialog is gone."""
        self.asked.lose()

    def finish(self) -> None:
        """Be gone."""
        self._client.user = None
        self.talk.over(self)


_TABLE: Compiled = compiled(Invitation, OWN_OFFER, ExchangeState, REACHING)
