"""A re-INVITE of our own that tells one party of another, to whom it shall talk from now on (RFC 3725 section 4).

Owns when it has its turn, and what its answer means. Leaves when it is wanted and what follows to `transfer`, trying
again to `retried_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from b2bua.call.events import Content
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.retried_request import RetriedRequest
from b2bua.call.tables import ExchangeEvent, ExchangeState
from b2bua.call.transfer_tables import JOINING
from b2bua.call.undertaking import REACHING, Compiled
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.talk import Talk

_MOST_TRIES: Final = 5


class JoiningUser(Protocol):
    """Whoever wants two parties to talk."""

    def agreed(self, leg: Leg, answer: Content) -> None:
        """The party takes the other's description, and this is its own."""

    def declined(self, leg: Leg, status: int, reason: str) -> None:
        """The party stays with whom it talked to."""


class Joining(RetriedRequest):
    """`asked` is the leg whose peer is told what `content` says of another."""

    __slots__ = ("_user",)

    def __init__(self, talk: Talk, asked: Leg, content: Content, user: JoiningUser) -> None:
        super().__init__(talk, asked, content, _TABLE, offers=True, most_tries=_MOST_TRIES)
        self._user = user

    def start(self) -> None:
        """Send it."""
        self.step(ExchangeEvent.AGAIN)

    def take_turn(self) -> None:
        """Send it as soon as no other offer is open."""
        if self.talk.is_open(self.asked):
            self.wait()
        else:
            self.step(ExchangeEvent.AGAIN)

    # What the table's words do.

    def report_answer(self) -> None:
        """The peer takes it, if it says what of itself is to be told to the other."""
        assert self._response is not None
        self.offers = False
        answer = content_of(self._response)
        if answer is None or answer.around is None:
            self._user.declined(self.asked, 488, "no session description came")
        else:
            self._user.agreed(self.asked, answer)

    def report_rejection(self) -> None:
        """The peer does not take it."""
        response = self._response
        assert response is not None
        if response.status in DIALOG_GONE:
            self.asked.lose()
        else:
            self._user.declined(self.asked, response.status, response.reason)

    def report_lost(self) -> None:
        """The leg's dialog is gone."""
        self.asked.lose()


_TABLE: Final[Compiled] = compiled(Joining, JOINING, ExchangeState, REACHING)
