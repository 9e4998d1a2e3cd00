"""What sentences of a test bring about, one after the other: what is given, and what happens.

Owns their order and the clock. Where nothing is given it is a Wednesday at noon. What an expectation means is
`tester`'s, the facts of a request `arriving`'s, a call's further events `happening`'s.
"""

from __future__ import annotations

from datetime import datetime

from dsl import tree
from dsl.arriving import Arriving, dialled
from dsl.decision import Event, Facts
from dsl.expectation import Expectation
from dsl.happening import Happening, UnmetError
from dsl.policy import Policy
from dsl.rehearsal import World

NOON = "2026-07-01 12:00"
"""When a test happens that does not say when: a Wednesday, in the policy's zone."""


class Scene:
    """`happenings` are the calls and registrations so far; the last of them goes on. `time` is wall seconds."""

    def __init__(self, policy: Policy, world: World, time: float | None = None) -> None:
        self.policy = policy
        self.world = world
        self.time = self._moment(NOON) if time is None else time
        self.happenings: list[Happening] = []
        self._arriving = Arriving(policy)

    def now(self, node: tree.Node) -> Happening:
        """What goes on. Raises UnmetError where nothing does."""
        if not self.happenings:
            raise UnmetError(node, "nothing has happened yet")
        return self.happenings[-1]

    def further(self) -> bool:
        """Let the last dial of what goes on end; False when nothing follows of it."""
        return self.happenings[-1].further(self.world, self.time)

    def take(self, step: tree.TestStep) -> None:
        """Bring about what a sentence says; an expectation brings about nothing. Raises UnmetError."""
        match step:
            case tree.CallStep():
                self._begin("call", self._arriving.of_call(step, self.world, self.time))
            case tree.MessageStep():
                self._begin("message", self._arriving.of_call(step, self.world, self.time))
            case tree.RegisterStep():
                self._begin("register", self._arriving.of_register(step, self.world, self.time))
            case tree.HoldStep():
                self.now(step).hold(step, self.world, self.time)
            case tree.ResumeStep(after=after):
                self.time += 0.0 if after is None else after.seconds or 0.0
                self.now(step).resume(step, self.world, self.time)
            case tree.TransferStep(dialed=dialed):
                self.now(step).transfer(step, dialled(dialed), self.world, self.time)
            case tree.GivenTime(time=time):
                self.time = self._moment(time.value)
            case tree.GivenAnswer(party=party, code=code):
                self.world.answers(self._party(party), code.value)
            case tree.GivenRings(party=party):
                self.world.rings(self._party(party))
            case tree.GivenState(subject=subject, state=state, negated=negated):
                self.world.state(self._party(subject), state.text, holds=not negated)
            case tree.GivenOver(limit=limit):
                self.world.used_up(limit.text)
            case _:
                pass

    def _begin(self, event: Event, facts: Facts) -> None:
        self.happenings.append(Happening(self.policy, event, facts))

    def _party(self, expression: tree.Expression) -> str:
        """The user, trunk, number or URI that a `given` is about."""
        if isinstance(expression, tree.Reference):
            return expression.name.text
        return Expectation(self.policy, None).text(expression) or ""

    def _moment(self, text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=self.policy.setup.zone).timestamp()
