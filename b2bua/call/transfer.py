"""One transfer: a party in a call has the other go on to somebody else (RFC 3515, RFC 5589 section 6).

Owns its steps: the target is called, the transferee is told of it, both are connected, and the transferor goes. The
target is offered what the transferee said last of itself, so that it rings and answers as for any call, and the
transferee gets the answer in a re-INVITE, where that says anything new to it. Leaves whether it may be to the policy,
the target's legs to `hunt`, what the transferor hears to `notices`, and who talks to whom afterwards to `transfers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from b2bua.call.events import Answered, Content, Progressed, description
from b2bua.call.hunt import Hunt
from b2bua.call.joining import Joining
from b2bua.call.leg import Leg
from b2bua.call.notices import Notices
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.proceeding import Proceeding
from b2bua.call.setup import Setup
from b2bua.call.streams import described, read
from b2bua.call.transfer_tables import TRANSFER, TransferEvent, TransferState
from b2bua.routing.destination import Refused
from b2bua.routing.verdicts import Dial, Frame, Outcome, Step, Target
from b2bua.routing.verdicts import Transfer as Verdict
from b2bua.sdp.negotiation import same_content
from b2bua.sdp.restating import changes
from b2bua.sdp.rewriting import directed
from b2bua.sdp.session import Direction
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.transfers import Transfers

Role: TypeAlias = Literal["caller", "callee"]
Compiled: TypeAlias = dict[TransferState, dict[TransferEvent, tuple[TransferState, tuple[Callable[..., None], ...]]]]

# How long a transferor has to hang up by itself once it has been told that the target is there.
_PARTING_SECONDS: Final = 2.0
_MOST_HOPS: Final = 70
_NOT_THERE: Final = 480
_NOT_ACCEPTABLE: Final = 488


class Reaching(Setup):
    """The dial of a transfer, on behalf of the transferee."""

    __slots__ = ("_transfer",)

    def __init__(self, transfer: Transfer, offer: Content, headers: tuple[tuple[str, str], ...]) -> None:
        super().__init__(transfer.transfers.call, offer, headers, _MOST_HOPS, None)
        self._transfer = transfer

    def legs_to(self, target: Target, caller: Leg | None = None) -> list[OutgoingLeg] | Refused:
        """New legs to a party, not yet started."""
        return super().legs_to(target, self._transfer.transferee)

    def dial_over(self, outcome: Outcome) -> None:
        """Nobody took the call."""
        hunt, self.hunt = self.hunt, None
        rejection = None if hunt is None else hunt.rejection
        if rejection is None:
            self._transfer.unanswered(_NOT_THERE, "")
        else:
            self._transfer.unanswered(rejection.status, rejection.reason if rejection.reached else "")


class Transfer(Proceeding):
    """`transferor` sends `transferee` to whom the policy said. `notices` is None where the transferor wants none."""

    __slots__ = (
        "_dial",
        "_gone",
        "_notices",
        "_offer",
        "_reason",
        "_role",
        "_status",
        "_timer",
        "_was_relayed",
        "answer",
        "state",
        "target",
        "transferee",
        "transferor",
        "transfers",
    )

    def __init__(
        self, transfers: Transfers, transferor: Leg, transferee: Leg, role: Role, notices: Notices | None
    ) -> None:
        self.transfers = transfers
        self.transferor = transferor
        self.transferee = transferee
        self.target: Leg | None = None
        self.answer: Content | None = None
        self.state = TransferState.DIALLING
        self._role: Role = role
        self._notices = notices
        self._offer: Content | None = None
        self._dial: Reaching | None = None
        self._status, self._reason = 487, ""
        self._gone = False
        self._was_relayed = False
        self._timer: Timer | None = None

    def start(self, verdict: Verdict, headers: tuple[tuple[str, str], ...]) -> None:
        """Call the target with what the transferee said last of itself."""
        media, said = self.transfers.call.with_media(), self.transferee.said
        media.face(self.transferee)
        self._was_relayed = media.is_relayed
        if self._notices is not None:
            self._notices.say(100)
        if said is None or said.around is None:
            self.unanswered(_NOT_ACCEPTABLE, "")
            return
        self._offer = offer = freely(said)
        self._dial = dial = Reaching(self, offer, headers)
        dial.hunt = hunt = Hunt(dial, Dial((Step((verdict.target,), verdict.seconds),), _NO_FRAME))
        hunt.advance()

    @property
    def hunt(self) -> Hunt | None:
        """The dial in progress."""
        return None if self._dial is None else self._dial.hunt

    # What the target brings.

    def progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """The target is on its way; what it would have the transferee hear already is not heard."""
        hunt = self.hunt
        if hunt is None or not hunt.progressed(leg):
            return
        if progress.due is not None:
            progress.due.acknowledge()
        self._status, self._reason = progress.status, progress.reason
        self._step(TransferEvent.PROGRESSED)

    def answered(self, leg: OutgoingLeg, answer: Answered) -> None:
        """Somebody is there."""
        dial = self._dial
        if dial is None or dial.hunt is None:
            return
        dial.hunt.answered(leg)
        dial.hunt = None
        leg.acknowledge(None)
        content = answer.content
        if content is None or content.around is None:
            self.transfers.parted(leg, "system", self.transferor)
            leg.end()
            self.unanswered(_NOT_ACCEPTABLE, "")
            return
        self.target, leg.said = leg, content
        self._step(TransferEvent.ANSWERED)

    def unanswered(self, status: int, reason: str) -> None:
        """Nobody is there."""
        self._status, self._reason = status, reason
        self._step(TransferEvent.UNANSWERED)

    # What those in the call bring.

    def does_without(self, leg: Leg) -> bool:
        """A leg is gone: whether the call goes on without it."""
        if self.state is TransferState.ENDED:
            return False
        if leg is self.transferor:
            self._step(TransferEvent.LEFT)
            return True
        if leg is not self.target or self.state is TransferState.PARTING:
            return False
        self._status, self._reason = 487, ""
        self.transfers.parted(leg, self._role, self.transferor)
        self._step(TransferEvent.TARGET_LEFT)
        return True

    def quiet(self) -> None:
        """An offer in the call has come to its end: the transferee may be told now."""
        talk = self.transfers.talk
        if self.state is TransferState.WAITING and not talk.is_open(self.transferee):
            self._step(TransferEvent.QUIET)

    def agreed(self, leg: Leg, answer: Content) -> None:
        """The transferee takes the target's description."""
        self.answer = answer
        self._step(TransferEvent.JOINED)

    def declined(self, leg: Leg, status: int, reason: str) -> None:
        """The transferee does not."""
        self._status, self._reason = status, reason
        self._step(TransferEvent.REFUSED)

    def drop(self, transfers: Transfers) -> None:
        """The call ends."""
        self._status, self._reason = 487, ""
        self._step(TransferEvent.DROP)

    def forget(self, transfers: Transfers) -> None:
        """Stop waiting for anything."""
        self._stop_timer()
        if self._dial is not None:
            self._dial.forget()
        if self._notices is not None:
            self._notices.drop()

    def timer_fired(self, name: str) -> None:
        """The transferor had time to hang up."""
        self._timer = None
        self._step(TransferEvent.PARTED)

    def _step(self, event: TransferEvent) -> None:
        row = _TABLE[self.state].get(event)
        if row is None:
            return
        call = self.transfers.call
        call.stack.turn.concerned = call
        self.state, actions = row
        for action in actions:
            action(self)

    def _stop_timer(self) -> None:
        self.transfers.call.stack.turn.timers.cancel(self._timer)
        self._timer = None

    # What the table's words do.

    def tell_progress(self) -> None:
        """Let the transferor hear that it rings."""
        if self._notices is not None:
            self._notices.say(self._status, self._reason)

    def tell_success(self) -> None:
        """Let the transferor hear that the target is there."""
        if self._notices is not None:
            self._notices.finish(200)

    def tell_failure(self) -> None:
        """Let the transferor hear why nothing came of it."""
        if self._notices is not None:
            self._notices.finish(self._status, self._reason)

    def take_target(self) -> None:
        """The target is in the call from now on."""
        if self.target is not None:
            self.transfers.came(self.target)

    def wait_for_quiet(self) -> None:
        """Tell the transferee as soon as no other offer is open."""
        self.quiet()

    def tell_transferee(self) -> None:
        """Tell the transferee what the target says of itself, unless it was told just that before."""
        target, talk, media = self.target, self.transfers.talk, self.transfers.call.with_media()
        assert target is not None and target.said is not None
        media.talks(target)
        side = media.side(self.transferee)
        body = media.tell(side, target.said).body
        same = self._was_relayed and media.is_relayed and side.told is not None
        if same and side.told is not None and same_content(read(side.told), read(body)):
            self._step(TransferEvent.JOINED)
            return
        joining = Joining(talk, self.transferee, target.said, self)
        talk.begin(joining)
        joining.start()

    def connect(self) -> None:
        """From now on transferee and target talk."""
        target, transfers = self.target, self.transfers
        assert target is not None and target.said is not None and self._offer is not None
        media, answer, talk = transfers.call.with_media(), self.answer, transfers.talk
        transfers.replace(self.transferor, target)
        media.over(self.transferor)
        if answer is not None:
            talk.settled(None, None, self.transferee, answer)
        media.agreed((self.transferee, target))
        if answer is not None and changes(described(answer), described(self._offer), described(target.said)):
            talk.restate(target, answer)

    def wait_for_parting(self) -> None:
        """Leave it to the transferor to hang up, for a moment."""
        if self._gone:
            self._step(TransferEvent.PARTED)
        else:
            self._timer = self.transferor.stack.turn.after(_PARTING_SECONDS, self, "parting")

    def note_parting(self) -> None:
        """The transferor has hung up."""
        self._gone = True
        self.transfers.parted(self.transferor, self._role, self.transferor)
        if self._notices is not None:
            self._notices.drop()
            self._notices = None

    def end_transferor(self) -> None:
        """Hang up on the transferor, unless it is gone."""
        if not self._gone:
            self.transfers.parted(self.transferor, "system", self.transferor)
            self.transferor.end()

    def go_on_without(self) -> None:
        """The transferor has hung up before the end: the transferee waits on for the target, as it did."""
        self.note_parting()
        self.transfers.call.with_media().stand_in(self.transferor)

    def go_back(self) -> None:
        """All is as it was; without the transferor the transferee has nobody left."""
        call = self.transfers.call
        if self._gone:
            call.end(self._role, self.transferor, ())
            return
        media = call.with_media()
        media.talks(self.transferor)
        media.disagreed((self.transferee,))

    def abandon_target(self) -> None:
        """The target is not called any more."""
        if self._dial is not None:
            self._dial.stop()

    def end_target(self) -> None:
        """Hang up on the target."""
        if self.target is not None:
            self.transfers.parted(self.target, "system", self.transferor)
            self.target.end()

    def finish(self) -> None:
        """Be gone."""
        self._stop_timer()
        self._dial = None
        self.transfers.over(self)


def freely(said: Content) -> Content:
    """A party's description as an offer to somebody new: whoever it could not hear before is no matter."""
    ways = [Direction.SENDRECV] * len(described(said).media)
    return description(directed(said.body, ways))


_NO_FRAME: Final = Frame("", 0)
_TABLE: Final[Compiled] = compiled(Transfer, TRANSFER, TransferState, {TransferState.ENDED: ("finish",)})
