"""A re-INVITE of our own that tells one party of another, to whom it shall talk from now on (RFC 3725 section 4).

Owns trying again after glare (RFC 3261 14.1), and what its answer means. Leaves when it is sent and what follows to
`transfer`, the request itself to `own_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from b2bua.call.events import Content
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.own_request import OwnRequest
from b2bua.call.tables import ExchangeEvent, ExchangeState
from b2bua.call.transfer_tables import JOINING
from b2bua.call.undertaking import REACHING, Compiled
from b2bua.sip.message import Response
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.talk import Talk

# RFC 3261 14.1: after glare the owner of the Call-ID waits from 2.1 to 4 seconds, the other up to 2.
_OWNER_WAITS = 2.5
_OTHER_WAITS = 1.0
_MOST_TRIES = 5
_PENDING = 491


class JoiningUser(Protocol):
    """Whoever wants two parties to talk."""

    def agreed(self, leg: Leg, answer: Content) -> None:
        """The party takes the other's description, and this is its own."""

    def declined(self, leg: Leg, status: int, reason: str) -> None:
        """The party stays with whom it talked to."""


class Joining(OwnRequest):
    """`asked` is the leg whose peer is told what `content` says of another."""

    __slots__ = ("_timer", "_tries", "_user")

    def __init__(self, talk: Talk, asked: Leg, content: Content, user: JoiningUser) -> None:
        super().__init__(talk, asked, content, _TABLE, ExchangeState.WAITING, offers=True)
        self._user = user
        self._timer: Timer | None = None
        self._tries = 0

    def event_of(self, response: Response) -> ExchangeEvent:
        """491 is no answer yet, and neither is 500 with a time to come back after (RFC 3261 14.1 and 14.2)."""
        again = response.status == _PENDING or (response.status == 500 and "Retry-After" in response.headers)
        return ExchangeEvent.POSTPONED if again and self._tries < _MOST_TRIES else super().event_of(response)

    def start(self) -> None:
        """Send it."""
        self.step(ExchangeEvent.AGAIN)

    def timer_fired(self, name: str) -> None:
        """Try once more, or wait no longer for an answer."""
        self._timer = None
        if name == "unanswered":
            if self._client is not None:
                self._client.drop()
            self.step(ExchangeEvent.UNREACHABLE)
        elif any(offering is not self and offering.offers for offering in self.talk.between_us(self.asked)):
            self.wait()
        else:
            self.step(ExchangeEvent.AGAIN)

    def forget(self) -> None:
        """What comes now is nobody's."""
        self.stop_timer()
        super().forget()

    # What the table's words do.

    def begin(self) -> None:
        """It has its turn."""
        self._tries += 1
        self.offers = True
        self.send()

    def send(self) -> None:
        """Send it, and wait 64*T1 for its end: a provisional response alone is no answer."""
        super().send()
        turn = self.asked.stack.turn
        self._timer = turn.after(64 * turn.settings.timers.t1, self, "unanswered")

    def wait(self) -> None:
        """Try again in a while; the peer may have its own turn meanwhile."""
        self.offers = False
        self.stop_timer()
        seconds = _OWNER_WAITS if self.asked.number else _OTHER_WAITS
        self._timer = self.asked.stack.turn.after(seconds, self, "again")

    def stop_timer(self) -> None:
        """Wait no longer."""
        self.asked.stack.turn.timers.cancel(self._timer)
        self._timer = None

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


_TABLE: Compiled = compiled(Joining, JOINING, ExchangeState, REACHING)
