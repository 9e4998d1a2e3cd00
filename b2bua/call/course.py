"""The course of a called leg's INVITE: where it goes first, and where next when that way has failed.

Owns the ways that there are: the next target of a name (RFC 3263 4.3), a stream for what is too large for a datagram,
a datagram where no stream is taken (RFC 3261 18.1.1), and the phone's other flow (RFC 5626 5.3); and what becomes of
the leg without any. Leaves which target has its turn to `attempts`, and sending to the leg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.forks import forsake
from b2bua.call.tables import LegEvent, LegState
from b2bua.effects import Address, Flow

if TYPE_CHECKING:
    from b2bua.call.outgoing import OutgoingLeg

UNDECIDED: Final = (LegState.CALLING, LegState.PROCEEDING)
"""In which an INVITE may still be sent anew."""

_SILENT: Final = "no response"
_CUT_OFF: Final = "the next hop cannot be reached"


def set_out(leg: OutgoingLeg, flow: Flow | None) -> None:
    """The INVITE goes by this flow, or nowhere."""
    if flow is not None:
        leg.dialog.flow = flow
        leg.step(LegEvent.RESOLVED)
    else:
        leg.fail(f"none of our sockets can reach {leg.destination.hop.uri.host}")


def by_stream(leg: OutgoingLeg) -> bool:
    """Have what is too large for a datagram go by a stream; False where the way is bound to another (18.1.1)."""
    dialog, ways = leg.dialog, leg.stack.ways
    flow = dialog.flow
    unbound = not dialog.pinned and not leg.streams_refused and leg.destination.hop.transport is None
    if not unbound or flow.transport != "UDP" or not ways.has("TCP", flow.remote):
        return False
    leg.datagram_flow = flow
    dialog.flow = ways.flow_to(Address("TCP", flow.remote, flow.remote_port)) or flow
    return True


def to_next_target(leg: OutgoingLeg, why: str, seconds: float | None = None) -> bool:
    """The target at work failed: try the next one, unless the call is under way there, or not wanted any more.

    A 100 before a 503 says nothing of the call, a lost connection after one might leave it behind. The target is passed
    over for `seconds`, where it said for how long.
    """
    attempts = leg.attempts
    if attempts is None:
        return False
    attempts.failed(why, seconds)
    waiting = leg.state is LegState.CALLING
    refused = leg.state is LegState.PROCEEDING and leg.response is not None and not leg.rang
    flow = attempts.elsewhere() if waiting or refused else None
    if flow is None:
        return False
    leg.dialog.flow = flow
    if leg.proof is not None:
        leg.proof.move()
    leg.datagram_flow = None
    leg.streams_refused = False
    return leg.step(LegEvent.ELSEWHERE)


def by_another_flow(leg: OutgoingLeg, status: int = 0) -> bool:
    """Whether the phone has another flow, by which the INVITE goes now (RFC 5626 5.3)."""
    if status == 430:
        leg.stack.flow_gone(leg.destination)
    spare = leg.destination.spare
    if spare is None or leg.state not in UNDECIDED:
        return False
    leg.aim(spare)
    leg.settle()
    return leg.step(LegEvent.ANOTHER_FLOW)


def silent(leg: OutgoingLeg) -> None:
    """Nothing came back from where the INVITE went: the next address may do better (RFC 3263 4.3)."""
    if not to_next_target(leg, _SILENT) and not by_another_flow(leg):
        leg.cause, leg.reason = 408, _SILENT
        leg.step(LegEvent.UNREACHABLE)


def undelivered(leg: OutgoingLeg) -> None:
    """The INVITE could not be delivered; one that went by a stream for its size tries a datagram (18.1.1)."""
    if leg.datagram_flow is not None and leg.state is LegState.CALLING:
        leg.dialog.flow = leg.datagram_flow
        leg.datagram_flow = None
        leg.streams_refused = True
        leg.step(LegEvent.ELSEWHERE)
        return
    why = leg.stack.turn.why or _CUT_OFF
    if not to_next_target(leg, why) and not by_another_flow(leg):
        leg.cause, leg.reason = 503, why
        leg.step(LegEvent.UNREACHABLE)


def unheard(leg: OutgoingLeg) -> None:
    """Not a word from the target at work, and others are left (RFC 3263 4.3)."""
    invite = leg.invite
    if to_next_target(leg, _SILENT) and invite is not None:
        forsake(leg.stack, invite, leg.offer is not None)


def late(leg: OutgoingLeg) -> None:
    """Finding the next hop and trying its targets have taken as long as one transaction may."""
    if leg.state is LegState.RESOLVING:
        leg.fail("the name was not resolved in time")
    elif leg.state is LegState.CALLING and leg.invite is not None:
        forsake(leg.stack, leg.invite, leg.offer is not None)
        leg.invite = None
        to_next_target(leg, _SILENT)
        if not by_another_flow(leg):
            leg.cause, leg.reason = 408, _SILENT
            leg.step(LegEvent.UNREACHABLE)
