"""A request of our own that waits for its turn inside a call, and is tried again after glare (RFC 3261 14.1).

Owns the waiting, and how often it is tried. Leaves what a turn is, and what an answer means, to `refresh`,
`joining` and `soliciting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.events import Content
from b2bua.call.leg import Leg
from b2bua.call.own_request import OwnRequest
from b2bua.call.tables import ExchangeEvent, ExchangeState
from b2bua.call.undertaking import Compiled
from b2bua.sip.message import Response
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.talk import Talk

# RFC 3261 14.1: after glare the owner of the Call-ID waits from 2.1 to 4 seconds, the other up to 2.
_OWNER_WAITS: Final = 2.5
_OTHER_WAITS: Final = 1.0
_PENDING: Final = 491


class RetriedRequest(OwnRequest):
    """It is sent `most_tries` times at the most; the last answer is the one that counts."""

    __slots__ = ("_most_tries", "_timer", "_tries")

    def __init__(
        self, talk: Talk, asked: Leg, content: Content | None, table: Compiled, offers: bool, most_tries: int
    ) -> None:
        super().__init__(talk, asked, content, table, ExchangeState.WAITING, offers)
        self._timer: Timer | None = None
        self._tries = 0
        self._most_tries = most_tries

    def event_of(self, response: Response) -> ExchangeEvent:
        """491 is no answer yet, and neither is 500 with a time to come back after (RFC 3261 14.1 and 14.2)."""
        again = response.status == _PENDING or (response.status == 500 and "Retry-After" in response.headers)
        return ExchangeEvent.POSTPONED if again and self._tries < self._most_tries else super().event_of(response)

    def timer_fired(self, name: str) -> None:
        """Try once more, if it is its turn; or wait no longer for an answer."""
        self._timer = None
        if name == "unanswered":
            if self._client is not None:
                self._client.drop()
            self.step(ExchangeEvent.UNREACHABLE)
        else:
            self.take_turn()

    def take_turn(self) -> None:
        """Send it now, or wait, or let it be."""
        raise NotImplementedError

    def forget(self) -> None:
        """What comes now is nobody's."""
        self.stop_timer()
        super().forget()

    # What the tables' words do.

    def begin(self) -> None:
        """It has its turn."""
        self._tries += 1
        self.offers = self.method == "INVITE"
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
