"""What transfers make of a call: who talks to whom, who they are, and the transfer under way.

Owns what becomes of a REFER (RFC 3515 2.4): refused here, or for the policy to decide. Leaves a transfer's steps to
`transfer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from b2bua.call.leg import ALLOW, Leg, contact_of
from b2bua.call.notices import Notices
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.transfer import Role, Transfer
from b2bua.effects import Flow, Record
from b2bua.routing.referring import Party, called, calling, referred_by
from b2bua.routing.verdicts import Reject
from b2bua.routing.verdicts import Transfer as Verdict
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.refer import NO_SUBSCRIPTION, Reference, reference_of
from b2bua.transaction.server import ServerTransaction

if TYPE_CHECKING:
    from b2bua.call.call import Call
    from b2bua.call.talk import Talk

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

    __slots__ = ("_by", "_parted", "_parties", "_referred", "call", "pair", "talk", "under_way")

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.call: Call = talk.call
        self.pair: tuple[Leg, Leg] | None = None
        self.under_way: Transfer | None = None
        self._parties: dict[Leg, Party] = {}
        self._parted: dict[Leg, tuple[Role | Literal["system"], str]] = {}
        self._referred: set[Leg] = set()
        self._by = ""

    def party(self, leg: Leg) -> Party:
        """Who is there."""
        known = self._parties.get(leg)
        if known is None:
            known = self._parties[leg] = party_in(self.call, leg)
        return known

    # A REFER.

    def referred(self, leg: Leg, request: Request, flow: Flow, server: ServerTransaction) -> None:
        """The peer of this leg wants the other party to call somebody: ask whether it may, or say why not."""
        tag = leg.dialog.local_tag
        try:
            other = self._other(leg, request)
            reference = reference_of(request)
            if not self.call.inquiry.is_ours(reference.uri):
                raise PeerError(404, "Not Found")
            verdict = self._decided(leg, other, reference)
        except PeerError as error:
            server.respond(error.status, tag, error.headers, reason=error.reason)
            return
        dialog, stack = leg.dialog, leg.stack
        dialog.retarget(request, flow, stack.ways)
        notices = self._notices(leg, request, verdict)
        silence = (NO_SUBSCRIPTION,) if reference.silent else ()
        headers = (contact_of(dialog, stack.ways.place(dialog.flow)), ALLOW, *silence)
        server.respond(202, tag, headers)
        self._begin(leg, other, verdict, None if reference.silent else notices)

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

    def _decided(self, leg: Leg, other: Leg, reference: Reference) -> Verdict:
        """What the policy says. PeerError where it refuses."""
        call = self.call
        by_caller, wall = call.is_caller(leg), call.stack.turn.wall
        call.renew()
        decision = call.inquiry.refer(self.party(leg), self.party(other), by_caller, reference.uri, wall)
        call.note(decision)
        action = decision.action
        if isinstance(action, Verdict):
            return action
        code, reason = (action.code, action.reason) if isinstance(action, Reject) else (500, None)
        raise PeerError(code, reason or "")

    def _notices(self, leg: Leg, request: Request, verdict: Verdict) -> Notices:
        first = leg not in self._referred
        self._referred.add(leg)
        return Notices(leg, None if first else request.cseq.number, verdict.seconds + _MARGIN_SECONDS)

    def _begin(self, leg: Leg, other: Leg, verdict: Verdict, notices: Notices | None) -> None:
        call, dialog = self.call, other.dialog
        contact = None if other.seen_at is None else dialog.target
        call.inquiry.call_for(self.party(other), dialog.flow, contact, verdict.target)
        headers = referred_by(self.party(leg), verdict.target, call.inquiry.policy)
        role: Role = "caller" if leg is call.sides[0] else "callee"
        self.under_way = transfer = Transfer(self, leg, other, role, notices)
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

    def parted(self, leg: Leg, by: Role | Literal["system"], transferor: Leg) -> None:
        """A transferor has left the call, or its target has, or they were made to."""
        self._parted[leg] = (by, self.party(transferor).name or "")

    def over(self, transfer: Transfer) -> None:
        """It is done."""
        if self.under_way is transfer:
            self.under_way = None
        self.call.finish_if_over()

    def recorded(self, leg: Leg, record: Record) -> Record:
        """The record of a leg of this call, with what only its transfers know."""
        parting = self._parted.pop(leg, None)
        if parting is None:
            return msgspec.structs.replace(record, transferred_by=self._by)
        by, transferred_by = parting
        return msgspec.structs.replace(record, transferred_by=transferred_by, hung_up_by=by)
