"""What a leg through a trunk tells of that trunk: whether it dealt with the call.

Owns reading an outcome so. Silence, a transport that is broken and 503 speak against a trunk; every other word of its
own for it, a refusal too: a number may be wrong, a line busy. A 100 says nothing, for whoever stands before a dead
gateway sends it. Each leg tells once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from b2bua.call.events import Rejected
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.tables import LegState

_OVERLOADED: Final = 503
# What a leg that was given up has as its cause when nothing came back, or nothing could be sent.
_SILENT: Final = (408, 503)


def served(leg: OutgoingLeg) -> None:
    """The called side rings or answers."""
    witness, leg.witness = leg.witness, None
    if witness is not None:
        witness.succeeded()


def refused(leg: OutgoingLeg, rejection: Rejected) -> None:
    """The leg came to nothing."""
    witness, leg.witness = leg.witness, None
    if witness is None:
        return
    if rejection.reached and rejection.status != _OVERLOADED:
        witness.succeeded()
    else:
        witness.failed(f"{rejection.status} {rejection.reason}" if rejection.reached else rejection.reason)


def unheard(legs: Iterable[OutgoingLeg]) -> None:
    """The time of a step is over: those that have not even had a 100 were heard by nobody."""
    for leg in legs:
        if leg.witness is not None and leg.state is LegState.CALLING:
            witness, leg.witness = leg.witness, None
            witness.failed("no response in time")


def forsaken(leg: OutgoingLeg) -> None:
    """The leg is over; it was given up, and silence is all the same what it met."""
    witness, leg.witness = leg.witness, None
    if witness is None:
        return
    if leg.cause in _SILENT:
        witness.failed(leg.reason)
    else:
        witness.left()
