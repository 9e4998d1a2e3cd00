"""The `test` blocks of a policy, run: no network, no clock, one decision after the other.

Owns the order of steps and what an expectation means. Decisions are asked for when an expectation needs them, so
what is `given` between two expectations counts for the second. Where nothing is given it is a Wednesday at noon,
requests come by UDP from an address that is in no net, and every party answers (`rehearsal`). Calls and their holds
are `happening`'s.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from dsl import tree
from dsl.decision import (
    Accept,
    Action,
    Answer,
    Challenge,
    Continue,
    Dial,
    Event,
    Facts,
    Play,
    Redirect,
    Reject,
    Transfer,
)
from dsl.diagnostics import Problem, Source
from dsl.expectation import Expectation, told
from dsl.happening import Happening, UnmetError
from dsl.networks import Network, NetworkSet, first_address
from dsl.numbers import without_separators
from dsl.policy import Policy
from dsl.rehearsal import World
from dsl.vocabulary import MEDIA

NOON = "2026-07-01 12:00"
"""When a test happens that does not say when: a Wednesday, in the policy's zone."""

_ELSEWHERE = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")


class Result(msgspec.Struct, frozen=True):
    """One test: passed when `failure` is None, which is the place of what did not come true, and what did.

    `place` is that of the test, and `rules` are the places of all rules that fired in it, as decisions name them.
    """

    title: str
    place: str
    failure: Problem | None
    rules: frozenset[str]

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return self.failure is None


def run(policy: Policy) -> list[Result]:
    """Run every test of a policy, in the order of the file."""
    tests = [item for item in policy.script.declarations if isinstance(item, tree.Test)]
    return [_Test(policy).run(test) for test in tests]


def untested(policy: Policy, results: list[Result]) -> list[str]:
    """The places of rules that fired in no test, in the order of the file."""
    fired = {place for result in results for place in result.rules}
    heads = [
        node.head
        for declaration in policy.script.declarations
        for node in tree.walk(declaration)
        if isinstance(node, tree.When | tree.AlsoWhen | tree.Otherwise)
    ]
    return [head.place for head in heads if head.place not in fired]


class _Test:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.world = World(policy)
        self.time = self._moment(NOON)
        self.happening: Happening | None = None
        self.rules: set[str] = set()

    def run(self, test: tree.Test) -> Result:
        failure = None
        try:
            for step in test.steps:
                self._step(step)
        except UnmetError as failed:
            failure = Source.of(self.policy.script).problem(failed.node.span, str(failed))
        self._note_rules()
        return Result(test.title.value, test.span.place, failure, frozenset(self.rules))

    def _note_rules(self) -> None:
        if self.happening is not None:
            self.rules.update(rule for decision in self.happening.decisions for rule in decision.rules)

    def _step(self, step: tree.TestStep) -> None:
        match step:
            case tree.CallStep():
                self._begin("call", self._call_facts(step))
            case tree.RegisterStep():
                self._begin("register", self._register_facts(step))
            case tree.HoldStep():
                self._now(step).hold(step, self.world, self.time)
            case tree.ResumeStep(after=after):
                self.time += 0.0 if after is None else after.seconds or 0.0
                self._now(step).resume(step, self.world, self.time)
            case tree.TransferStep(dialed=dialed):
                self._now(step).transfer(step, _dialled(dialed), self.world, self.time)
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
            case tree.ExpectDecision(decision=decision):
                self._expect_decision(decision)
            case tree.ExpectResponse(code=code):
                self._expect_response(code)
            case tree.ExpectTag():
                self._expect_tag(step)
            case tree.ExpectMedia(choice=choice):
                self._expect_media(choice)

    def _begin(self, event: Event, facts: Facts) -> None:
        self._note_rules()
        self.happening = Happening(self.policy, event, facts)

    def _party(self, expression: tree.Expression) -> str:
        """The user, trunk, number or URI that a `given` is about."""
        if isinstance(expression, tree.Reference):
            return expression.name.text
        return Expectation(self.policy, None).text(expression) or ""

    def _moment(self, text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=self.policy.setup.zone).timestamp()

    # Facts

    def _facts(self, user: tree.Name | None, circumstances: tuple[tree.Circumstance, ...]) -> Facts:
        with_password = user is not None
        facts = Facts(time=self.time, source=self._elsewhere(), transport="udp", ambient=self.world)
        headers: dict[str, str] = {}
        for circumstance in circumstances:
            match circumstance:
                case tree.WithSource(source=source):
                    facts.source = self._source(source)
                case tree.WithoutPassword():
                    with_password = False
                case tree.WithHeader(name=name, value=value):
                    headers.setdefault(name.value.lower(), value.value)
                case tree.WithContacts(count=count):
                    facts.contacts = count.value
                case tree.WithExpires(duration=duration):
                    facts.expires = int(duration.seconds or 0)
                case tree.WithTransport(transport=transport):
                    facts.transport = transport.text
        if with_password and user is not None:
            facts.authenticated, facts.caller = True, user.text
        facts.headers = headers
        facts.trunk = self.policy.trunk_of(facts.source)
        return facts

    def _call_facts(self, step: tree.CallStep) -> Facts:
        caller = step.caller
        facts = self._facts(caller.user, step.circumstances)
        facts.claimed = caller.user.text if caller.user is not None else None
        if caller.claimed is not None:
            facts.claimed = caller.claimed.value
            if facts.trunk is not None:
                facts.caller_number = self.policy.number_from(facts.trunk, facts.claimed)
        if caller.trunk is not None:
            facts.trunk = caller.trunk.text
            if not any(isinstance(item, tree.WithSource) for item in step.circumstances):
                facts.source = self._at_trunk(facts.trunk, facts.source)
        facts.dialed = _dialled(step.dialed)
        facts.callee = self.policy.callee(facts.dialed)
        return facts

    def _register_facts(self, step: tree.RegisterStep) -> Facts:
        facts = self._facts(step.user, step.circumstances)
        facts.user = None if step.user is None else step.user.text
        facts.contacts = 1 if facts.contacts is None else facts.contacts
        facts.expires = 3600 if facts.expires is None else facts.expires
        return facts

    def _source(self, source: tree.Name | tree.Network) -> str:
        if isinstance(source, tree.Network):
            return source.text
        return first_address(self.policy.setup.nets[source.text][0])

    def _at_trunk(self, trunk: str, otherwise: str) -> str:
        peers = self.policy.trunks[trunk].peers
        return first_address(peers[0]) if peers else otherwise

    def _elsewhere(self) -> str:
        """An address in no net of the policy and in no trunk's peers."""
        known: list[Network] = [network for nets in self.policy.setup.nets.values() for network in nets]
        known += [network for trunk in self.policy.trunks.values() for network in trunk.peers]
        inside = NetworkSet((0, network) for network in known)
        return next((address for address in _ELSEWHERE if not inside.match(address)), _ELSEWHERE[0])

    # Expectations

    def _now(self, node: tree.Node) -> Happening:
        if self.happening is None:
            raise UnmetError(node, "nothing has happened yet")
        return self.happening

    def _expect_decision(self, wanted: tree.Decision) -> None:
        happening = self._now(wanted)
        while happening.expected >= len(happening.decisions):
            if not happening.further(self.world, self.time):
                ended = "somebody answered" if happening.answered is not None else "it was over"
                raise UnmetError(wanted, f"there was no further decision: {ended}")
        decision = happening.decisions[happening.expected]
        happening.expected += 1
        if not Expectation(self.policy, happening.facts).meets(wanted, decision.action):
            by = f" by the rule at {decision.rules[-1]}" if decision.rules else ""
            raise UnmetError(wanted, f"instead it was: {told(decision.action)}{by}")

    def _expect_response(self, code: tree.Code) -> None:
        happening = self._now(code)
        while code.value not in (sent := _responses(happening)):
            if not happening.further(self.world, self.time):
                if code.value == 200 and happening.answered is not None:
                    return
                heard = ", ".join(str(status) for status in sent)
                answered = " and 200" if happening.answered is not None else ""
                raise UnmetError(code, f"the caller was sent {heard or 'nothing'}{answered}")

    def _expect_tag(self, wanted: tree.ExpectTag) -> None:
        tags: dict[str, str] = {}
        for decision in self._now(wanted).decisions:
            tags.update(decision.tags)
        found = tags.get(wanted.name.text)
        if found != wanted.value.value:
            raise UnmetError(
                wanted, f"`{wanted.name.text}` is {'not tagged' if found is None else f'tagged `{found}`'}"
            )

    def _expect_media(self, wanted: tree.Name) -> None:
        chosen = [decision.media for decision in self._now(wanted).decisions if decision.media is not None]
        found = chosen[-1] if chosen else MEDIA[-1]
        if found != wanted.text:
            raise UnmetError(wanted, f"the media is `{found}`")


def _dialled(dialed: tree.Name | tree.Text) -> str:
    return dialed.text if isinstance(dialed, tree.Name) else without_separators(dialed.value)


def _responses(happening: Happening) -> list[int]:
    """The statuses that the caller was sent by what was decided so far."""
    statuses = [_response(decision.action) for decision in happening.decisions]
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
        case Play() | Continue() | Transfer():
            return None
