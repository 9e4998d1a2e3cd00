"""A refresh of ours (RFC 4028 section 10): UPDATE without a body, or the same description in a re-INVITE once more.

Owns waiting for its turn, trying again after glare (RFC 3261 14.1), and what an answer means. Leaves when a refresh is
due to `refreshing`, the request itself to `own_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.call.events import DESCRIPTION, Content
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.own_request import OwnRequest
from b2bua.call.tables import REFRESH, ExchangeEvent, ExchangeState
from b2bua.call.undertaking import REACHING, Compiled
from b2bua.sdp.origin import around_origin
from b2bua.sip.message import Response
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.call import Call
    from b2bua.call.talk import Talk

# RFC 3261 14.1: after glare the owner of the Call-ID waits from 2.1 to 4 seconds, the other up to 2.
_OWNER_WAITS = 2.5
_OTHER_WAITS = 1.0
_MOST_TRIES = 10
_PENDING = 491
_NO_UPDATE = (405, 501)


class Refresh(OwnRequest):
    """`asked` is the leg whose session is refreshed; without `content` by UPDATE.

    A `content` that the peer was not told before is what the other party has said in answer to a refresh of its own.
    """

    __slots__ = ("_timer", "_tries")

    def __init__(self, talk: Talk, asked: Leg, content: Content | None) -> None:
        super().__init__(talk, asked, content, _TABLE, ExchangeState.WAITING, offers=False)
        self._timer: Timer | None = None
        self._tries = 0

    def start(self) -> None:
        """Send it, or wait until no other offer is open."""
        self.timer_fired("again")

    def event_of(self, response: Response) -> ExchangeEvent:
        """491 is no answer yet, and neither is 500 with a time to come back after (RFC 3261 14.1 and 14.2)."""
        again = response.status == _PENDING or (response.status == 500 and "Retry-After" in response.headers)
        if again and self._tries < _MOST_TRIES:
            return ExchangeEvent.POSTPONED
        return super().event_of(response)

    def timer_fired(self, name: str) -> None:
        """Try once more, if there is still something to try; or wait no longer for an answer."""
        self._timer = None
        if name == "unanswered":
            if self._client is not None:
                self._client.drop()
            self.step(ExchangeEvent.UNREACHABLE)
        elif self._is_needless:
            self.step(ExchangeEvent.NEEDLESS)
        elif self._content is not None and self.talk.is_open(self.asked):
            self.wait()
        else:
            self.step(ExchangeEvent.AGAIN)

    def forget(self) -> None:
        """What comes now is nobody's."""
        self.stop_timer()
        super().forget()

    @property
    def _is_needless(self) -> bool:
        """Whether the peer has refreshed the session meanwhile, or the other party says something else by now."""
        if self._is_old_news:
            return not self.asked.stack.refreshing.is_at_work(self.asked)
        return self.talk.said_beyond(self.asked) is not self._content

    @property
    def _is_old_news(self) -> bool:
        return self._content is None or self._content.told

    # What the table's words do.

    def begin(self) -> None:
        """It has its turn."""
        self._tries += 1
        self.offers = self._content is not None
        self.send()

    def send(self) -> None:
        """Send it, and wait 64*T1 for its end: a provisional response alone keeps no session alive."""
        super().send()
        turn = self.asked.stack.turn
        self._timer = turn.after(64 * turn.settings.timers.t1, self, "unanswered")

    def wait(self) -> None:
        """Try again in a while."""
        self.offers = False
        self.stop_timer()
        seconds = _OWNER_WAITS if self.asked.number else _OTHER_WAITS
        self._timer = self.asked.stack.turn.after(seconds, self, "again")

    def stop_timer(self) -> None:
        """Wait no longer."""
        self.asked.stack.turn.timers.cancel(self._timer)
        self._timer = None

    def report_answer(self) -> None:
        """The session is fresh; should the peer describe itself otherwise than before, that holds."""
        assert self._response is not None
        self.offers = False
        content, answer = self._content, content_of(self._response)
        if content is None:
            return
        if content.told:
            self.talk.restated(self.asked, content, answer)
        else:
            self.talk.settled(None, None, self.asked, answer)

    def report_rejection(self) -> None:
        """The session is not refreshed."""
        response, asked = self._response, self.asked
        assert response is not None
        if response.status in DIALOG_GONE:
            self.report_lost()
        elif not self._is_old_news:
            self.talk.unmoved(asked)
        elif self._content is None and response.status in _NO_UPDATE:
            asked.stack.refreshing.without_update(asked)
            asked.call.refresh(asked)
        else:
            asked.stack.refreshing.refused(asked)

    def report_lost(self) -> None:
        """The leg's dialog is gone."""
        self.asked.call.expired(self.asked, "a refresh of the session was not answered")


_TABLE: Compiled = compiled(Refresh, REFRESH, ExchangeState, REACHING)


def told(call: Call, leg: Leg) -> Content | None:
    """What this leg's peer was told last and took; None where it never was told anything."""
    media = call.media
    near, far = call.sides
    other = far if leg is near else near
    said = None if other is None else other.said
    if media is None or (said is not None and said.around is None):
        return None if said is None else Content(said.body, said.headers, said.around, told=True)
    body = media.side(leg).told
    return None if body is None else Content(body, DESCRIPTION, around_origin(body), told=True)
