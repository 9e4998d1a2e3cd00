"""A request of ours that comes back to us: a loop, or a spiral (RFC 3261 16.3 item 4, RFC 5393 section 4.2).

A proxy keeps From and Call-ID, so that what comes back is known by the leg that it left on. The policy sees a call by
what was dialled and where it comes from: with the same of both once more it would go the same way again, which is a
loop. Anything else is a spiral, as of a number that the carrier brings back to us, and goes on, a few times. Another
B2BUA keeps neither, and Max-Forwards, Max-Breadth, Diversion and History-Info, which it should, end what goes through
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from b2bua.call.call import Call
from b2bua.call.leg import Leg
from b2bua.call.outgoing import OutgoingLeg
from b2bua.routing.facts import dialed_of
from b2bua.sip.message import Request

_MOST_TURNS: Final = 5


def is_loop(legs: Mapping[str, Leg], request: Request, trunk: str | None, source: str) -> bool:
    """Whether an INVITE left us for the same call before, or too often; `legs` are those here by their tag."""
    dialed = dialed_of(request)
    tag, call_id = request.from_tag, request.call_id
    for _ in range(_MOST_TURNS):
        leg = legs.get(tag or "")
        if not isinstance(leg, OutgoingLeg) or leg.dialog.call_id != call_id:
            return False
        call = leg.call
        assert isinstance(call, Call)
        facts = call.inquiry.facts
        if facts.dialed == dialed and (facts.trunk, facts.source if trunk is None else source) == (trunk, source):
            return True
        before = call.incoming.dialog
        tag, call_id = before.remote_tag, before.call_id
    return True
