"""One call or registration of a `test` block, decided as far as the test asks about it, and its holds.

Owns who the two parties of an answered call are, who of them holds or has the other go elsewhere, and the facts of
that. What an expectation means is `tester`'s, how a dial ends is `rehearsal`'s.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from dsl import tree
from dsl.decision import (
    Answer,
    Decision,
    Deliver,
    Dial,
    Event,
    Facts,
    Frame,
    NumberTarget,
    Outcome,
    Step,
    Target,
    Transfer,
    UserTarget,
)
from dsl.policy import Policy, told_of_message
from dsl.rehearsal import World, party_of

_MOST_DIALS = 10

Side: TypeAlias = Literal["caller", "called"]


class UnmetError(Exception):
    """A step that cannot come true, at its place; never leaves a test."""

    def __init__(self, node: tree.Node, message: str) -> None:
        super().__init__(message)
        self.node = node


class _Party(msgspec.Struct, frozen=True):
    """Who is on one side. `known`: an account of ours, that proved itself or is registered."""

    name: str | None
    trunk: str | None
    known: bool


class Occasion(msgspec.Struct, frozen=True):
    """An event as it was decided: its facts, the outcome where it is one of a dial, and the decision."""

    event: Event
    facts: Facts
    outcome: Outcome | None
    decision: Decision


class Happening:
    """What was decided so far, of which `expected` decisions were asked about; `facts` are those of the last event.

    `occasions` has the decisions again, each with its event. `answered`: who took the call, None while nobody did.
    """

    def __init__(self, policy: Policy, event: Event, facts: Facts) -> None:
        self.occasions: list[Occasion] = []
        self.decisions: list[Decision] = []
        self._decided(event, facts, None, policy.decide(event, facts))
        self.facts = facts
        self._dialed = facts.dialed
        self.expected = 0
        self.answered: Target | None = None
        self._policy = policy
        self._held_since: dict[Side, float] = {}
        self._came_later: dict[Side, _Party] = {}
        self._transferor: Side | None = None

    def _decided(self, event: Event, facts: Facts, outcome: Outcome | None, decision: Decision) -> None:
        self.occasions.append(Occasion(event, facts, outcome, decision))
        self.decisions.append(decision)

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
        self._decided(ended.kind, facts, ended, self._policy.resume(last.frame, ended, facts))
        return True

    def delivered(self, world: World) -> int | None:
        """What the sender of a message is told; None where nothing was delivered."""
        last = self.decisions[-1].action
        return told_of_message(world.delivered(last.user)) if isinstance(last, Deliver) else None

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
        self.facts = msgspec.structs.replace(
            self.facts,
            time=time,
            callee=None,
            dialed=self._dialed,
            holder=self._party(side).name,
            held=self._party(_other(side)).name,
            holder_is_caller=self._is_caller(side),
            held_for=held_for,
        )
        self.expected = len(self.decisions)
        self._decided(event, self.facts, None, self._policy.decide(event, self.facts))

    # Transfers

    def transfer(self, step: tree.TransferStep, dialed: str, world: World, time: float) -> None:
        """One party has the other go on to somebody else: take the decision on it. Raises UnmetError as `hold` does."""
        side = self._side(step.transferor, world, time)
        transferor = self._party(side)
        self.facts = msgspec.structs.replace(
            self.facts,
            time=time,
            callee=None,
            dialed=dialed,
            transferor=transferor.name,
            transferee=self._party(_other(side)).name,
            transferor_is_known=transferor.known,
            transferor_is_caller=self._is_caller(side),
            target=self._policy.callee(dialed),
        )
        self.expected = len(self.decisions)
        self._decided("transfer", self.facts, None, self._policy.decide("transfer", self.facts))
        self._transferor = side

    def _settle(self, world: World) -> None:
        """Let the last transfer come to its end: if somebody is there, that is the transferor's side from now on."""
        side, last = self._transferor, self.decisions[-1].action
        self._transferor = None
        if side is None or not isinstance(last, Transfer):
            return
        reached = world.dialled(Dial((Step((last.target,), last.seconds),), Frame("", 0)))
        if isinstance(reached, Outcome):
            return
        self._held_since.pop(side, None)
        self._came_later[side] = _called(reached)

    # Who is there

    def _party(self, side: Side) -> _Party:
        later = self._came_later.get(side)
        if later is not None:
            return later
        if side == "called":
            return _called(self.answered)
        facts = self.facts
        return _Party(facts.caller or facts.claimed, facts.trunk, facts.authenticated)

    def _is_caller(self, side: Side) -> bool:
        return side == "caller" and side not in self._came_later

    def _named(self, side: Side) -> str:
        party = self._party(side).name
        return f"the {'caller' if side == 'caller' else 'called side'}" if party is None else f"`{party}`"

    def _side(self, holder: tree.From, world: World, time: float) -> Side:
        """The side on which this party is."""
        while self.further(world, time):
            pass
        self._settle(world)
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
        party = self._party(side)
        if holder.trunk is not None:
            return holder.trunk.text == party.trunk
        if holder.user is not None:
            return holder.user.text == party.name
        if holder.claimed is None:
            return self._is_caller(side) and not party.known
        key = self._policy.setup.plan.key
        return party.name is not None and key(party.name) == key(holder.claimed.value)


def _other(side: Side) -> Side:
    return "called" if side == "caller" else "caller"


def _called(target: Target | None) -> _Party:
    """Whoever took a call, or a transfer."""
    through = target.trunk if isinstance(target, NumberTarget) else None
    return _Party(None if target is None else party_of(target), through, isinstance(target, UserTarget))
