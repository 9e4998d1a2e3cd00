"""What transfers make of a call: who talks to whom, who they are, and the transfer under way.

Owns what becomes of a REFER (RFC 3515 2.4): refused here, or for the policy to decide. Leaves a transfer's steps to
`transfer`, and to `attended` where the transferor talks to the target already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from b2bua.call.attended import Attended
from b2bua.call.events import Content
from b2bua.call.leg import ALLOW, Leg, contact_of
from b2bua.call.notices import Notices
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.proceeding import Proceeding
from b2bua.call.record import record
from b2bua.call.replacement import Replacement
from b2bua.call.transfer import Role, Transfer
from b2bua.effects import Flow, Record
from b2bua.routing.referring import Party, called, calling, referred_by
from b2bua.routing.verdicts import Reject
from b2bua.routing.verdicts import Transfer as Verdict
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.refer import NO_SUBSCRIPTION, Reference, reference_of
from b2bua.sip.replaces import REPLACES, Replaces
from b2bua.transaction.server import ServerTransaction

if TYPE_CHECKING:
    from b2bua.call.call import Call
    from b2bua.call.talk import Talk

There: TypeAlias = "tuple[Transfers, Leg, Leg]"
"""Another call: its transfers, the transferor's leg there, and whom that one talks to."""

# What a subscription lasts beyond the time that the target may ring, in seconds.
_MARGIN_SECONDS: Final = 60.0


def party_in(call: Call, leg: Leg) -> Party:
    """Who is at this leg of a call, before anybody is transferred in it."""
    inquiry = call.inquiry
    if isinstance(leg, OutgoingLeg):
        return called(leg.destination, inquiry.policy)
    return calling(inquiry.facts, inquiry.identity)


class Transfers:
    """The transfers of one call. `pair` is who talks now, in the places of caller and called; `under_way` the one that
    is not over yet.
    """

    __slots__ = ("_by", "_guests", "_joined", "_parted", "_parties", "_referred", "call", "pair", "talk", "under_way")

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.call: Call = talk.call
        self.pair: tuple[Leg, Leg | None] | None = None
        self.under_way: Proceeding | None = None
        self._guests: dict[Leg, Guest] = {}
        self._parties: dict[Leg, Party] = {}
        self._parted: dict[Leg, tuple[Role | Literal["system"], str]] = {}
        self._referred: set[Leg] = set()
        self._by = ""
        self._joined = ""

    def party(self, leg: Leg) -> Party:
        """Who is there."""
        known = self._parties.get(leg)
        if known is None:
            known = self._parties[leg] = party_in(self.call, leg)
        return known

    def role(self, leg: Leg) -> Role:
        """In whose place a leg is, of the two that talk."""
        return "caller" if leg is self.call.sides[0] else "callee"

    # A REFER.

    def referred(self, leg: Leg, request: Request, flow: Flow, server: ServerTransaction) -> None:
        """The peer of this leg wants the other party to call somebody: ask whether it may, or say why not."""
        tag = leg.dialog.local_tag
        try:
            other = self._other(leg, request)
            reference = reference_of(request)
            there = None if reference.replaces is None else self._consulted(leg, reference.replaces, request)
            if there is None and not self.call.inquiry.is_ours(reference.uri):
                raise PeerError(404, "Not Found")
            verdict = self._decided(leg, other, reference, there)
        except PeerError as error:
            server.respond(error.status, tag, error.headers, reason=error.reason)
            return
        dialog, stack = leg.dialog, leg.stack
        dialog.retarget(request, flow, stack.ways)
        notices = self._notices(leg, request, verdict)
        silence = (NO_SUBSCRIPTION,) if reference.silent else ()
        headers = (contact_of(dialog, stack.ways.place(dialog.flow)), ALLOW, *silence)
        server.respond(202, tag, headers)
        heard = None if reference.silent else notices
        if there is None:
            self._begin(leg, other, verdict, heard, reference.replaces)
        else:
            self.under_way = attended = Attended(self, leg, other, *there, heard)
            there[0].under_way = attended
            attended.start()

    def _other(self, leg: Leg, request: Request) -> Leg:
        """Whom this leg can have go elsewhere. PeerError where there is nobody, or it is not the time."""
        if request.max_forwards == 0:
            raise PeerError(483, "Too Many Hops")
        near, far = self.call.sides
        if leg is not near and leg is not far:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        other = far if leg is near else near
        if other is None:
            raise PeerError(403, "Nobody To Be Transferred")
        if not (leg.confirmed and other.confirmed) or self.under_way is not None:
            raise PeerError(491, "Request Pending")
        return other

    def _consulted(self, leg: Leg, replaces: Replaces, request: Request) -> There | None:
        """The call in which this leg's peer talks to the target already; None where that is none of ours.

        PeerError where somebody else does, or it is not the time.
        """
        own = leg.stack.legs.get(replaces.to_tag)
        if own is None or not own.is_dialog(replaces.call_id, replaces.to_tag, replaces.from_tag):
            return None
        if replaces.early_only and own.confirmed:
            raise PeerError(486, "Answered Already")
        if own.call is leg.call or not own.confirmed:
            raise PeerError(403, "Nobody To Be Transferred To")
        there = own.call.transfers_there()
        accounts = (self.party(leg).account, there.party(own).account)
        same = _address(leg) == _address(own) if None in accounts else accounts[0] == accounts[1]
        if not same:
            raise PeerError(403, "Somebody Else's Call")
        target = there._other(own, request)
        secure = self.call.inquiry.secure or there.call.inquiry.secure
        if secure and not all(each.dialog.flow.transport == "TLS" for each in (self._other(leg, request), target)):
            raise PeerError(403, "One Of The Calls Is For TLS Alone")
        return there, own, target

    def _decided(self, leg: Leg, other: Leg, reference: Reference, there: There | None) -> Verdict:
        """What the policy says. PeerError where it refuses."""
        call = self.call
        by_caller, wall = call.is_caller(leg), call.stack.turn.wall
        call.renew()
        target = None if there is None else there[0].party(there[2])
        decision = call.inquiry.refer(self.party(leg), self.party(other), by_caller, reference.uri, target, wall)
        call.note(decision)
        action = decision.action
        if isinstance(action, Verdict):
            if there is not None:
                there[0].call.credit(decision)
            return action
        code, reason = (action.code, action.reason) if isinstance(action, Reject) else (500, None)
        raise PeerError(code, reason or "")

    # An INVITE with Replaces.

    def whom(self, leg: Leg, request: Request) -> Leg:
        """Whom a newcomer in this leg's place would talk to. PeerError where there is nobody, or it is not the time."""
        return self._other(leg, request)

    def take(self, leg: Leg, far: Leg, newcomer: Call, offer: Content) -> None:
        """The newcomer is to have this leg's place."""
        self.under_way = replacement = Replacement(self, leg, far, newcomer, offer)
        replacement.start()

    def _notices(self, leg: Leg, request: Request, verdict: Verdict) -> Notices:
        first = leg not in self._referred
        self._referred.add(leg)
        return Notices(leg, None if first else request.cseq.number, verdict.seconds + _MARGIN_SECONDS)

    def _begin(
        self, leg: Leg, other: Leg, verdict: Verdict, notices: Notices | None, replaces: Replaces | None
    ) -> None:
        call, dialog = self.call, other.dialog
        contact = None if other.seen_at is None else dialog.target
        call.inquiry.call_for(self.party(other), dialog.flow, contact, verdict.target)
        headers = referred_by(self.party(leg), verdict.target, call.inquiry.policy)
        if replaces is not None:
            # A dialog of somebody else's: whoever is called knows it, or does not.
            headers += (("Replaces", str(replaces)), ("Require", REPLACES))
        self.under_way = transfer = Transfer(self, leg, other, self.role(leg), notices)
        transfer.start(verdict, headers)

    # What comes of it.

    def came(self, leg: Leg) -> None:
        """Somebody else is in the call from now on."""
        account = self.party(leg).account
        if account is not None:
            self.call.enter(account)

    def replace(self, before: Leg, after: Leg) -> None:
        """From now on that leg's party talks in the place of this one's."""
        near, far = self.call.sides
        if far is None:
            return
        self._by = self.party(before).name or ""
        self.pair = (after if near is before else near, after if far is before else far)

    def let_go(self, stays: Leg, goes: Leg) -> None:
        """A leg is about to go on in another call; what is left of this one, with the other leg, is its end."""
        media = self.call.with_media()
        media.over(goes)
        media.over(stays)
        self.pair = (stays, None)

    def join(self, before: Leg, after: Leg, there: Transfers, by: Leg) -> None:
        """From now on that leg of the other call's talks here, in the place of this one's; the party of `by` did it."""
        call, other = self.call, there.call
        guest = there._guests.pop(after, None)
        if guest is None:
            trunk = other.trunk if after is other.incoming else None
            guest = Guest(record(other, after), trunk)
        self._guests[after] = guest
        self._parties[after] = there.party(after)
        self._joined, there._joined = other.id, call.id
        call.take_over(after, other)
        self.replace(before, after)
        self._by = there._by = self.party(by).name or ""

    def parted(self, leg: Leg, by: Role | Literal["system"], transferor: Leg) -> None:
        """A transferor has left the call, or its target has, or they were made to."""
        account = self.party(leg).account
        if account is not None:
            self.call.leave(account)
        self._parted[leg] = (by, self.party(transferor).name or "")

    def over(self, transfer: Proceeding) -> None:
        """It is done."""
        if self.under_way is transfer:
            self.under_way = None
            self.call.finish_if_over()

    def recorded(self, leg: Leg, record: Record) -> Record:
        """The record of a leg of this call, with what only its transfers know."""
        by, transferred_by = self._parted.pop(leg, (record.hung_up_by, self._by))
        changed = msgspec.structs.replace(record, transferred_by=transferred_by, hung_up_by=by, joined=self._joined)
        guest = self._guests.pop(leg, None)
        if guest is None:
            return changed
        if guest.trunk is not None:
            self.call.inquiry.meters.free_channel(guest.trunk)
        return guest.recorded(changed)


class Guest:
    """A leg that came from another call: what its record says of that one, and the trunk by which it called us."""

    __slots__ = ("_before", "trunk")

    def __init__(self, before: Record, trunk: str | None) -> None:
        self._before = before
        self.trunk = trunk

    def recorded(self, record: Record) -> Record:
        """Its record at the end: one of the call that it began in, and joined with this one."""
        before = self._before
        return msgspec.structs.replace(
            record,
            call=before.call,
            leg=before.leg,
            caller=before.caller,
            callee=before.callee,
            source=before.source,
            policy=before.policy,
            rules=before.rules,
            tags=before.tags,
            joined=record.call,
            over=(*record.over, before.call),
        )


def _address(leg: Leg) -> str:
    """Where a leg's peer is."""
    return leg.seen_at or leg.dialog.flow.remote
