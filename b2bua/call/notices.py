"""The subscription that a REFER makes: what its sender hears of the call that it asked for (RFC 3515, RFC 6665).

Owns the NOTIFY requests, one at a time. Leaves what has happened to the transfer.

Deviation: a transferor that hangs up hears nothing more, though its subscription could outlive the call (RFC 5057).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from b2bua.call.events import Content
from b2bua.call.leg import Leg, contact_of
from b2bua.call.transfer_tables import NOTICE, NoticeEvent, NoticeState
from b2bua.sip.message import REASONS, Response
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.tables import compiled

Compiled: TypeAlias = dict[NoticeState, dict[NoticeEvent, tuple[NoticeState, tuple[Callable[..., None], ...]]]]

_FRAGMENT: Final = (("Content-Type", "message/sipfrag;version=2.0"),)


class Notices:
    """What `leg`'s peer is told. `id` is the REFER's CSeq, where it is not the dialog's first (RFC 3515 2.4.6).

    `seconds` is how long it can take until there is an end to tell.
    """

    __slots__ = ("_client", "_event", "_leg", "_proven", "_said", "_seconds", "state")

    def __init__(self, leg: Leg, id: int | None, seconds: float) -> None:
        self._leg = leg
        self._event = "refer" if id is None else f"refer;id={id}"
        self._seconds = int(seconds)
        self._said = (0, "")
        self._client: ClientTransaction | None = None
        self._proven = False
        self.state = NoticeState.IDLE

    def say(self, status: int, reason: str = "") -> None:
        """The call that was asked for is on its way."""
        if (status, reason) != self._said:
            self._said = (status, reason)
            self._step(NoticeEvent.NEWS)

    def finish(self, status: int, reason: str = "") -> None:
        """It came to this end."""
        self._said = (status, reason)
        self._step(NoticeEvent.FINAL)

    def drop(self) -> None:
        """Nobody is there to be told."""
        self._step(NoticeEvent.DROP)
        if self._client is not None:
            self._client.user = None

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """A response to a NOTIFY came."""
        if response.status < 200:
            return
        if response.status in (401, 407) and not self._proven:
            self._proven = True
            proof = self._leg.authorization(response, "NOTIFY")
            if proof is not None:
                self._notify(self.state in (NoticeState.CLOSED, NoticeState.ENDED), proof)
                return
        self._step(NoticeEvent.TAKEN if response.status < 300 else NoticeEvent.REFUSED)

    def timed_out(self, transaction: ClientTransaction) -> None:
        """A NOTIFY was never answered."""
        self._step(NoticeEvent.REFUSED)

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """A NOTIFY could not be delivered."""
        self._step(NoticeEvent.REFUSED)

    def _step(self, event: NoticeEvent) -> None:
        row = _TABLE[self.state].get(event)
        if row is None:
            return
        self._leg.stack.turn.concerned = self._leg.call
        self.state, actions = row
        for action in actions:
            action(self)

    # What the table's words do.

    def send(self) -> None:
        """Tell how far it has come."""
        self._proven = False
        self._notify(last=False)

    def send_last(self) -> None:
        """Tell how it ended."""
        self._proven = False
        self._notify(last=True)

    def _notify(self, last: bool, proof: tuple[str, str] | None = None) -> None:
        leg = self._leg
        if not leg.confirmed:
            self.drop()
            return
        status, reason = self._said
        state = "terminated;reason=noresource" if last else f"active;expires={self._seconds}"
        place = leg.stack.ways.place(leg.dialog.flow)
        headers = (contact_of(leg.dialog, place), ("Event", self._event), ("Subscription-State", state))
        body = f"SIP/2.0 {status} {reason or REASONS.get(status, 'Unknown')}\r\n"
        content = Content(body.encode("utf-8", "surrogateescape"), _FRAGMENT)
        self._client = leg.request("NOTIFY", self, headers if proof is None else (*headers, proof), content)


_TABLE: Final[Compiled] = compiled(Notices, NOTICE, NoticeState, {})
