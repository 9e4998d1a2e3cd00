"""The `test` blocks of a policy, run: no network, no clock, one decision after the other.

Owns the order of steps and what an expectation means. Decisions are asked for when an expectation needs them, so
what is `given` between two expectations counts for the second. What sentences bring about is `scene`'s.
"""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.decision import (
    Accept,
    Action,
    Answer,
    Challenge,
    Continue,
    Deliver,
    Dial,
    Play,
    Redirect,
    Reject,
    Transfer,
)
from dsl.diagnostics import Problem, Source
from dsl.expectation import Expectation, told
from dsl.happening import Happening, UnmetError
from dsl.policy import Policy
from dsl.rehearsal import World
from dsl.scene import Scene
from dsl.spoken import spoken
from dsl.vocabulary import MEDIA
from dsl.walk import Walker, again, told_rules


class Result(msgspec.Struct, frozen=True):
    """One test: passed when `failure` is None, which is the place of what did not come true, and what did.

    `place` is that of the test, and `rules` are the places of all rules that fired in it, as decisions name them.
    `trace` tells of a failed test how its last decisions came about, a line for each rule.
    """

    title: str
    place: str
    failure: Problem | None
    rules: frozenset[str]
    trace: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return self.failure is None


def run(policy: Policy) -> list[Result]:
    """Run every test of a policy, in the order of the file."""
    tests = [item for item in policy.script.declarations if isinstance(item, tree.Test)]
    return [_Test(policy).run(test) for test in tests]


class Rule(msgspec.Struct, frozen=True):
    """A rule of the script: its place, and itself as it would be written."""

    place: str
    rule: str


def untested(policy: Policy, results: list[Result]) -> list[str]:
    """The places of rules that fired in no test, in the order of the file."""
    fired = {place for result in results for place in result.rules}
    return [rule.place for rule in rules_of(policy) if rule.place not in fired]


def rules_of(policy: Policy) -> list[Rule]:
    """All rules of a policy, in the order of the file."""
    found: list[Rule] = []
    for declaration in policy.script.declarations:
        for node in tree.walk(declaration):
            match node:
                case tree.When(condition=condition, head=head):
                    found.append(Rule(head.place, f"when {spoken(condition)}"))
                case tree.AlsoWhen(condition=condition, head=head):
                    found.append(Rule(head.place, f"also when {spoken(condition)}"))
                case tree.Otherwise(head=head):
                    found.append(Rule(head.place, "otherwise"))
                case _:
                    pass
    return found


class _Test:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.scene = Scene(policy, World(policy))

    def run(self, test: tree.Test) -> Result:
        failure: Problem | None = None
        trace: tuple[str, ...] = ()
        try:
            for step in test.steps:
                self._step(step)
        except UnmetError as failed:
            failure = Source.of(self.policy.script).problem(failed.node.span, str(failed))
            trace = self._trace()
        happenings = self.scene.happenings
        fired = {rule for happening in happenings for decision in happening.decisions for rule in decision.rules}
        return Result(test.title.value, test.span.place, failure, frozenset(fired), trace)

    def _trace(self) -> tuple[str, ...]:
        """How the decisions came about that did not come true: those of what went on last."""
        if not self.scene.happenings:
            return ()
        happening = self.scene.happenings[-1]
        walker = Walker(self.policy.script, self.policy.setup, self.policy.hash)
        seen = max(0, happening.expected - 1)
        lines: list[str] = []
        for occasion, walked in list(zip(happening.occasions, again(walker, happening.occasions), strict=True))[seen:]:
            lines += [f"on {occasion.event}", *(f"  {line}" for line in told_rules(walked.tried))]
            lines.append(f"  so: {told(walked.decision.action)}")
        return tuple(lines)

    def _step(self, step: tree.TestStep) -> None:
        match step:
            case tree.ExpectDecision(decision=decision):
                self._expect_decision(decision)
            case tree.ExpectResponse(code=code):
                self._expect_response(code)
            case tree.ExpectTag():
                self._expect_tag(step)
            case tree.ExpectMedia(choice=choice):
                self._expect_media(choice)
            case _:
                self.scene.take(step)

    # Expectations

    def _expect_decision(self, wanted: tree.Decision) -> None:
        happening = self.scene.now(wanted)
        while happening.expected >= len(happening.decisions):
            if not self.scene.further():
                ended = "somebody answered" if happening.answered is not None else "it was over"
                raise UnmetError(wanted, f"there was no further decision: {ended}")
        decision = happening.decisions[happening.expected]
        happening.expected += 1
        if not Expectation(self.policy, happening.facts).meets(wanted, decision.action):
            by = f" by the rule at {decision.rules[-1]}" if decision.rules else ""
            raise UnmetError(wanted, f"instead it was: {told(decision.action)}{by}")

    def _expect_response(self, code: tree.Code) -> None:
        happening = self.scene.now(code)
        while code.value not in (sent := _responses(happening, self.scene.world)):
            if not self.scene.further():
                if code.value == 200 and happening.answered is not None:
                    return
                heard = ", ".join(str(status) for status in sent)
                answered = " and 200" if happening.answered is not None else ""
                raise UnmetError(code, f"the caller was sent {heard or 'nothing'}{answered}")

    def _expect_tag(self, wanted: tree.ExpectTag) -> None:
        tags: dict[str, str] = {}
        for decision in self.scene.now(wanted).decisions:
            tags.update(decision.tags)
        found = tags.get(wanted.name.text)
        if found != wanted.value.value:
            raise UnmetError(
                wanted, f"`{wanted.name.text}` is {'not tagged' if found is None else f'tagged `{found}`'}"
            )

    def _expect_media(self, wanted: tree.Name) -> None:
        chosen = [decision.media for decision in self.scene.now(wanted).decisions if decision.media is not None]
        found = chosen[-1] if chosen else MEDIA[-1]
        if found != wanted.text:
            raise UnmetError(wanted, f"the media is `{found}`")


def _responses(happening: Happening, world: World) -> list[int]:
    """The statuses that the caller was sent by what was decided so far."""
    statuses = [*(_response(decision.action) for decision in happening.decisions), happening.delivered(world)]
    return [status for status in statuses if status is not None]


def _response(action: Action) -> int | None:
    match action:
        case Challenge():
            return 401
        case Accept():
            return 200
        case Reject(code=code) | Redirect(code=code):
            return code
        case Dial(notify=notify):
            return notify
        case Answer():
            return 200
        case Play() | Continue() | Transfer() | Deliver():
            return None
