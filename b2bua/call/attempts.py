"""The targets of one INVITE, tried one after the other until somebody takes it in hand (RFC 3263 section 4.3).

Owns which target is at work, how long one may be silent while others are left, and that all of them together have no
more than one transaction's time, the look-up included. Leaves sending to the leg, and for how long a target that
failed is passed over to `b2bua.names`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from b2bua.call.course import late, unheard
from b2bua.effects import Address, Flow, Resolved
from b2bua.sip.message import Response
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.outgoing import OutgoingLeg

SILENCE: Final = 6
"""In T1s: with others left, a target that has not said a word is left. By then an INVITE went out three times, and the
last had 3 T1 for its answer, so that loss alone hardly brings it about; and ten targets have their turn in the time of
one transaction.
"""

_LIFE: Final = 64


class Attempts:
    """Where a leg's INVITE may go. `at` is the target at work, None before the first."""

    __slots__ = ("_began", "_late", "_left", "_leg", "_silence", "at")

    def __init__(self, leg: OutgoingLeg) -> None:
        turn = leg.stack.turn
        self._leg = leg
        self._left: list[tuple[Address, Flow]] = []
        self._began = turn.now
        self._late: Timer | None = turn.after(_LIFE * turn.settings.timers.t1, self, "late")
        self._silence: Timer | None = None
        self.at: Address | None = None

    def found(self, answer: Resolved) -> Flow | None:
        """The way to the first target; None where no socket of ours reaches any."""
        ways = self._leg.stack.ways
        fit = len(answer.addresses) - answer.passed_over
        for address in answer.addresses[:fit]:
            flow = ways.flow_to(address)
            if flow is not None:
                self._left.append((address, flow))
        self._left.reverse()
        turn = self._leg.stack.turn
        if len(self._left) == 1 and turn.now == self._began:
            # The transaction's own time is all that there is.
            turn.timers.cancel(self._late)
        return self._next()

    def sent(self) -> None:
        """The INVITE has left for the target at work."""
        turn = self._leg.stack.turn
        turn.timers.cancel(self._silence)
        if self._left:
            self._silence = turn.after(SILENCE * turn.settings.timers.t1, self, "silence")

    def heard(self, response: Response) -> None:
        """The target at work is there; a 100 says no more than that (RFC 3261 17.2.1)."""
        self._leg.stack.turn.timers.cancel(self._silence)
        if response.status not in (100, 503) and self.at is not None:
            self._leg.stack.names.succeeded(self.at)

    def failed(self, why: str, retry_after: float | None = None) -> None:
        """The target at work did not take the INVITE."""
        if self.at is not None:
            self._leg.stack.names.failed(self.at, why, retry_after)
            self.at = None

    def elsewhere(self) -> Flow | None:
        """The way to the next target, if there is one."""
        flow = self._next()
        if flow is not None:
            self._leg.stack.turn.count("failovers")
        return flow

    def close(self) -> None:
        """Somebody took the INVITE, or nobody will."""
        timers = self._leg.stack.turn.timers
        timers.cancel(self._late)
        timers.cancel(self._silence)

    def timer_fired(self, name: str) -> None:
        """The target at work is silent for too long, or the time is over for all."""
        self._leg.stack.turn.concerned = self._leg.call
        if name == "late":
            self._left.clear()
            late(self._leg)
        else:
            unheard(self._leg)

    def _next(self) -> Flow | None:
        if not self._left:
            return None
        self.at, flow = self._left.pop()
        return flow


def retry_after(response: Response) -> float | None:
    """For how many seconds a response asks to be left in peace (RFC 3261 20.33)."""
    value = response.get("Retry-After") or ""
    digits = value.partition(";")[0].partition("(")[0].strip()
    return float(digits[:9]) if digits.isascii() and digits.isdigit() else None
