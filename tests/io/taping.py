"""Messages as the edge hands them over to be kept, and records as the core does."""

from __future__ import annotations

from b2bua.effects import Flow, Record
from b2bua.io.shell import Taped

FLOW = Flow("UDP", "127.0.0.1", 5060, "192.0.2.1", 5080)


def taped(call_id: str, start: str = "INVITE sip:b@h SIP/2.0", wall: float = 0.0, *, body: bytes = b"") -> Taped:
    """A message with this start line; what begins with SIP/2.0 is sent by us."""
    head = f"{start}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\r\n"
    return wall, start.startswith("SIP/"), FLOW, head.encode() + body


def record(call: str, call_id: str, *, leg: int = 0, by: str = "caller", ends: bool = True, joined: str = "") -> Record:
    """The record of a leg; with it the call `ends`, or goes on."""
    return Record(
        call=call,
        leg=leg,
        direction="in" if leg == 0 else "out",
        sip_call_id=call_id,
        caller="alice",
        callee="bob",
        target="",
        source="192.0.2.1",
        start=float(leg),
        answer=1.0 if by else None,
        end=2.0,
        cause=200 if by else 486,
        reason="",
        hung_up_by=by,  # type: ignore[arg-type]
        policy="abc",
        rules=(),
        joined=joined,
        over=(call,) if ends else (),
    )
