"""A recorded call, decided again by another policy: the same, something else, or not to be known.

Owns the facts that a policy makes of what a request said, what a recorded answer is still worth under other
declarations, and going on with recorded outcomes for as long as the same parties are rung. Nothing is guessed: what
was never asked, or could have come out otherwise, is unknown, by the name that the policy has for it. What makes two
decisions the same is `difference`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TypeAlias, cast

import msgspec

from dsl import tree
from dsl.compile_setup import Limit
from dsl.decision import Action, Continue, Decision, Dial, Event, Facts, Frame, Outcome, Reject, Transfer
from dsl.evaluate import EvaluationError
from dsl.plan.difference import Ways, changed
from dsl.plan.recorded import SECRET_HEADERS, Happened, Known, Recorded, Version
from dsl.policy import Policy
from dsl.vocabulary import GOES_ON

Asked: TypeAlias = Mapping[str, object]

_NOT_THEIRS = Reject(403)
_OF_CALLER = ("caller", "number")
_SIDES = (("holder_is_caller", "holder", "held"), ("transferor_is_caller", "transferor", "transferee"))
"""Who of two parties is the one who called, by the fact that says so."""


class UnknownError(Exception):
    """The policy wants to know what was not recorded; `fact` is its name for that. Never leaves this module."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


class Different(msgspec.Struct, frozen=True):
    """The first event of a call that would be decided otherwise: how it was, how it would be, and what changes."""

    event: Happened
    decision: Decision
    change: str


class Unknown(msgspec.Struct, frozen=True):
    """The first event of a call of which the decision cannot be known, for want of this fact."""

    event: Happened
    fact: str


Found: TypeAlias = Different | Unknown


class Replay:
    """Asks one policy about calls that were decided by `versions`, which go by their hashes."""

    def __init__(self, policy: Policy, versions: Mapping[str, Version]) -> None:
        self._policy = policy
        self._versions = versions
        self._ways: dict[str, Ways] = {}
        self._nameless = False
        self._trunks = {trunk.uri: name for name, trunk in policy.trunks.items()}

    def of(self, call: Recorded) -> Found | None:
        """What would be otherwise in a call; None when nothing would."""
        facts: Facts | None = None
        frame: Frame | None = None
        for event in call.events:
            try:
                if facts is None:
                    facts = self._facts(call.known, self._versions.get(event.decision.policy))
                decision = self._decided(event, facts, frame)
            except UnknownError as unknown:
                return Unknown(event, unknown.fact)
            if event.facts.get("attended") and isinstance(decision.action, Transfer):
                decision = _connected(event.decision, decision)
            change = changed(event.decision, decision, self._ways_of(event.decision.policy))
            if change is not None:
                return Different(event, decision, change)
            frame = decision.action.frame if isinstance(decision.action, Dial) else None
        return None

    def _decided(self, event: Happened, facts: Facts, frame: Frame | None) -> Decision:
        version = self._versions.get(event.decision.policy)
        facts.time = event.time
        facts.ambient = _Answers(event.decision.asked, self._policy, version)
        outcome = event.outcome
        if outcome is not None:
            return self._resumed(event, facts, frame or Frame("", 0), outcome)
        if event.facts:
            facts.callee = None
            facts = self._within(facts, event.facts)
        if event.event == "register" and facts.caller is not None and facts.caller != facts.user:
            return Decision(_NOT_THEIRS, self._policy.hash)
        try:
            return self._policy.decide(cast(Event, event.event), facts)
        except EvaluationError:
            action: Action = Continue() if event.event in GOES_ON else Reject(500)
            return Decision(action, self._policy.hash)

    def _within(self, facts: Facts, own: Mapping[str, str | bool | float | None]) -> Facts:
        """The facts of an event within a call; this policy has its own names for who calls and for who is wanted.

        Raises UnknownError where it asks for who calls, and would believe somebody else about that.
        """
        facts = msgspec.structs.replace(facts, **own)
        party = facts.caller or facts.caller_number or facts.claimed
        for by_caller, one, other in _SIDES:
            if by_caller in own:
                name = one if own[by_caller] else other
                if self._nameless and name in self._asked_of_parties:
                    raise UnknownError(name)
                setattr(facts, name, party)
        if "target" in own and not facts.attended:
            facts.target = self._policy.callee(facts.dialed)
        elif facts.target not in self._policy.users:
            facts.target = None
        return facts

    def _resumed(self, event: Happened, facts: Facts, frame: Frame, outcome: Outcome) -> Decision:
        try:
            return self._policy.resume(frame, outcome, facts)
        except EvaluationError:
            return Decision(Reject(500), self._policy.hash)

    def _ways_of(self, version: str) -> Ways:
        ways = self._ways.get(version)
        if ways is None:
            ways = self._ways[version] = Ways(self._versions.get(version), self._policy)
        return ways

    # Facts

    def _facts(self, known: Known, version: Version | None) -> Facts:
        """What this policy makes of a request."""
        policy = self._policy
        self._nameless = False
        trunk = self._trunk(known)
        caller = known.caller if known.caller in policy.users else None
        facts = Facts(
            time=0.0,
            source=known.source,
            transport=known.transport,
            ambient=_Answers({}, policy, None),
            trunk=trunk,
            authenticated=caller is not None,
            caller=caller,
            claimed=known.claimed,
            dialed=known.dialed,
            callee=policy.callee(known.dialed),
            anonymous=known.anonymous,
            diverted_by=policy.callee(known.diverted_by) or known.diverted_by,
            headers=_Headers(known.headers, version),
            user=policy.callee(known.user),
            expires=known.expires,
            contacts=known.contacts,
            agent=known.agent,
        )
        if trunk is not None and caller is None:
            number = self._number(known, trunk, version)
            facts.caller_number = None if number is None else policy.number_from(trunk, number)
        return facts

    def _trunk(self, known: Known) -> str | None:
        """The trunk from which this policy would say that a request came."""
        if known.trunk_uri is None:
            return self._policy.trunk_of(known.source)
        trunk = self._policy.trunks.get(known.trunk or "")
        if trunk is not None and trunk.uri == known.trunk_uri:
            return trunk.name
        return self._trunks.get(known.trunk_uri) or self._policy.trunk_of(known.source)

    def _number(self, known: Known, trunk: str, version: Version | None) -> str | None:
        """What the trunk gave of who calls: who is believed about it may have changed."""
        before = None if version is None or known.trunk is None else version.trunks.get(known.trunk)
        trusted = before is not None and before.trusted
        if self._policy.trunks[trunk].trusted is trusted:
            return known.claimed if known.trunk is None else known.number
        if trusted:
            return known.claimed
        if "caller.number" in self._asked_of_parties:
            raise UnknownError("caller.number")
        self._nameless = True
        return None

    @cached_property
    def _asked_of_parties(self) -> frozenset[str]:
        """What of the number of who calls, and of parties whose name that may be, the policy asks for."""
        nodes = [node for item in self._policy.script.declarations for node in tree.walk(item)]
        heard = {id(node.party) for node in nodes if isinstance(node, tree.Play)}
        asked = {node.name.text for node in nodes if isinstance(node, tree.Reference) and id(node) not in heard}
        if any(map(_asks_for_number_of_caller, nodes)):
            asked.add("caller.number")
        return frozenset(asked)


class _Headers(Mapping[str, str]):
    """Those headers of a request that were recorded: those that the `version` then in force named."""

    def __init__(self, kept: Mapping[str, str], version: Version | None) -> None:
        self._kept = kept
        self._named = frozenset(() if version is None else version.headers) - SECRET_HEADERS

    def __getitem__(self, name: str) -> str:
        if name not in self._named:
            raise UnknownError(f'header "{name}"')
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


class _Answers:
    """What was asked at one event, with its answers, as far as these still answer what the new policy asks."""

    def __init__(self, asked: Asked, policy: Policy, version: Version | None) -> None:
        self._asked = asked
        self._policy = policy
        self._version = version

    def registered(self, user: str) -> bool:
        """Whether a user had a binding."""
        return self._answer(f"registered {user}", "U is registered")

    def busy(self, user: str) -> bool:
        """Whether a user was in a call."""
        return self._answer(f"busy {user}", "U is busy")

    def over(self, limit: str, key: str) -> bool:
        """Whether one more would have passed a limit; a wider one was not passed where a narrower was not."""
        fact = f"over {limit}"
        answer = self._answer(f"{fact} {key}" if key else fact, fact)
        before = None if self._version is None else self._version.limits.get(limit)
        if before is None or not _holds(before, self._policy.limits[limit], key, answer):
            raise UnknownError(fact)
        return answer

    def up(self, trunk: str) -> bool:
        """Whether a trunk took calls."""
        fact = f"{trunk} is up"
        answer = self._answer(f"up {trunk}", fact)
        before = None if self._version is None else self._version.trunks.get(trunk)
        if before is None or before.uri != self._policy.trunks[trunk].uri:
            raise UnknownError(fact)
        return answer

    def full(self, trunk: str) -> bool:
        """Whether the channels of a trunk were all taken."""
        fact, channels = f"{trunk} is full", self._policy.trunks[trunk].channels
        if channels is None:
            return False
        answer = self._answer(f"full {trunk}", fact)
        before = None if self._version is None else self._version.trunks.get(trunk)
        if before is None or before.channels is None or not _bounds(before.channels, channels, answer):
            raise UnknownError(fact)
        return answer

    def turn(self, group: str) -> int:
        """How often a group was called in turn before."""
        answer = self._asked.get(f"turn {group}")
        if not isinstance(answer, int):
            raise UnknownError(f"whose turn it is in {group}")
        return answer

    def draw(self, group: str) -> float:
        """What chance said of a group's order."""
        answer = self._asked.get(f"draw {group}")
        if not isinstance(answer, float):
            raise UnknownError(f"who comes first in {group}")
        return answer

    def _answer(self, name: str, fact: str) -> bool:
        answer = self._asked.get(name)
        if not isinstance(answer, bool):
            raise UnknownError(fact)
        return answer


def _connected(before: Decision, now: Decision) -> Decision:
    """What is decided now of an attended transfer: allowed like before it is the same, whatever the rule names."""
    return msgspec.structs.replace(now, action=before.action) if isinstance(before.action, Transfer) else now


def _asks_for_number_of_caller(node: tree.Node) -> bool:
    match node:
        case tree.Attribute(base=base, attribute=attribute):
            return (base.text, attribute.text) == _OF_CALLER
        case tree.Limit(each=tree.Name(text=text)):
            return text == ".".join(_OF_CALLER)
        case _:
            return False


def _holds(before: Limit, now: Limit, key: str, answer: bool) -> bool:
    """Whether an answer about one limit is one about another, for the same key."""
    return (before.per, before.each) == (now.per, now.each) and _bounds(before.most(key), now.most(key), answer)


def _bounds(before: int, now: int, answer: bool) -> bool:
    """Whether something is still at its bound, or still below, when that is moved."""
    return now <= before if answer else now >= before
