"""One dial: its steps, the legs that ring in each, and how it ends.

Owns `and`, `then`, `else`, `for` and `progress`. A step ends with an answer, with its last leg, or when its time runs
out; its outcome is the first of no-answer, busy, redirect, failure and unreachable that any of its legs had, and the
dial's outcome is its last step's. Leaves answering the caller, and what follows an outcome, to `setup`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from b2bua.call.breadth import shares
from b2bua.call.events import Rejected
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.trunks import unheard
from b2bua.routing.destination import Refused
from b2bua.routing.verdicts import Dial, Outcome, OutcomeKind, Step, party_of
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.call.setup import Setup

_FIRST: Final[tuple[OutcomeKind, ...]] = ("no-answer", "busy", "redirect", "failure", "unreachable")
_BUSY: Final = frozenset((486, 600, 603))
_NOT_THERE: Final = frozenset((408, 480))
_UNREACHABLE: Final = frozenset((430, 500, 502, 503, 504))


class Hunt:
    """A dial in progress. `rejection` is the last refusal that a leg brought, for the caller to hear."""

    __slots__ = (
        "_call",
        "_kinds",
        "_limit",
        "_progress_limit",
        "_rang",
        "_redirected",
        "_setup",
        "_starting",
        "_step",
        "_tried",
        "dial",
        "legs",
        "outcome",
        "rejection",
        "several",
        "target",
    )

    def __init__(self, setup: Setup, dial: Dial) -> None:
        self._setup = setup
        self._call = setup.call
        self.dial = dial
        self._step = -1
        self.legs: dict[int, OutgoingLeg] = {}
        self.several = False
        self.outcome: OutcomeKind = "failure"
        self.rejection: Rejected | None = None
        self.target = ""
        self._kinds: set[OutcomeKind] = set()
        self._rang = False
        self._redirected: str | None = None
        self._tried = 0
        self._starting = False
        self._limit: Timer | None = None
        self._progress_limit: Timer | None = None

    def advance(self) -> None:
        """Go on to the next step that applies: `else` only after unreachable. After the last, the dial is over."""
        while True:
            self._step += 1
            if self._step >= len(self.dial.steps) and not self._has_last_resort():
                self._setup.dial_over(self._result())
                return
            step = self.dial.steps[self._step]
            if step.after == "else" and self._step > 0 and self.outcome != "unreachable":
                continue
            self._begin(step)
            if self.legs:
                return
            self._conclude()

    def _has_last_resort(self) -> bool:
        """Where an emergency call found trunks that take no calls, these are tried all the same, one by one."""
        inquiry = self._call.inquiry
        passed_over = inquiry.passed_over
        if not passed_over or self.outcome != "unreachable":
            return False
        inquiry.last_resort, inquiry.passed_over = True, ()
        more = tuple([Step((target,), after="else") for target in passed_over])
        self.dial = msgspec.structs.replace(self.dial, steps=self.dial.steps + more)
        return True

    def progressed(self, leg: OutgoingLeg) -> bool:
        """A leg is on its way, which ends the wait for progress; False for one that is not of this step."""
        if leg.number not in self.legs:
            return False
        self._rang = True
        if self._progress_limit is not None:
            self._call.stack.turn.timers.cancel(self._progress_limit)
            self._progress_limit = None
        return True

    def answered(self, leg: OutgoingLeg) -> None:
        """A leg took the call: the step's others are not wanted any more."""
        del self.legs[leg.number]
        self.stop()

    def rejected(self, leg: OutgoingLeg, happening: Rejected) -> None:
        """A leg did not take the call. A 6xx ends the whole dial (RFC 3261 21.6)."""
        if self.legs.pop(leg.number, None) is None:
            return
        self.rejection = happening
        self.target = leg.destination.party
        kind = self._kind(leg, happening)
        self._kinds.add(kind)
        if kind == "redirect" and happening.contacts and self._redirected is None:
            self._redirected = happening.contacts[0]
        if happening.status >= 600 and happening.reached:
            self._kinds = {kind}
            self.stop()
            self._conclude()
            self._setup.dial_over(self._result())
        elif not self.legs and not self._starting:
            self.stop()
            self._conclude()
            self.advance()

    def stop(self) -> None:
        """No leg of this step is wanted any more."""
        legs = self.legs
        self.forget()
        for leg in legs.values():
            leg.abandon()

    def forget(self) -> None:
        """Stop waiting for anything."""
        timers = self._call.stack.turn.timers
        timers.cancel(self._limit)
        timers.cancel(self._progress_limit)
        self._limit = self._progress_limit = None
        self.legs = {}

    def timer_fired(self, name: str) -> None:
        """The step's time is over: without any 18x nobody was there."""
        self._call.stack.turn.concerned = self._call
        unheard(self.legs.values())
        for leg in self.legs.values():
            self._kinds.add("no-answer" if leg.rang else "unreachable")
            self.target = leg.destination.party
        self.rejection = None
        self.stop()
        self._conclude()
        self.advance()

    def _begin(self, step: Step) -> None:
        self._kinds = set()
        self._rang = False
        setup = self._setup
        legs: dict[int, OutgoingLeg] = {}
        for party in step.parties:
            found = setup.legs_to(party)
            if isinstance(found, Refused):
                self._kinds.add("unreachable" if found.kind == "unreachable" else "failure")
                status = 480 if found.kind == "unreachable" else 404
                self.rejection = Rejected(status, found.reason, found.headers, reached=False)
                self.target = party_of(party) or ""
            else:
                for leg in found:
                    legs[leg.number] = leg
        self.legs = legs
        if not legs:
            return
        self.several = len(legs) > 1
        self._tried += len(legs)
        turn = self._call.stack.turn
        self._limit = turn.after(step.seconds, self, "for")
        progress = step.progress or setup.trunk_progress(legs.values())
        if progress is not None and progress < step.seconds:
            self._progress_limit = turn.after(progress, self, "progress")
        self._starting = True
        if self.several or setup.breadth is not None:
            self._spread(list(legs.values()))
        else:
            for leg in list(legs.values()):
                leg.start()
        self._starting = False
        if not self.legs:
            # There was no way to any of them, which is known at once.
            self.forget()

    def _spread(self, legs: list[OutgoingLeg]) -> None:
        """Start legs that share what Max-Breadth leaves them; those that are too many fail (RFC 5393 5.3.3)."""
        for leg, share in zip(legs, shares(self._setup.breadth, len(legs)), strict=True):
            if share:
                leg.start(share)
            else:
                leg.exceed()

    def _conclude(self) -> None:
        for kind in _FIRST:
            if kind in self._kinds:
                self.outcome = kind
                return

    def _kind(self, leg: OutgoingLeg, happening: Rejected) -> OutcomeKind:
        status = happening.status
        if status in _BUSY:
            return "busy"
        if status in _NOT_THERE and leg.rang and happening.reached:
            return "no-answer"
        unreachable = not happening.reached or status in _NOT_THERE or status in _UNREACHABLE
        if unreachable or status in self._setup.failover(leg):
            return "unreachable"
        return "redirect" if 300 <= status < 400 else "failure"

    def _result(self) -> Outcome:
        code = self.rejection.status if self.rejection is not None and self.rejection.reached else None
        redirected = self._redirected if self.outcome == "redirect" else None
        return Outcome(self.outcome, self.target or None, code, self._rang, self._tried, redirected)
