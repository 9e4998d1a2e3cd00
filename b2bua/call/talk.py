"""A call whose sides talk: requests that pass between them, holds and resumes, and what we answer or ask ourselves.

Owns which of these a request becomes, and what follows once two descriptions are agreed. Leaves the setting up and
the end to the call, ports and music to `media`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from b2bua.call.events import Content
from b2bua.call.exchange import Exchange
from b2bua.call.glare import Offering, refusal
from b2bua.call.headers import content_of, rendering_of
from b2bua.call.invitation import Invitation
from b2bua.call.leg import ALLOW, Leg, contact_of
from b2bua.call.passage import acknowledge, update
from b2bua.call.proceeding import Proceeding
from b2bua.call.refresh import Refresh, told
from b2bua.call.reply import Reply
from b2bua.call.side import Hold, Side
from b2bua.call.speaking import invitation, own_answer
from b2bua.call.streams import conversation, described
from b2bua.call.transfers import Transfers
from b2bua.effects import Flow, Log, Record
from b2bua.sdp.negotiation import holds, sends
from b2bua.sdp.restating import changes
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.call import Call

HoldEvent: TypeAlias = Literal["hold", "resume"]
Judge: TypeAlias = Callable[[HoldEvent, Leg, float | None], Hold]

# RFC 3261 14.1: after glare the owner of the Call-ID waits from 2.1 to 4 seconds.
_AGAIN_SECONDS: Final = 2.5
_GLARE: Final = 491
_ACCEPT: Final = (("Accept", "application/sdp"),)


class Talk:
    """What goes on in one call. `judge` asks the policy about a hold or a resume of this leg's.

    `transfers` are those of the call, once somebody asked for one.
    """

    __slots__ = ("_again", "_call", "_judge", "_under_way", "transfers")

    def __init__(self, call: Call, judge: Judge) -> None:
        self._call = call
        self._judge = judge
        self._under_way: list[Offering] = []
        self._again: Timer | None = None
        self.transfers: Transfers | None = None

    def __bool__(self) -> bool:
        """Whether requests or a transfer are under way."""
        return bool(self._under_way) or self.transfer is not None

    @property
    def call(self) -> Call:
        """The call that it goes on in."""
        return self._call

    @property
    def under_way(self) -> list[Offering]:
        """The requests under way."""
        return self._under_way

    @property
    def transfer(self) -> Proceeding | None:
        """The transfer under way."""
        return None if self.transfers is None else self.transfers.under_way

    def with_transfers(self) -> Transfers:
        """The call's transfers, for it may be about to have one."""
        if self.transfers is None:
            self.transfers = Transfers(self)
        return self.transfers

    # What the peers bring.

    def requested(self, leg: Leg, far: Leg | None, request: Request, flow: Flow, server: ServerTransaction) -> None:
        """The peer of this leg asks for something: pass it, answer it, or say why not."""
        if request.method == "PRACK":
            acknowledge(self, leg, request, server)
            return
        if request.method == "UPDATE" and not self._call.talking:
            update(self, leg, request, flow, server)
            return
        if request.method == "REFER":
            self.with_transfers().referred(leg, request, flow, server)
            return
        ready = leg.confirmed and (far is None or far.confirmed)
        restatement = self._restatement(leg, request) if ready else None
        refused = refusal(request, leg, ready, self._under_way if restatement is None else self._between_us(leg))
        if refused is not None:
            server.respond(refused.status, leg.dialog.local_tag, refused.headers)
            return
        if request.method in ("INVITE", "UPDATE"):
            leg.dialog.retarget(request, flow, leg.stack.ways)
        if request.method == "INVITE":
            server.respond(100, "")
        if request.method == "UPDATE" and not request.body and rendering_of(request) is None:
            # It says that its sender is there, which the other side need not hear (RFC 4028 section 10).
            server.respond(200, leg.dialog.local_tag, self._fields(leg, request))
            return
        description = restatement or self._own_description(leg, request)
        if description is not None:
            reply = Reply(self, leg, request, server)
            self._under_way.append(reply)
            reply.start(description)
        elif far is not None:
            self._under_way.append(Exchange(self, leg, far, request, server))
        else:
            # What we serve ourselves is a session, and nothing else.
            status = 488 if request.method in ("INVITE", "UPDATE") else 415
            server.respond(status, leg.dialog.local_tag, _ACCEPT)

    def acknowledged(self, leg: Leg, request: Request) -> bool:
        """An ACK of a 2xx came: whether it belongs to one of these."""
        return any(offering.near is leg and offering.acknowledged(request) for offering in self._under_way)

    def begin(self, offering: Offering) -> None:
        """A request passes between early dialogs, or tells a party of another."""
        self._under_way.append(offering)

    # What comes of it.

    def settled(
        self, near: Leg | None, said: Content | None, far: Leg | None, far_said: Content | None, late: bool = False
    ) -> None:
        """An offer and its answer hold: `near` sent the request, `far` answered it; None where that was us.

        `late` is whether the offer was the answerer's, as with a re-INVITE without one: whoever then answers an offer
        that sends nothing has no choice but not to receive, which is no hold.
        """
        media = self._call.with_media()
        chose = not late or _leaves_choice(far_said)
        for leg, description, own in ((near, said, chose), (far, far_said, False)):
            if leg is not None and description is not None and description.around is not None:
                leg.said = description
                self._note(media.side(leg), own)
        media.agreed((near, far))
        self.invite_to_music()

    def weigh(self, leg: Leg, answer: Content, offer: Content) -> None:
        """Ask the policy before this leg has answered the other's offer, if that answer is a hold."""
        side = self._call.with_media().side(leg)
        if answer.around is not None and side.hold is None and _leaves_choice(offer) and holds(described(answer)):
            side.proposed = self._judge("hold", leg, None)

    def refused(self, near: Leg, far: Leg) -> None:
        """An offer between these two came to nothing."""
        if self._call.media is not None:
            self._call.media.disagreed((near, far))

    def declined(self, leg: Leg, status: int) -> None:
        """A party does not come to our music: it hears nothing, and the call lives."""
        media = self._call.with_media()
        media.disagreed((leg,))
        turn = leg.stack.turn
        if status == _GLARE:
            self._again = turn.after(_AGAIN_SECONDS, self, "again")
            return
        media.side(leg).declined = True
        media.update()
        turn.effects.append(Log("warning", "music declined", {"call": self._call.id, "status": status}))

    def over(self, offering: Offering) -> None:
        """It is done."""
        self._under_way.remove(offering)
        transfer = self.transfer
        if transfer is not None:
            transfer.quiet()
        self.invite_to_music()
        self._call.finish_if_over()

    def refresh(self, leg: Leg) -> None:
        """Refresh the session with this leg's peer: by UPDATE where it has that, or where we never told it anything."""
        self._begin_refresh(leg, None if leg.timer.by_update else told(self._call, leg))

    def catch_up(self, leg: Leg) -> None:
        """Tell this leg's peer what the other side has said before the answer, when it could not be asked."""
        self._begin_refresh(leg, self._call.incoming.said)

    def is_open(self, leg: Leg) -> bool:
        """Whether an offer is under way between this leg and us."""
        return any(offering.offers for offering in self._between_us(leg))

    def is_asked_by(self, leg: Leg) -> bool:
        """Whether a request of this leg's peer is under way."""
        return any(offering.near is leg for offering in self._under_way)

    def restated(self, leg: Leg, said: Content, answer: Content | None) -> None:
        """A party has answered what we `said` once more. That holds; the other hears of it if it matters."""
        before = leg.said
        if answer is None or (before is not None and answer.around == before.around):
            return
        changed = changes(described(answer), described(before), described(said))
        if changed or self._call.media is not None:
            self.settled(None, None, leg, answer)
        other = self._far(leg)
        if changed and other is not None and other.confirmed:
            self._begin_refresh(other, answer)

    def restate(self, leg: Leg, said: Content) -> None:
        """Tell this leg's peer that the other party describes itself otherwise than it was told."""
        self._begin_refresh(leg, said)

    def said_beyond(self, leg: Leg) -> Content | None:
        """What the other party of this leg's says of itself, as agreed."""
        far = self._far(leg)
        return None if far is None else far.said

    def unmoved(self, leg: Leg) -> None:
        """A party does not take what the other has said in answer to a refresh."""
        self._call.with_media().disagreed((leg,))

    def invite_to_music(self) -> None:
        """Ask whoever shall hear music, and is not in our media's way, to take it from us."""
        media = self._call.media
        if media is None or self._again is not None or not self._call.talking:
            return
        for side in media.uninvited():
            leg = side.leg
            if self.is_open(leg):
                continue
            offer = invitation(media, side)
            if offer is not None:
                self._under_way.append(Invitation(self, leg, offer))

    def timer_fired(self, name: str) -> None:
        """After glare: ask again, if there is still something to ask for."""
        self._again = None
        self._call.stack.turn.concerned = self._call
        self.invite_to_music()

    def drop(self) -> None:
        """The call ends."""
        self._stop()
        transfers = self.transfers
        if transfers is not None and transfers.under_way is not None:
            transfers.under_way.drop(transfers)
        for offering in list(self._under_way):
            offering.drop()

    def does_without(self, leg: Leg) -> bool:
        """A leg is gone: whether the call goes on for those that are left, as in a transfer."""
        transfer = self.transfer
        return transfer is not None and transfer.does_without(leg)

    def recorded(self, leg: Leg, record: Record) -> Record:
        """The record of a leg that is over, with what transfers know of it."""
        return record if self.transfers is None else self.transfers.recorded(leg, record)

    def left(self, leg: Leg) -> None:
        """A leg is over: what is under way with it has come to nothing."""
        for offering in [each for each in self._under_way if leg in (each.near, each.asked)]:
            offering.drop()

    def abolish(self) -> None:
        """Be gone without another word."""
        self._stop()
        transfers = self.transfers
        if transfers is not None and transfers.under_way is not None:
            transfers.under_way.forget(transfers)
            transfers.under_way = None
        for offering in self._under_way:
            offering.forget()
        self._under_way = []

    # Inside.

    def _far(self, leg: Leg) -> Leg | None:
        near, far = self._call.sides
        return far if leg is near else near

    def _between_us(self, leg: Leg) -> list[Offering]:
        return [offering for offering in self._under_way if leg in (offering.near, offering.asked)]

    def _fields(self, leg: Leg, request: Request) -> tuple[tuple[str, str], ...]:
        stack = leg.stack
        refreshing = stack.refreshing
        timer = refreshing.accepted(leg, refreshing.offered(leg, request))
        return (contact_of(leg.dialog, stack.ways.place(leg.dialog.flow)), ALLOW, *timer)

    def _begin_refresh(self, leg: Leg, content: Content | None) -> None:
        refresh = Refresh(self, leg, content)
        self._under_way.append(refresh)
        refresh.start()

    def _restatement(self, leg: Leg, request: Request) -> Content | None:
        """What we answer to a party that says the very same as before: what it was told before (RFC 3264 section 8)."""
        if request.method not in ("INVITE", "UPDATE") or leg.said is None or request.body != leg.said.body:
            return None
        return told(self._call, leg) if rendering_of(request) is None else None

    def _own_description(self, leg: Leg, request: Request) -> Content | None:
        """What we answer to an offer on the other's behalf; None where the other is to be asked.

        A holder whose peer hears our music is answered by us, and so is the resume of a hold that the other never
        heard of, and whoever hears music from a port beside the media's way. What its Contact says of rendering has to
        cross.
        """
        content = content_of(request)
        offer = content if content is not None and content.around is not None else None
        if request.method not in ("INVITE", "UPDATE") or (offer is None and (content or request.method == "UPDATE")):
            return None
        media = self._call.with_media()
        side = media.side(leg)
        other = media.other(side)
        if other is None:
            # Nobody is there to be held.
            return own_answer(media, side, offer)
        side.saying = offer
        held = side.hold is not None
        now = holds(described(offer)) if offer is not None else held
        if now and not held:
            side.proposed = self._judge("hold", leg, None)
        if rendering_of(request) is not None:
            return None
        relayed = media.is_relayed
        if now:
            ours = side.plays and (relayed or offer is not None) and media.can_play(other)
        else:
            ours = held and side.plays and relayed and offer is not None and media.knows(other, offer)
        return own_answer(media, side, offer) if ours or (side.playing and side.is_beside) else None

    def _note(self, side: Side, own: bool) -> None:
        """A party has said something else of itself: a hold began, or is over, and the policy is asked."""
        now, turn = holds(side.said), side.leg.stack.turn
        served = self._call.with_media().far is None
        if now and own and side.hold is None and not served:
            side.hold = side.proposed or self._judge("hold", side.leg, None)
            side.held_at = turn.wall
        elif not now and side.hold is not None:
            self._judge("resume", side.leg, turn.wall - side.held_at)
            side.hold = None
        side.proposed = None

    def _stop(self) -> None:
        self._call.stack.turn.timers.cancel(self._again)
        self._again = None


def _leaves_choice(offer: Content | None) -> bool:
    """Whether the one who answers this offer could choose to receive."""
    offered = conversation(described(offer))
    return offered is None or sends(offered.direction)
