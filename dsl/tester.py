"""The `test` blocks of a policy, run: no network, no clock, one decision after the other.

Owns the order of steps and what is known of a test in the end. Decisions are asked for when an expectation needs them,
so what is `given` between two expectations counts for the second. What sentences bring about is `scene`'s, what an
expectation means `expecting`'s.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dsl import tree
from dsl.diagnostics import Problem, Source
from dsl.expectation import told
from dsl.expecting import Expecting
from dsl.occasions import UnmetError
from dsl.policy import Policy
from dsl.rehearsal import World
from dsl.scene import Scene
from dsl.walk import Walker, again, told_rules


class Result(msgspec.Struct, frozen=True):
    """One test: passed when `failure` is None, which is the place of what did not come true, and what did.

    `place` is that of the test, and `rules` are the places of all rules that fired in it, as decisions name them.
    `trace` tells of a failed test how its last decisions came about, a line for each rule. `came` is what there was in
    place of what was expected, and `rule` the place of the rule that said so, where there was one.
    """

    title: str
    place: str
    failure: Problem | None
    rules: frozenset[str]
    trace: tuple[str, ...] = ()
    came: str | None = None
    rule: str | None = None

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return self.failure is None


def tests_of(policy: Policy) -> list[tree.Test]:
    """The tests of a policy, in the order of the file."""
    return [item for item in policy.script.declarations if isinstance(item, tree.Test)]


def run(policy: Policy, tests: Iterable[tree.Test] | None = None) -> list[Result]:
    """Run every test of a policy, or these of its tests, in the order of the file."""
    return [_Test(policy).run(test) for test in (tests_of(policy) if tests is None else tests)]


class _Test:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.scene = Scene(policy, World(policy))
        self.expecting = Expecting(policy, self.scene)

    def run(self, test: tree.Test) -> Result:
        title, place = test.title.value, test.span.place
        try:
            for step in test.steps:
                if isinstance(step, tree.Expectation):
                    self.expecting.expect(step)
                else:
                    self.scene.take(step)
        except UnmetError as failed:
            failure = Source.of(self.policy.script).problem(failed.node.span, str(failed))
            return Result(title, place, failure, self._fired(), self._trace(), failed.came, failed.rule)
        return Result(title, place, None, self._fired())

    def _fired(self) -> frozenset[str]:
        happenings = self.scene.happenings
        return frozenset(rule for item in happenings for decision in item.decisions for rule in decision.rules)

    def _trace(self) -> tuple[str, ...]:
        """How the decisions came about that did not come true: those of what went on last."""
        happening = self.scene.now
        walker = Walker(self.policy.script, self.policy.setup, self.policy.hash)
        seen = max(0, happening.expected - 1)
        lines: list[str] = []
        for occasion, walked in list(zip(happening.occasions, again(walker, happening.occasions), strict=True))[seen:]:
            lines += [f"on {occasion.named}", *(f"  {line}" for line in told_rules(walked.tried))]
            lines.append(f"  so: {told(occasion.decision.action)}")
        return tuple(lines)
