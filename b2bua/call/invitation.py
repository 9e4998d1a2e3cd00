"""A re-INVITE of our own: music for a party whose media otherwise passes by us (RFC 5359 section 2.3).

Owns what its answer means. Leaves to `talk` when one is sent and what follows, and the request itself to `own_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.events import Content
from b2bua.call.headers import content_of
from b2bua.call.leg import DIALOG_GONE, Leg
from b2bua.call.own_request import OwnRequest
from b2bua.call.tables import OWN_OFFER, ExchangeState
from b2bua.call.undertaking import REACHING, Compiled
from b2bua.transaction.tables import compiled

if TYPE_CHECKING:
    from b2bua.call.talk import Talk


class Invitation(OwnRequest):
    """`asked` is the leg that shall hear music."""

    __slots__ = ()

    def __init__(self, talk: Talk, asked: Leg, offer: Content) -> None:
        super().__init__(talk, asked, offer, _TABLE, ExchangeState.PASSED, offers=True)
        self.send()

    # What the table's words do.

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


_TABLE: Final[Compiled] = compiled(Invitation, OWN_OFFER, ExchangeState, REACHING)
