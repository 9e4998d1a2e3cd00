"""A re-INVITE of our own without an offer: a party is asked what it can do, for another to answer (RFC 3725 section 4).

Owns when it has its turn, and that its 2xx is acknowledged with an answer, whatever comes. Leaves whose answer that is
to `attended`, trying again to `retried_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from b2bua.call.events import Content, refusal_of
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.retried_request import RetriedRequest
from b2bua.call.tables import ExchangeEvent, ExchangeState
from b2bua.call.transfer_tables import SOLICITING
from b2bua.call.undertaking import REACHING, Compiled
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.talk import Talk

_MOST_TRIES: Final = 5


class SolicitingUser(Protocol):
    """Whoever wants an offer."""

    def offered(self, leg: Leg, offer: Content) -> None:
        """The party has made this offer, and waits for `Soliciting.answer`."""

    def made_none(self, leg: Leg, status: int, reason: str) -> None:
        """The party makes none."""


class Soliciting(RetriedRequest):
    """`asked` is the leg whose peer is to make an offer."""

    __slots__ = ("_answer", "_user")

    def __init__(self, talk: Talk, asked: Leg, user: SolicitingUser) -> None:
        super().__init__(talk, asked, None, _TABLE, offers=True, most_tries=_MOST_TRIES)
        self._user = user
        self._answer: Content | None = None

    @property
    def method(self) -> str:
        """What is sent."""
        return "INVITE"

    def start(self) -> None:
        """Send it."""
        self.step(ExchangeEvent.AGAIN)

    def take_turn(self) -> None:
        """Send it as soon as no other offer is open."""
        if self.talk.is_open(self.asked):
            self.wait()
        else:
            self.step(ExchangeEvent.AGAIN)

    def answer(self, answer: Content) -> None:
        """Answer the offer."""
        self._answer = answer
        self.step(ExchangeEvent.ACKNOWLEDGED)

    # What the table's words do.

    def report_offer(self) -> None:
        """The peer has made its offer."""
        offer = self._offer
        if offer is None:
            self.step(ExchangeEvent.ACKNOWLEDGED)
            self._user.made_none(self.asked, 488, "no session description came")
        else:
            self._user.offered(self.asked, offer)

    def report_rejection(self) -> None:
        """The peer makes none."""
        response = self._response
        assert response is not None
        if response.status in DIALOG_GONE:
            self.asked.lose()
        else:
            self._user.made_none(self.asked, response.status, response.reason)

    def report_lost(self) -> None:
        """The leg's dialog is gone."""
        self.asked.lose()

    def send_ack(self) -> None:
        """Give the peer the answer."""
        self.acknowledge(self._answer)

    def send_refusal(self) -> None:
        """Nobody answers: the peer is to speak to nobody."""
        offer = self._offer
        self.acknowledge(None if offer is None else refusal_of(offer))

    @property
    def _offer(self) -> Content | None:
        assert self._response is not None
        content = content_of(self._response)
        return content if content is not None and content.around is not None else None


_TABLE: Final[Compiled] = compiled(Soliciting, SOLICITING, ExchangeState, REACHING)
