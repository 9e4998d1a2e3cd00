"""A refresh of ours (RFC 4028 section 10): UPDATE without a body, or the same description in a re-INVITE once more.

Owns when it has its turn, and what an answer means. Leaves when a refresh is due to `refreshing`, trying again to
`retried_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.events import DESCRIPTION, Content
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.retried_request import RetriedRequest
from b2bua.call.tables import REFRESH, ExchangeEvent, ExchangeState
from b2bua.call.undertaking import REACHING, Compiled
from b2bua.sdp.origin import around_origin
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.call import Call
    from b2bua.call.talk import Talk

_MOST_TRIES: Final = 10
_NO_UPDATE: Final = (405, 501)


class Refresh(RetriedRequest):
    """`asked` is the leg whose session is refreshed; without `content` by UPDATE.

    A `content` that the peer was not told before is what the other party has said in answer to a refresh of its own.
    """

    __slots__ = ()

    def __init__(self, talk: Talk, asked: Leg, content: Content | None) -> None:
        super().__init__(talk, asked, content, _TABLE, offers=False, most_tries=_MOST_TRIES)

    def start(self) -> None:
        """Send it, or wait until no other offer is open."""
        self.take_turn()

    def take_turn(self) -> None:
        """Send it, if there is still something to say, as soon as no other offer is open."""
        if self._is_needless:
            self.step(ExchangeEvent.NEEDLESS)
        elif self._content is not None and self.talk.is_open(self.asked):
            self.wait()
        else:
            self.step(ExchangeEvent.AGAIN)

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


_TABLE: Final[Compiled] = compiled(Refresh, REFRESH, ExchangeState, REACHING)


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
