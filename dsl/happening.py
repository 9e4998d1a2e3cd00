"""One call or registration of a `test` block, decided as far as the test asks about it, and its holds.

Owns who the two parties of an answered call are, who of them holds, and the facts of holding. What an expectation
means is `tester`'s, how a dial ends is `rehearsal`'s.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from dsl import tree
from dsl.decision import Answer, Decision, Dial, Event, Facts, NumberTarget, Outcome, Target
from dsl.policy import Policy
from dsl.rehearsal import World, party_of

_MOST_DIALS = 10

Side: TypeAlias = Literal["caller", "called"]


class UnmetError(Exception):
    """A step that cannot come true, at its place; never leaves a test."""

    def __init__(self, node: tree.Node, message: str) -> None:
        super().__init__(message)
        self.node = node


class Happening:
    """What was decided so far, of which `expected` decisions were asked about; `facts` are those of the last event.

    `answered`: who took the call, None while nobody did.
    """

    def __init__(self, policy: Policy, event: Event, facts: Facts) -> None:
        self.decisions: list[Decision] = [policy.decide(event, facts)]
        self.facts = facts
        self.expected = 0
        self.answered: Target | None = None
        self._policy = policy
        self._held_since: dict[Side, float] = {}

    def further(self, world: World, time: float) -> bool:
        """Let the last dial end, and take the decision that follows; False when none does."""
        last = self.decisions[-1].action
        if self.answered is not None or not isinstance(last, Dial) or len(self.decisions) > _MOST_DIALS:
            return False
        ended = world.dialled(last)
        if not isinstance(ended, Outcome):
            self.answered = ended
            return False
        facts = msgspec.structs.replace(self.facts, time=time, callee=None)
        self.decisions.append(self._policy.resume(last.frame, ended, facts))
        return True

    # Holding

    def hold(self, step: tree.HoldStep, world: World, time: float) -> None:
        """One party of the call holds: take the decision on it. Raises UnmetError where that cannot be."""
        side = self._side(step.holder, world, time)
        if side in self._held_since:
            raise UnmetError(step, f"{self._named(side)} holds already")
        self._held_since[side] = time
        self._decide("hold", side, time, None)

    def resume(self, step: tree.ResumeStep, world: World, time: float) -> None:
        """A holder is back: take the decision on it. Raises UnmetError where that cannot be."""
        side = self._side(step.holder, world, time)
        since = self._held_since.pop(side, None)
        if since is None:
            raise UnmetError(step, f"{self._named(side)} does not hold")
        self._decide("resume", side, time, max(0.0, time - since))

    def _decide(self, event: Event, side: Side, time: float, held_for: float | None) -> None:
        parties = self._parties()
        self.facts = msgspec.structs.replace(
            self.facts,
            time=time,
            callee=None,
            holder=parties[side],
            held=parties["called" if side == "caller" else "caller"],
            holder_is_caller=side == "caller",
            held_for=held_for,
        )
        self.expected = len(self.decisions)
        self.decisions.append(self._policy.decide(event, self.facts))

    def _parties(self) -> dict[Side, str | None]:
        called = None if self.answered is None else party_of(self.answered)
        return {"caller": self.facts.caller or self.facts.claimed, "called": called}

    def _named(self, side: Side) -> str:
        party = self._parties()[side]
        return f"the {'caller' if side == 'caller' else 'called side'}" if party is None else f"`{party}`"

    def _side(self, holder: tree.From, world: World, time: float) -> Side:
        """The side on which this party is."""
        while self.further(world, time):
            pass
        if isinstance(self.decisions[-1].action, Answer):
            raise UnmetError(holder, "we answered this call ourselves: nobody in it can be held")
        if self.answered is None:
            raise UnmetError(holder, "nobody answered this call")
        sides: tuple[Side, ...] = ("caller", "called")
        for side in sides:
            if self._is(holder, side):
                return side
        raise UnmetError(holder, f"the parties of this call are {self._named('caller')} and {self._named('called')}")

    def _is(self, holder: tree.From, side: Side) -> bool:
        if holder.trunk is not None:
            through = self.answered.trunk if isinstance(self.answered, NumberTarget) else None
            return holder.trunk.text == (self.facts.trunk if side == "caller" else through)
        party = self._parties()[side]
        if holder.user is not None:
            return holder.user.text == party
        if holder.claimed is None:
            return side == "caller" and not self.facts.authenticated
        key = self._policy.setup.plan.key
        return party is not None and key(party) == key(holder.claimed.value)
