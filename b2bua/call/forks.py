"""What nobody asked for: the 2xx of another fork, or one that came after all (RFC 3261 13.2.2.4), and whatever comes
from a target that was left for another one (RFC 3263 4.3).

Each 2xx is acknowledged and its dialog ended at once, from its own headers; a target that was left and rings after all
is cancelled.
"""

from __future__ import annotations

from typing import Final

from b2bua.call.events import refusal_of
from b2bua.call.headers import content_of
from b2bua.call.leg import Stack
from b2bua.dialog.dialog import Dialog, complete
from b2bua.sdp.origin import origin
from b2bua.sip.message import Response
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.derived import cancellation

MOST_FORKS: Final = 64
"""So many answers to one INVITE are acknowledged and ended; whoever sends more means us ill."""
_LEAP: Final = 1000


def end_fork(stack: Stack, response: Response, transaction: ClientTransaction, offered: bool = True) -> None:
    """Acknowledge this 2xx to an INVITE of ours, and hang up in the dialog that it made.

    Where we had not `offered` a session, the offer that the 2xx brings is refused (RFC 3261 13.2.2.4).
    """
    if transaction.acks is not None and len(transaction.acks) >= MOST_FORKS:
        stack.turn.count("forks_dropped")
        return
    tag = response.to_tag or ""
    local_tag = response.from_tag or ""
    flow = transaction.flow
    dialog = Dialog(response.call_id, response.get("From") or "", local_tag, "", tag, flow, 0)
    dialog.local_cseq = response.cseq.number
    complete(dialog, response, flow, stack.ways)
    if not dialog.target:
        stack.turn.count("forks_without_contact")
        return
    place = stack.ways.place(dialog.flow)
    offer = None if offered else content_of(response)
    answer = refusal_of(offer) if offer is not None and offer.around is not None else None
    headers: tuple[tuple[str, str], ...] = ()
    body = b""
    if answer is not None and answer.around is not None:
        headers = answer.headers
        body = origin(int(local_tag[:15], 16), 1, place.origin).join(answer.around)
    ack = dialog.write("ACK", dialog.local_cseq, place, stack.branch(), headers, body)
    transaction.acknowledged(tag, ack, dialog.flow)
    branch = stack.branch()
    # We may have sent requests in that dialog while it was early: the number leaps over theirs.
    dialog.local_cseq += _LEAP
    bye = dialog.write("BYE", dialog.next_cseq(), place, branch)
    stack.transactions.begin_client("BYE", branch, bye, dialog.flow, None)
    stack.turn.count("forks_ended")


def forsake(stack: Stack, invite: ClientTransaction, offered: bool) -> None:
    """Nothing has come of this INVITE, and the leg goes on elsewhere.

    Its transaction goes on to its own end (17.1.1.2): a 1xx that was lost comes only when the INVITE is repeated, and
    without one nobody may be cancelled (9.1).
    """
    invite.user = _Forsaken(stack, offered)


class _Forsaken:
    """The user of an INVITE that was left before anything came of it."""

    __slots__ = ("_invite", "_offered", "_stack")

    def __init__(self, stack: Stack, offered: bool) -> None:
        self._offered = offered
        self._stack = stack
        self._invite: ClientTransaction | None = None

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """Somebody was there after all: let him know that it is over."""
        stack = self._stack
        if response.status >= 300:
            self._invite = None
        elif response.status >= 200:
            self._invite = None
            end_fork(stack, response, transaction, self._offered)
        elif self._invite is None:
            # Cancelled once; should no final response come, nobody waits longer than 64*T1 (RFC 3261 9.1).
            self._invite = transaction
            stack.transactions.begin_client(
                "CANCEL", transaction.branch, cancellation(transaction.request), transaction.flow, None
            )
            stack.turn.after(64 * stack.turn.settings.timers.t1, self, "give up")

    def timed_out(self, transaction: ClientTransaction) -> None:
        """Nobody was."""

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """Nobody was."""
        self._invite = None

    def timer_fired(self, name: str) -> None:
        """No final response came to the CANCEL."""
        invite, self._invite = self._invite, None
        if invite is not None:
            invite.drop()
