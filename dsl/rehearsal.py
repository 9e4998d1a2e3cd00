"""A world to try a policy in: who answers what, who is registered, which limits are used up, what time it is.

Owns what `given` sets, what holds where nothing was given, and how a dial ends in such a world: steps, parties and
outcomes as the engine does them, without phones and without waiting. Reading `test` blocks is `tester`'s.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from dsl.decision import Ambient, Dial, NumberTarget, Outcome, OutcomeKind, Step, Target, UriTarget, UserTarget
from dsl.policy import Policy

REDIRECTED = "sip:elsewhere@redirected.invalid"
"""The Contact of every 3xx that a test's party answers with (RFC 2606 2)."""

NOT_REGISTERED = 480
TIMEOUT = 408

_FIRST: tuple[OutcomeKind, ...] = ("no-answer", "busy", "redirect", "failure", "unreachable")
_BUSY = frozenset({486, 600, 603})
_NOT_THERE = frozenset({408, 480})
_UNREACHABLE = frozenset({430, 500, 502, 503, 504})

_UNSAID = {"registered": True, "busy": False, "up": True, "full": False}


class Ended(msgspec.Struct, frozen=True):
    """How one party took a call: the outcome's kind, None where it answered; its status, and whether it rang."""

    kind: OutcomeKind | None
    code: int | None = None
    rang: bool = False


class World:
    """What a test has given so far: the `Ambient` of its events. Everybody answers.

    What was not given is as `otherwise` has it; without that, everybody is registered and idle, trunks take calls, and
    limits have room.
    """

    def __init__(self, policy: Policy, otherwise: Ambient | None = None) -> None:
        self._policy = policy
        self._otherwise = otherwise
        self._states: dict[tuple[str, str], bool] = {}
        self._used_up: set[str] = set()
        self._answers: dict[str, int] = {}
        self._ringing: set[str] = set()

    def state(self, subject: str, state: str, holds: bool) -> None:
        """From here on a user is registered or busy, a trunk up or full, or not."""
        self._states[state, subject] = holds

    def used_up(self, limit: str) -> None:
        """From here on one more would pass this limit, for every key."""
        self._used_up.add(limit)

    def answers(self, party: str, code: int) -> None:
        """From here on this user, trunk, number or URI answers with a status."""
        self._ringing.discard(self._key(party))
        self._answers[self._key(party)] = code

    def rings(self, party: str) -> None:
        """From here on it rings there, and nobody answers."""
        self._answers.pop(self._key(party), None)
        self._ringing.add(self._key(party))

    def _key(self, party: str) -> str:
        return self._policy.e164(party) or party

    def _is(self, state: str, subject: str, ask: Callable[[Ambient, str], bool]) -> bool:
        given = self._states.get((state, subject))
        if given is not None:
            return given
        return _UNSAID[state] if self._otherwise is None else ask(self._otherwise, subject)

    def registered(self, user: str) -> bool:
        """Whether a user has a binding."""
        return self._is("registered", user, lambda ambient, name: ambient.registered(name))

    def busy(self, user: str) -> bool:
        """Whether a user is in a call."""
        return self._is("busy", user, lambda ambient, name: ambient.busy(name))

    def over(self, limit: str, key: str) -> bool:
        """Whether a limit is used up; one that was given as used up is so whatever the key."""
        return limit in self._used_up or (self._otherwise is not None and self._otherwise.over(limit, key))

    def up(self, trunk: str) -> bool:
        """Whether a trunk takes calls."""
        return self._is("up", trunk, lambda ambient, name: ambient.up(name))

    def full(self, trunk: str) -> bool:
        """Whether a trunk's channels are taken."""
        return self._is("full", trunk, lambda ambient, name: ambient.full(name))

    def delivered(self, user: str | None) -> int:
        """What comes back for a message to this user, who takes it unless given otherwise."""
        if user is None or not self.registered(user):
            return NOT_REGISTERED
        return TIMEOUT if self._key(user) in self._ringing else self._answers.get(self._key(user), 200)

    # Dialling

    def dialled(self, dial: Dial) -> Outcome | Target:
        """How a dial ends here, or who answers it."""
        outcome: OutcomeKind = "failure"
        last: tuple[str | None, Ended] = (None, Ended("failure"))
        rang, tried = False, 0
        for index, step in enumerate(dial.steps):
            if index > 0 and step.after == "else" and outcome != "unreachable":
                continue
            ended = self._step(step)
            if not isinstance(ended, list):
                return ended
            tried += len(ended)
            rang = rang or any(end.rang for _, end in ended)
            kinds = [end.kind for _, end in ended]
            outcome = next(kind for kind in _FIRST if kind in kinds)
            last = next(pair for pair in reversed(ended) if pair[1].kind == outcome)
            if any(end.code is not None and end.code >= 600 for _, end in ended):
                break
        target, end = last
        redirected = REDIRECTED if outcome == "redirect" else None
        return Outcome(outcome, target, end.code, rang, tried, redirected)

    def _step(self, step: Step) -> list[tuple[str | None, Ended]] | Target:
        """Each party of a step and how it ended, in order; or the first of them who answers."""
        ended = [(target, self._party(target)) for target in step.parties]
        answering = next((target for target, end in ended if end.kind is None), None)
        return answering if answering is not None else [(party_of(target), end) for target, end in ended]

    def _party(self, target: Target) -> Ended:
        match target:
            case UserTarget(user=user):
                return self._taken([user], None) if self.registered(user) else Ended("unreachable")
            case NumberTarget(number=number, trunk=trunk):
                dialled = None if number is None else self._policy.trunk_number(trunk, number)
                if number is None or dialled is None:
                    return Ended("failure")
                if not self.up(trunk) or (self.full(trunk) and not self._policy.is_emergency(number)):
                    return Ended("unreachable")
                return self._taken([number, dialled, trunk], trunk)
            case UriTarget(uri=uri):
                return Ended("failure") if uri is None else self._taken([uri], None)

    def _taken(self, names: list[str], trunk: str | None) -> Ended:
        keys = [self._key(name) for name in names]
        if any(key in self._ringing for key in keys):
            return Ended("no-answer", None, rang=True)
        code = next((self._answers[key] for key in keys if key in self._answers), 200)
        return Ended(self._kind(code, trunk), code)

    def _kind(self, code: int, trunk: str | None) -> OutcomeKind | None:
        if code < 300:
            return None
        if code < 400:
            return "redirect"
        if code in _BUSY:
            return "busy"
        failover = self._policy.trunks[trunk].failover if trunk is not None else frozenset()
        return "unreachable" if code in _UNREACHABLE | _NOT_THERE | failover else "failure"


def party_of(target: Target) -> str | None:
    """The user, number or URI that was called."""
    match target:
        case UserTarget(user=user):
            return user
        case NumberTarget(number=number):
            return number
        case UriTarget(uri=uri):
            return uri
