"""An attended transfer: a party in two calls has its peers in both talk to each other (RFC 5589 section 7, RFC 3891).

Owns its steps. The `target`, in the other call, is asked for an offer, the `transferee` gets that, and the target its
answer (RFC 3725 section 4): until both have agreed, each call is what it was. From then on the target's leg is in the
transferee's call, and the transferor's two legs end. Leaves whether it may be to the policy, what the transferor hears
to `notices`, and what becomes of calls and records to `transfers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from b2bua.call.events import Content, description, refusal_of
from b2bua.call.joining import Joining
from b2bua.call.leg import Leg
from b2bua.call.notices import Notices
from b2bua.call.proceeding import Proceeding
from b2bua.call.soliciting import Soliciting
from b2bua.call.speaking import own_answer
from b2bua.call.streams import conversation, described, read
from b2bua.call.tables import ExchangeState
from b2bua.call.transfer_tables import ATTENDED, AttendedEvent, AttendedState
from b2bua.sdp.introducing import introduced, returned
from b2bua.sdp.negotiation import sends
from b2bua.sdp.restating import changes
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.transfers import Transfers

Compiled: TypeAlias = dict[AttendedState, dict[AttendedEvent, tuple[AttendedState, tuple[Callable[..., None], ...]]]]

# How long a transferor has to hang up by itself once it has been told that the two are connected.
_PARTING_SECONDS: Final = 2.0
# How long a target waits for the answer to its offer: nothing else can be agreed with it meanwhile.
_ANSWER_SECONDS: Final = 10.0
_NO_ANSWER: Final = 408
_NOT_ACCEPTABLE: Final = 488
_NO_PORT: Final = 503


class Attended(Proceeding):
    """`transferor` and `transferee` are in the one call, `consulting` is the transferor's leg in the `target`'s."""

    __slots__ = (
        "_answer",
        "_gone",
        "_joining",
        "_leaving",
        "_notices",
        "_offer",
        "_reason",
        "_roles",
        "_soliciting",
        "_status",
        "_there",
        "_timer",
        "_transfers",
        "consulting",
        "state",
        "target",
        "transferee",
        "transferor",
    )

    def __init__(
        self,
        transfers: Transfers,
        transferor: Leg,
        transferee: Leg,
        there: Transfers,
        consulting: Leg,
        target: Leg,
        notices: Notices | None,
    ) -> None:
        """`transfers` are those of the transferee's call, `there` those of the target's."""
        self._transfers = transfers
        self._there = there
        self.transferor = transferor
        self.transferee = transferee
        self.consulting = consulting
        self.target = target
        self.state = AttendedState.WAITING
        self._notices = notices
        self._soliciting: Soliciting | None = None
        self._joining: Joining | None = None
        self._offer: Content | None = None
        self._answer: Content | None = None
        self._status, self._reason = 487, ""
        self._gone: set[Leg] = set()
        self._roles = {transferor: transfers.role(transferor), consulting: there.role(consulting)}
        self._leaving = transferor
        self._timer: Timer | None = None

    def start(self) -> None:
        """Join the two as soon as no offer is open with either."""
        self._transfers.call.with_media().face(self.transferee)
        self._there.call.with_media().face(self.target)
        if self._notices is not None:
            self._notices.say(100)
        self.quiet()

    # What the two calls bring.

    def does_without(self, leg: Leg) -> bool:
        """A leg is gone: whether its call goes on without it."""
        if self.state in _OVER or leg not in (self.transferor, self.consulting):
            return False
        self._leaving = leg
        self._step(AttendedEvent.LEFT)
        return True

    def quiet(self) -> None:
        """An offer in one of the calls has come to its end."""
        if self.state is AttendedState.WAITING:
            busy = self._transfers.talk.is_open(self.transferee) or self._there.talk.is_open(self.target)
            if not busy:
                self._step(AttendedEvent.QUIET)

    def offered(self, leg: Leg, offer: Content) -> None:
        """The target has made its offer."""
        self._offer = offer
        self._step(AttendedEvent.OFFERED)

    def made_none(self, leg: Leg, status: int, reason: str) -> None:
        """The target has made none."""
        self._refused(status, reason)

    def agreed(self, leg: Leg, answer: Content) -> None:
        """The transferee has answered the target's offer."""
        if not described(answer).media:
            self._refused(_NOT_ACCEPTABLE, "the answer cannot be read")
            return
        self._answer = answer
        self._step(AttendedEvent.JOINED)

    def declined(self, leg: Leg, status: int, reason: str) -> None:
        """The transferee does not take it."""
        self._refused(status, reason)

    def drop(self, transfers: Transfers) -> None:
        """One of the calls ends."""
        self._refused(487, "", AttendedEvent.DROP if transfers is self._transfers else AttendedEvent.TARGET_LEFT)

    def forget(self, transfers: Transfers) -> None:
        """One of the calls is taken away: the other goes on as it was."""
        if transfers is self._transfers and self._notices is not None:
            self._notices.drop()
            self._notices = None
        self.drop(transfers)

    def timer_fired(self, name: str) -> None:
        """The transferor had time to hang up, or the transferee to answer."""
        self._timer = None
        if name == "parting":
            self._step(AttendedEvent.PARTED)
        else:
            self._refused(_NO_ANSWER, "", AttendedEvent.OVERDUE)

    def _refused(self, status: int, reason: str, event: AttendedEvent = AttendedEvent.REFUSED) -> None:
        self._status, self._reason = status, reason
        self._step(event)

    def _step(self, event: AttendedEvent) -> None:
        row = _TABLE[self.state].get(event)
        if row is None:
            return
        call = self._transfers.call
        call.stack.turn.concerned = call
        self.state, actions = row
        for action in actions:
            action(self)

    # What the table's words do.

    def tell_success(self) -> None:
        """Let the transferor hear that the two are connected."""
        if self._notices is not None:
            self._notices.finish(200)

    def tell_failure(self) -> None:
        """Let the transferor hear why nothing came of it."""
        if self._notices is not None:
            self._notices.finish(self._status, self._reason)

    def solicit(self) -> None:
        """Ask the target what it can do."""
        self._soliciting = soliciting = Soliciting(self._there.talk, self.target, self)
        self._there.talk.begin(soliciting)
        soliciting.start()

    def tell_transferee(self) -> None:
        """Offer the transferee what the target does, as fits the transferee's dialog."""
        offer, talk, media = self._offer, self._transfers.talk, self._transfers.call.with_media()
        assert offer is not None
        relayed = self._relays()
        if relayed is None:
            self._refused(_NO_PORT, "no media port is free")
            return
        holds = self._there.call.with_media().side(self.target).hold is not None
        body = introduced(offer.body, not holds, media.known(self.transferee))
        if body is None:
            self._refused(_NOT_ACCEPTABLE, "no common codec")
            return
        media.join(self.target, relayed)
        media.talks(self.target)
        self._joining = joining = Joining(talk, self.transferee, description(body), self)
        joining.take_turn()
        talk.begin(joining)
        self._wait(_ANSWER_SECONDS, "overdue")

    def connect(self) -> None:
        """From now on transferee and target talk, in the transferee's call."""
        transfers, there, target = self._transfers, self._there, self.target
        offer, answer, soliciting = self._offer, self._answer, self._soliciting
        assert offer is not None and answer is not None and soliciting is not None
        media = transfers.call.with_media()
        if self.consulting not in self._gone:
            there.parted(self.consulting, "system", self.consulting)
        there.let_go(self.consulting, target)
        media.fit(target)
        session = described(offer)
        soliciting.answer(description(returned(answer.body, session)))
        there.talk.left(target)
        transfers.join(self.transferor, target, there, self.transferor)
        media.over(self.transferor)
        transfers.talk.settled(target, offer, self.transferee, answer)
        asked, heard = conversation(session), conversation(described(answer))
        if asked is not None and heard is not None and sends(heard.direction) and not sends(asked.direction):
            # It was held when it made its offer, and is free to speak by now.
            transfers.talk.restate(target, answer)

    def end_consultation(self) -> None:
        """The target has gone from the other call: hang up on the transferor there."""
        if self.consulting not in self._gone:
            self.consulting.end()
        self._there.over(self)

    def wait_for_parting(self) -> None:
        """Leave it to the transferor to hang up, for a moment."""
        if self.transferor in self._gone:
            self._step(AttendedEvent.PARTED)
        else:
            self._wait(_PARTING_SECONDS, "parting")

    def note_parting(self) -> None:
        """The transferor has left a call."""
        leg = self._leaving
        self._gone.add(leg)
        transfers = self._transfers if leg is self.transferor else self._there
        transfers.parted(leg, self._roles[leg], leg)
        if leg is self.transferor and self._notices is not None:
            self._notices.drop()
            self._notices = None

    def end_transferor(self) -> None:
        """Hang up on the transferor, unless it is gone."""
        if self.transferor not in self._gone:
            self._transfers.parted(self.transferor, "system", self.transferor)
            self.transferor.end()

    def go_on_without(self) -> None:
        """The transferor has left one of the calls before the end: its peer waits on, as it did."""
        self.note_parting()
        transfers = self._transfers if self._leaving is self.transferor else self._there
        transfers.call.with_media().stand_in(self._leaving)

    def withdraw(self) -> None:
        """The target's offer is not wanted any more: it is answered as before, if it is on its way."""
        soliciting = self._soliciting
        assert soliciting is not None
        if soliciting.state is ExchangeState.WAITING:
            soliciting.drop()
            self._step(AttendedEvent.REFUSED)

    def drop_joining(self) -> None:
        """The transferee was told of the target in vain: tell it of the transferor again."""
        if self._joining is not None:
            self._joining.drop()
        said = self.transferor.said
        if said is not None and self.transferor not in self._gone:
            self._transfers.talk.restate(self.transferee, said)

    def answer_as_before(self) -> None:
        """Answer the target's offer in the name of the transferor, who stays whom it talks to."""
        offer, soliciting, target, there = self._offer, self._soliciting, self.target, self._there
        assert offer is not None and soliciting is not None
        if self._transfers.call.media is not None:
            self._transfers.call.media.over(target)
        media = there.call.with_media()
        media.fit(target)
        side, before = media.side(target), target.said
        # Where the transferor has gone, nobody is left to answer for, and the end comes at once.
        answer = None if self.consulting in self._gone else own_answer(media, side, offer)
        told = side.told
        soliciting.answer(answer or refusal_of(offer))
        if answer is None:
            return
        there.talk.settled(target, offer, None, None)
        moved = told is None or changes(described(offer), described(before), read(told))
        if moved and not media.is_relayed:
            there.talk.restate(self.consulting, offer)

    def go_back_here(self) -> None:
        """The transferee's call is what it was; without the transferor the transferee has nobody left."""
        self._transfers.call.with_media().over(self.target)
        self._go_back(self._transfers, self.transferor, self.transferee)

    def go_back_there(self) -> None:
        """The target's call is what it was; without the transferor the target has nobody left."""
        self._go_back(self._there, self.consulting, self.target)

    def finish(self) -> None:
        """Be gone."""
        self._transfers.call.stack.turn.timers.cancel(self._timer)
        self._timer = self._soliciting = self._joining = None
        self._there.over(self)
        self._transfers.over(self)

    # Inside.

    def _wait(self, seconds: float, name: str) -> None:
        turn = self.transferor.stack.turn
        turn.timers.cancel(self._timer)
        self._timer = turn.after(seconds, self, name)

    def _go_back(self, transfers: Transfers, transferor: Leg, stays: Leg) -> None:
        if transferor in self._gone:
            transfers.call.end(self._roles[transferor], transferor, ())
            return
        media = transfers.call.with_media()
        media.talks(transferor)
        media.disagreed((stays,))

    def _relays(self) -> bool | None:
        """Whether the media between the two is to flow through us; None where it has to and cannot."""
        one, other = self._transfers.call, self._there.call
        ours = one.with_media()
        wanted = "relay" in (one.mode, other.mode)
        families = [":" in leg.dialog.flow.remote for leg in (self.transferee, self.target)]
        if not (wanted or ours.is_relayed or other.with_media().is_relayed or families[0] != families[1]):
            return False
        if ours.can_relay():
            return True
        return None if wanted else False


_OVER: Final = (AttendedState.RETURNING, AttendedState.ENDED)
_TABLE: Final[Compiled] = compiled(Attended, ATTENDED, AttendedState, {AttendedState.ENDED: ("finish",)})
