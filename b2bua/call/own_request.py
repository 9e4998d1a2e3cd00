"""What requests of our own inside a call have in common (RFC 3261 section 14, RFC 3311).

Owns sending one, again with proof or a longer session interval where the peer asks for that, and the ACK of its 2xx.
Leaves what it is for to `invitation`, `refresh`, `joining` and `soliciting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.call.events import Content
from b2bua.call.leg import TOO_SMALL, Leg
from b2bua.call.tables import ExchangeEvent, ExchangeState
from b2bua.call.undertaking import Compiled, Undertaking
from b2bua.sip.message import Request, Response
from b2bua.transaction.client import ClientTransaction

if TYPE_CHECKING:
    from b2bua.call.talk import Talk


class OwnRequest(Undertaking):
    """`asked` is the leg whose peer gets it; with `content` it is a re-INVITE, else mostly an UPDATE."""

    __slots__ = ("_client", "_content", "_cseq", "_proof", "_raised", "_response", "asked", "near")

    def __init__(
        self, talk: Talk, asked: Leg, content: Content | None, table: Compiled, state: ExchangeState, offers: bool
    ) -> None:
        super().__init__(talk, asked, table, state, offers)
        self.near: Leg | None = None
        self.asked = asked
        self._content = content
        self._response: Response | None = None
        self._proof: tuple[str, str] | None = None
        self._raised = False
        self._client: ClientTransaction | None = None
        self._cseq = 0

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """The peer answered."""
        if response.status < 200:
            return
        if response.status in (401, 407) and self._proof is None:
            self._proof = self.asked.authorization(response, transaction.method)
            if self._proof is not None:
                self.send()
                return
        if response.status == TOO_SMALL and not self._raised:
            self._raised = self.asked.stack.refreshing.raised(self.asked, response)
            if self._raised:
                self.send()
                return
        self._response = response
        self.step(self.event_of(response))

    def event_of(self, response: Response) -> ExchangeEvent:
        """What this final response is in the table."""
        return ExchangeEvent.ANSWERED if response.status < 300 else ExchangeEvent.REJECTED

    def acknowledged(self, request: Request) -> bool:
        """No ACK comes for what we asked."""
        return False

    def forget(self) -> None:
        """What comes now is nobody's."""
        if self._client is not None:
            self._client.user = None

    @property
    def method(self) -> str:
        """What is sent."""
        return "UPDATE" if self._content is None else "INVITE"

    # What the tables' words do.

    def send(self) -> None:
        """Send it."""
        self.forget()
        headers = () if self._proof is None else (self._proof,)
        self._client = self.asked.request(self.method, self, headers, self._content)
        self._cseq = self.asked.dialog.local_cseq

    def confirm(self) -> None:
        """Take what the 2xx says of the peer, and acknowledge that of a re-INVITE."""
        self.take_success()
        if self._content is not None:
            self.acknowledge(None)

    def take_success(self) -> None:
        """Take what the 2xx says of the peer."""
        asked = self.asked
        dialog, stack = asked.dialog, asked.stack
        assert self._response is not None
        dialog.retarget(self._response, dialog.flow, stack.ways)
        if asked.confirmed:
            stack.refreshing.answered(asked, self._response)

    def acknowledge(self, answer: Content | None) -> None:
        """Acknowledge the 2xx of a re-INVITE, with our answer where the peer made the offer."""
        asked, client = self.asked, self._client
        dialog, stack = asked.dialog, asked.stack
        assert client is not None
        place = stack.ways.place(dialog.flow)
        headers: tuple[tuple[str, str], ...] = () if self._proof is None else (self._proof,)
        body = b""
        if answer is not None:
            headers += answer.headers
            body = asked.describe(dialog, answer, place)
        data = dialog.write("ACK", self._cseq, place, stack.branch(), headers, body)
        client.acknowledged(dialog.remote_tag, data, dialog.flow)

    def finish(self) -> None:
        """Be gone."""
        self.forget()
        self.talk.over(self)
