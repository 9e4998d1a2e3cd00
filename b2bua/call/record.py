"""What is left of a leg when it is over: one call detail record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from b2bua.call.leg import Leg
from b2bua.call.outgoing import OutgoingLeg
from b2bua.effects import Record

if TYPE_CHECKING:
    from b2bua.call.call import Call


def record(call: Call, leg: Leg) -> Record:
    """The record of a leg of this call that is over."""
    direction: Literal["in", "out"] = "in"
    target = party = ""
    if isinstance(leg, OutgoingLeg):
        direction = "out"
        destination = leg.destination
        party = destination.party
        target = destination.uri if destination.trunk is None else f"{destination.uri} via {destination.trunk}"
    answer = leg.answered_at
    return Record(
        call=call.id,
        leg=leg.number,
        direction=direction,
        sip_call_id=leg.dialog.call_id,
        caller=call.caller,
        callee=call.callee,
        target=target,
        source=call.source,
        start=leg.started_at,
        answer=answer,
        end=leg.stack.turn.wall if leg.ended_at is None else leg.ended_at,
        cause=leg.cause,
        reason=leg.reason,
        hung_up_by="" if answer is None else call.hung_up_by,
        party=party,
        policy=call.inquiry.began_with,
        rules=call.rules,
        tags=call.tags,
        over=() if call.live else (call.id,),
    )
