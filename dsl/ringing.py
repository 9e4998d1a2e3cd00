"""How a dial goes in the world of a test: steps, parties, times and outcomes as the engine does them, without phones.

Owns `and`, `then`, `else`, `for` and `progress` there, and a trunk's channels while it rings. What is given counts when
it is needed, so that a test may say in between what comes next. What follows an outcome is `happening`'s.
"""

from __future__ import annotations

from dsl.decision import Dial, Outcome, OutcomeKind, Step, Target, party_of
from dsl.rehearsal import Leg, Manner, World

_FIRST: tuple[OutcomeKind, ...] = ("no-answer", "busy", "redirect", "failure", "unreachable")
_BUSY = frozenset({486, 600, 603})
_NOT_THERE = frozenset({408, 480})
_UNREACHABLE = frozenset({430, 500, 502, 503, 504})
_GIVES_UP = 32.0
"""Seconds until a request without any answer is given up (RFC 3261 17.1.1.2, Timer B)."""


class Ringing:
    """A dial in progress. `result` is how it ended, or who took the call; None until then.

    `rounds` are the legs that rang together, step by step; `rang`: the caller heard it ring.
    """

    def __init__(self, dial: Dial, world: World, emergency: bool = False) -> None:
        self.result: Outcome | Leg | None = None
        self.rounds: list[tuple[Leg, ...]] = []
        self.rang = False
        self._world = world
        self._emergency = emergency
        self._steps = list(dial.steps)
        self._next = 0
        self._last_resort = False
        self._passed_over: list[Target] = []
        self._legs: list[Leg] = []
        self._begun = world.time
        self._outcome: OutcomeKind = "failure"
        self._kinds: set[OutcomeKind] = set()
        self._reasons: dict[OutcomeKind, str] = {}
        self._target: str | None = None
        self._code: int | None = None
        self._redirected: str | None = None
        self._step_rang = False
        self._tried = 0

    @property
    def why(self) -> str:
        """Why the last step ended as it did, where that was nobody's answer; else empty."""
        return self._reasons.get(self._outcome, "")

    @property
    def due(self) -> float:
        """When it goes on: wall seconds, never in the past."""
        return max(self._world.time, min(self._events())[0]) if self._legs else self._world.time

    def go_on(self) -> None:
        """Let the next thing happen that does not happen later than now."""
        if not self._legs:
            self._begin_next()
            return
        _, number = min(self._events())
        self._note_ringing()
        if number < len(self._legs):
            self._end(self._legs[number])
        else:
            for leg in self._legs:
                rings = self._world.manner(leg).rings
                self._kinds.add("no-answer" if rings else "unreachable")
                if not rings:
                    self._is_silent(leg)
                self._target = party_of(leg.target)
            self._code = None
            self.abandon()
        if not self._legs and self.result is None:
            self._conclude()

    def abandon(self) -> None:
        """Nobody waits any more."""
        for leg in self._legs:
            self._free(leg)
        self._legs = []

    # Steps

    def _begin_next(self) -> None:
        if self._next == len(self._steps):
            self._end_dial()
            return
        step = self._steps[self._next]
        self._next += 1
        if step.after == "else" and self._next > 1 and self._outcome != "unreachable":
            return
        self._kinds = set()
        self._reasons = {}
        self._step_rang = False
        self._begun = self._world.time
        for target in step.parties:
            found = self._world.leg(target, self._emergency, self._last_resort)
            if isinstance(found, Leg):
                self._legs.append(found)
                if found.trunk is not None:
                    self._world.counts.channels[found.trunk] += 1
            else:
                self._kinds.add(found.kind)
                self._reasons.setdefault(found.kind, found.why)
                self._target = party_of(target)
                self._code = None
                if found.kind == "unreachable" and self._emergency:
                    self._passed_over.append(target)
        if self._legs:
            self._tried += len(self._legs)
            self.rounds.append(tuple(self._legs))
        else:
            self._conclude()

    def _end_dial(self) -> None:
        """The dial is over, but for an emergency's last resort: trunks that take no calls are tried all the same."""
        if self._passed_over and self._outcome == "unreachable" and not self._last_resort:
            self._last_resort = True
            self._steps += [Step((target,), after="else") for target in self._passed_over]
            return
        redirected = self._redirected if self._outcome == "redirect" else None
        self.result = Outcome(self._outcome, self._target, self._code, self._step_rang, self._tried, redirected)

    def _conclude(self) -> None:
        self._outcome = next(kind for kind in _FIRST if kind in self._kinds)

    # What comes next in a step

    def _events(self) -> list[tuple[float, int]]:
        """When each leg ends, by its number, and when all of them do, by the number after the last."""
        manners = [self._world.manner(leg) for leg in self._legs]
        found = [(self._begun + _takes(manner), number) for number, manner in enumerate(manners) if _ends(manner)]
        step = self._steps[self._next - 1]
        limit = step.seconds
        progress = step.progress or self._trunks_progress()
        if progress is not None and not self._step_rang and not any(manner.rings for manner in manners):
            limit = min(limit, progress)
        return [*found, (self._begun + limit, len(self._legs))]

    def _trunks_progress(self) -> float | None:
        """The longest that any of these legs' trunks may stay silent, if all of them say so."""
        trunks = [None if leg.trunk is None else self._world.policy.trunks[leg.trunk] for leg in self._legs]
        limits = [None if trunk is None else trunk.progress for trunk in trunks]
        known = [limit for limit in limits if limit is not None]
        return max(known) if len(known) == len(limits) else None

    def _note_ringing(self) -> None:
        if any(self._world.manner(leg).rings for leg in self._legs):
            self.rang = self._step_rang = True

    def _end(self, leg: Leg) -> None:
        manner = self._world.manner(leg)
        code = manner.code
        self._legs.remove(leg)
        if code is not None and code < 300:
            self.abandon()
            self.result = leg
            return
        self._free(leg)
        self._target = party_of(leg.target)
        self._code = code
        kind = self._kind(leg, manner)
        self._kinds.add(kind)
        if code is None:
            self._is_silent(leg)
        if kind == "redirect" and self._redirected is None:
            self._redirected = manner.redirected
        if code is not None and code >= 600:
            self._kinds = {kind}
            self.abandon()
            self._next = len(self._steps)

    def _is_silent(self, leg: Leg) -> None:
        self._reasons.setdefault("unreachable", f"{party_of(leg.target)} is silent")

    def _kind(self, leg: Leg, manner: Manner) -> OutcomeKind:
        code = manner.code
        if code is None:
            return "unreachable"
        if code in _BUSY:
            return "busy"
        if code in _NOT_THERE and manner.rings:
            return "no-answer"
        failover = frozenset() if leg.trunk is None else self._world.policy.trunks[leg.trunk].failover
        if code in _UNREACHABLE | _NOT_THERE | failover:
            return "unreachable"
        return "redirect" if code < 400 else "failure"

    def _free(self, leg: Leg) -> None:
        if leg.trunk is not None:
            self._world.counts.channels[leg.trunk] -= 1


def _ends(manner: Manner) -> bool:
    """Whether it ends by itself, sooner or later."""
    return manner.code is not None or manner.silent


def _takes(manner: Manner) -> float:
    """After how many seconds that is."""
    return _GIVES_UP if manner.silent else manner.after or 0.0
