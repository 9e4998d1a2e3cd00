"""An INVITE that is to take the place of a dialog of ours (RFC 3891 section 3).

Owns finding that dialog, what can be refused without a call, and asking the policy. Leaves the rest to
`b2bua.call.replacement`.

Deviation: a dialog that still rings is not taken, but counts as none (481), though we have called there.
"""

from __future__ import annotations

from b2bua.call.call import Call
from b2bua.call.events import Content
from b2bua.call.leg import Leg
from b2bua.core.parts import Parts
from b2bua.effects import Flow
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.verdicts import Reject, Transfer
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.replaces import replaces_of
from b2bua.transaction.server import ServerKey


def take_place(
    parts: Parts, inquiry: Inquiry, request: Request, flow: Flow, key: ServerKey, offer: Content | None
) -> None:
    """Let whoever sent this INVITE have the place that it names. PeerError where that cannot be, or may not."""
    leg = _named(parts, request)
    if offer is None or offer.around is None:
        raise PeerError(488, "An Offer Is Needed To Take A Place")
    transfers = leg.call.transfers_there()
    far, call = transfers.whom(leg, request), transfers.call
    if (inquiry.secure or call.inquiry.secure) and not flow.transport == far.dialog.flow.transport == "TLS":
        raise PeerError(403, "One Of The Calls Is For TLS Alone")
    decision = inquiry.take_place(transfers.party(far), parts.turn.wall)
    action = decision.action
    if not isinstance(action, Transfer):
        code, reason = (action.code, action.reason) if isinstance(action, Reject) else (500, None)
        raise PeerError(code, reason or "")
    transaction = parts.transactions.begin_server(request, flow, key)
    transaction.respond(100, "")
    newcomer = Call(parts.stack, inquiry, request, flow, transaction, offer, 0, None, parts.call_over)
    parts.call_begun(newcomer)
    parts.turn.count("calls")
    newcomer.note(decision)
    call.credit(decision)
    transfers.take(leg, far, newcomer, offer)


def _named(parts: Parts, request: Request) -> Leg:
    """The leg whose dialog Replaces names."""
    values = request.all("Replaces")
    if len(values) > 1:
        raise PeerError(400, "More Than One Replaces")
    replaces = replaces_of(values[0])
    leg = parts.stack.legs.get(replaces.to_tag)
    named = leg is not None and leg.is_dialog(replaces.call_id, replaces.to_tag, replaces.from_tag)
    if leg is None or not named or not leg.confirmed:
        raise PeerError(481, "Call/Transaction Does Not Exist")
    if replaces.early_only:
        raise PeerError(486, "Answered Already")
    return leg
