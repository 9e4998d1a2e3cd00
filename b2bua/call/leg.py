"""What both kinds of leg have in common: a dialog, a state table, and the requests of a call in progress.

Owns BYE from either side. Leaves set-up to `incoming` and `outgoing`, and what passes between legs to the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, TypeAlias

from b2bua.call.events import Answered, Content, Progressed, Rejected
from b2bua.call.headers import crossing
from b2bua.call.refreshing import NOTHING_DUE, Refreshing
from b2bua.call.tables import LegEvent, LegState
from b2bua.dialog.dialog import Dialog
from b2bua.dialog.session_timer import SessionTimer
from b2bua.dialog.ways import Place, Ways
from b2bua.effects import Flow
from b2bua.media.ports import Ports
from b2bua.names.names import Names
from b2bua.routing.destination import Destination
from b2bua.sdp.origin import origin
from b2bua.sip.message import Request, Response
from b2bua.transaction.client import ClientTransaction, ClientUser
from b2bua.transaction.keys import MAGIC
from b2bua.transaction.layer import Transactions
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.turn import Concerned, Turn

if TYPE_CHECKING:
    from b2bua.call.outgoing import OutgoingLeg
    from b2bua.call.transfers import Transfers

Compiled: TypeAlias = dict[LegState, dict[LegEvent, tuple[LegState, tuple[Callable[..., None], ...]]]]

ALLOW: Final = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER")
# A dialog is over when the peer says that it does not know it, or says nothing (RFC 3261 12.2.1.2).
DIALOG_GONE: Final = (408, 481)
# The session interval is too small (RFC 4028 section 6): between two neighbours, nobody else hears of it.
TOO_SMALL: Final = 422


class Stack:
    """What all legs of a core share. `legs` finds a leg by the tag that we gave its dialog.

    `flow_gone` is told of a phone's flow that its proxy has lost (RFC 5626 5.3).
    """

    __slots__ = ("flow_gone", "legs", "names", "ports", "refreshing", "transactions", "turn", "ways")

    def __init__(self, turn: Turn, transactions: Transactions, ways: Ways, names: Names) -> None:
        self.turn = turn
        self.transactions = transactions
        self.ways = ways
        self.names = names
        self.ports = Ports(turn)
        self.flow_gone: Callable[[Destination], None] = _unheard
        self.refreshing = Refreshing(turn)
        self.legs: dict[str, Leg] = {}

    def branch(self) -> str:
        """A branch that nobody has used (RFC 3261 8.1.1.7)."""
        return MAGIC + self.turn.draw()


def _unheard(destination: Destination) -> None:
    """Nobody wants to know which flows are gone."""


class LegUser(Concerned, Protocol):
    """The call that a leg belongs to."""

    def leg_progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """A leg that we called is on its way."""

    def leg_answered(self, leg: OutgoingLeg, answer: Answered) -> None:
        """A leg that we called took the call."""

    def leg_rejected(self, leg: OutgoingLeg, rejection: Rejected) -> None:
        """A leg that we called did not take the call."""

    def leg_left(self) -> None:
        """The caller gave up before the answer."""

    def leg_confirmed(self, content: Content | None) -> None:
        """The caller has the answer; after a delayed offer, `content` is what its ACK answers to it."""

    def leg_hung_up(self, leg: Leg, headers: tuple[tuple[str, str], ...]) -> None:
        """The peer of this leg ended the call; `headers` are its BYE's that cross."""

    def leg_lost(self, leg: Leg) -> None:
        """The peer of this leg does not answer any more."""

    def requested(self, leg: Leg, request: Request, flow: Flow, transaction: ServerTransaction) -> None:
        """The peer sent a request that is for the other side."""

    def acknowledged(self, leg: Leg, request: Request) -> None:
        """An ACK of a 2xx came from the peer."""

    def refresh(self, leg: Leg) -> None:
        """It is time that we refresh the session with the peer of this leg."""

    def is_asked_by(self, leg: Leg) -> bool:
        """Whether a request of this leg's peer is under way."""

    def expired(self, leg: Leg, reason: str) -> None:
        """The session with the peer of this leg has not been refreshed."""

    def hears_offers(self) -> bool:
        """Whether an offer of a called side's reaches the caller before the answer, and can be answered."""

    def transfers_there(self) -> Transfers:
        """The transfers of the call, which is about to have one."""

    def leg_over(self, leg: Leg) -> None:
        """Nothing more will come from this leg."""


class Leg:
    """One side of a call. Times are wall seconds; `cause` is the status that ended the set-up.

    `said` is the description that the peer gave last of itself. `adapt` changes one as this peer is to see it, where we
    are in its media's way. `message` is the peer's request while it is at work. `parting` are the fields that the other
    side's BYE had for this one's. `seen_at` is the peer's own IP address, where it is known and a front proxy stands
    between: else it is the dialog's flow's.
    `timer` is what holds of session timers, and `due` the second at which something is (`refreshing`).
    """

    __slots__ = (
        "adapt",
        "answered_at",
        "bye",
        "call",
        "cause",
        "dialog",
        "due",
        "ended_at",
        "message",
        "number",
        "parting",
        "reason",
        "said",
        "seen_at",
        "stack",
        "started_at",
        "state",
        "timer",
    )

    table: ClassVar[Compiled] = {}
    timer: SessionTimer

    def __init__(self, stack: Stack, call: LegUser, number: int, dialog: Dialog, state: LegState) -> None:
        self.stack = stack
        self.call = call
        self.number = number
        self.dialog = dialog
        self.state = state
        self.message: Request | None = None
        self.bye: ServerTransaction | None = None
        self.started_at = stack.turn.wall
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.cause = 0
        self.reason = ""
        self.parting: tuple[tuple[str, str], ...] = ()
        self.said: Content | None = None
        self.seen_at: str | None = None
        self.adapt: Callable[[Content], Content] | None = None
        self.due = NOTHING_DUE
        stack.legs[dialog.local_tag] = self

    def step(self, event: LegEvent) -> bool:
        """Do what the table says for this event; False when it says nothing."""
        row = self.table[self.state].get(event)
        if row is None:
            return False
        self.stack.turn.concerned = self.call
        self.state, actions = row
        for action in actions:
            action(self)
        return True

    def receive(self, request: Request, flow: Flow, transaction: ServerTransaction) -> None:
        """A request inside this dialog came, ACK and CANCEL aside."""
        dialog = self.dialog if self.answered_at is not None else self.dialog_of(request)
        if not dialog.in_order(request):
            transaction.respond(500, self.dialog.local_tag, (("Retry-After", "1"),), reason="CSeq out of order")
            return
        if request.method == "BYE":
            self.bye = transaction
            self.message = request
            if not self.step(LegEvent.BYE):
                transaction.respond(481, self.dialog.local_tag)
            self.message = None
        else:
            self.call.requested(self, request, flow, transaction)

    def belongs(self, request: Request) -> bool:
        """Whether a request with our tag is inside this very dialog (RFC 3261 12.2.2)."""
        return request.call_id == self.dialog.call_id and (request.from_tag or "") == self.dialog.remote_tag

    def is_dialog(self, call_id: str, local_tag: str, remote_tag: str) -> bool:
        """Whether this is the leg's own dialog, as its peer's header field names it (RFC 3891 section 3)."""
        dialog = self.dialog
        return (dialog.call_id, dialog.local_tag, dialog.remote_tag) == (call_id, local_tag, remote_tag)

    def dialog_of(self, request: Request) -> Dialog:
        """The dialog that a request is in: before the answer there may be several."""
        return self.dialog

    def end(self) -> None:
        """Hang up on the peer."""
        self.step(LegEvent.END)

    def lose(self) -> None:
        """The peer answered a request inside the dialog with 408 or 481, or not at all (12.2.1.2)."""
        self.step(LegEvent.LOST)

    @property
    def confirmed(self) -> bool:
        """Whether the peer can be asked for something."""
        return self.state is LegState.CONFIRMED

    @property
    def source(self) -> str:
        """A name for the peer's side of the dialog, that no other dialog has."""
        return f"{self.number} {self.dialog.remote_tag}"

    def request(
        self,
        method: str,
        user: ClientUser,
        headers: tuple[tuple[str, str], ...] = (),
        content: Content | None = None,
        max_forwards: int = 70,
        rendering: str | None = None,
        dialog: Dialog | None = None,
    ) -> ClientTransaction:
        """Send a request inside the dialog, or that early one; `rendering` goes into its Contact."""
        stack, dialog = self.stack, dialog or self.dialog
        branch = stack.branch()
        body = b""
        place = stack.ways.place(dialog.flow)
        if content is not None:
            headers = (*headers, *content.headers)
            body = self.describe(dialog, content, place)
        if method in ("INVITE", "UPDATE"):
            # Before that, what the INVITE says of session timers is not agreed yet.
            timer = self.timer.asking if self.state is LegState.CONFIRMED else ()
            headers = (contact_of(dialog, place, rendering), ALLOW, *timer, *headers)
        data = dialog.write(method, dialog.next_cseq(), place, branch, headers, body, max_forwards)
        return stack.transactions.begin_client(method, branch, data, dialog.flow, user)

    def describe(self, dialog: Dialog, content: Content, place: Place) -> bytes:
        """A body as it leaves on this dialog: the o= line is ours.

        One session id per dialog; the version rises by one exactly when the description changes (RFC 3264 section 8).
        """
        if self.adapt is not None and content.around is not None and not content.told:
            content = self.adapt(content)
        around = content.around
        if around is None:
            return content.body
        digest = hash(around)
        if digest != dialog.sdp_hash:
            dialog.sdp_hash = digest
            dialog.sdp_version += 1
        return origin(dialog.sdp_id, dialog.sdp_version, place.origin).join(around)

    def authorization(self, response: Response, method: str) -> tuple[str, str] | None:
        """The header that answers a challenge of this peer's; None where we owe it no proof."""
        return None

    # A BYE that we sent is done, however it went (RFC 3261 15.1.1).

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """A response to our BYE came."""
        if response.status in (401, 407):
            proof = self.authorization(response, "BYE")
            if proof is not None:
                self.request("BYE", self, (*self.parting, proof))
                return
        if response.status >= 200:
            self.step(LegEvent.CLOSED)

    def timed_out(self, transaction: ClientTransaction) -> None:
        """Our BYE was never answered."""
        self.step(LegEvent.CLOSED)

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """Our BYE could not be delivered."""
        self.step(LegEvent.CLOSED)

    # What the tables' words do.

    def accept_bye(self) -> None:
        """Answer the peer's BYE."""
        if self.bye is not None:
            self.bye.respond(200, self.dialog.local_tag)
            self.bye = None

    def send_bye(self) -> None:
        """Hang up."""
        self.request("BYE", self, self.parting)

    def report_hung_up(self) -> None:
        """Tell the call that the peer hung up."""
        message = self.message
        self.call.leg_hung_up(self, crossing(message, "BYE") if message is not None else ())

    def report_lost(self) -> None:
        """Tell the call that the peer is gone."""
        self.call.leg_lost(self)

    def abolish(self) -> None:
        """Leave the stack's tables, whatever the state."""
        self.state = LegState.ENDED
        self.finish()

    def note_end(self) -> None:
        """The conversation, or the wait for one, is over now, if it was not before."""
        if self.ended_at is None:
            self.ended_at = self.stack.turn.wall

    def finish(self) -> None:
        """Leave the stack's tables, and tell the call."""
        self.note_end()
        if self.due:
            self.stack.refreshing.forget(self)
        self.stack.legs.pop(self.dialog.local_tag, None)
        self.call.leg_over(self)


REACHING: dict[LegState, tuple[str, ...]] = {
    LegState.CLOSING: ("note_end",),
    LegState.ENDING: ("note_end",),
    LegState.CANCELLING: ("note_end",),
    LegState.ABANDONED: ("note_end",),
    LegState.ENDED: ("finish",),
}
"""What each row of a leg's table into a state ends with."""


def contact_of(dialog: Dialog, place: Place, rendering: str | None = None) -> tuple[str, str]:
    """Our Contact, which also says whether the other peer renders media now, if that one said so (RFC 4235 5.2)."""
    contact = place.secured if dialog.secure else place.contact
    if rendering is None:
        return contact
    name, value = contact
    return name, f'{value};+sip.rendering="{rendering}"'
