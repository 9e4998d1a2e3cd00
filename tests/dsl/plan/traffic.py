"""Random calls to a generated policy: what they said, how they were decided, and how the same call would be decided by
another policy in the same world, asked directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import msgspec

from dsl.decision import Action, Decision, Dial, Event, Facts, Frame, NumberTarget, Reject, Transfer
from dsl.evaluate import EvaluationError
from dsl.plan.recorded import Happened, Recorded, known_of, read_recorded, way_of, without_frames, written
from dsl.policy import Policy
from tests.dsl.generated import Answers, GeneratedPolicy

KINDS = ("busy", "no-answer", "unreachable", "failure", "redirect")
MOST = 6


@dataclass(frozen=True)
class World(Answers):
    """Answers, but for a trunk whose channels have no bound: those are never all taken."""

    policy: Policy

    def full(self, trunk: str) -> bool:
        return self.policy.trunks[trunk].channels is not None and bool(super().full(trunk))


class Call(msgspec.Struct):
    """A request as it came, without what a policy makes of it, and the seed of the ambient of each of its events."""

    said: Facts
    number: str | None
    recorded: Recorded
    ambients: list[int]


def calls(generated: GeneratedPolicy, policy: Policy, random: Random, count: int) -> Iterator[Call]:
    """Calls and messages, as `policy` decided them and as it was written."""
    for number in range(count):
        first: Event = random.choice(("call", "call", "call", "message"))
        said = generated.facts(first, random)
        if (trunk := policy.trunk_of(said.source)) is not None:
            said.trunk = trunk
        number_said = said.caller_number
        facts = facts_under(policy, said, number_said, None)
        headers = {name: value for name, value in facts.headers.items() if name in policy.headers}
        known = known_of(facts, policy, number_said, headers, None)
        events, ambients = _events(generated, policy, facts, random, first)
        document = written(Recorded(f"c{number}", known, without_frames(events)))
        yield Call(said, number_said, read_recorded(document), ambients)


def _events(
    generated: GeneratedPolicy, policy: Policy, facts: Facts, random: Random, first: Event
) -> tuple[list[Happened], list[int]]:
    events: list[Happened] = []
    ambients: list[int] = []

    def happen(event: Event, outcome=None, frame: Frame | None = None, own: dict | None = None) -> Decision:
        ambients.append(random.randrange(1000))
        facts.time += 10.0
        facts.ambient = World(ambients[-1], policy)
        for name, value in (own or {}).items():
            setattr(facts, name, value)
        decision = decided(policy, event, facts, frame, outcome)
        events.append(Happened(event, facts.time, decision, outcome, own or {}))
        return decision

    decision = happen(first)
    while isinstance(decision.action, Dial) and len(events) < MOST and random.random() < 0.8:
        outcome = generated.outcome(random.choice(KINDS), random)
        decision = happen(outcome.kind, outcome, decision.action.frame)
    if isinstance(decision.action, Dial):
        facts.callee = None
        for event in ("hold", "resume"):
            by_caller = random.random() < 0.5
            parties = (facts.caller or facts.caller_number or facts.claimed, random.choice(list(policy.users)))
            holder, held = parties if by_caller else parties[::-1]
            since = 3.0 if event == "resume" else None
            happen(event, own={"holder": holder, "held": held, "holder_is_caller": by_caller, "held_for": since})
    return events, ambients


def decided(policy: Policy, event: Event, facts: Facts, frame: Frame | None, outcome) -> Decision:
    """What the engine makes of a policy, one that fails included."""
    try:
        if outcome is not None:
            return policy.resume(frame or Frame("", 0), outcome, facts)
        return policy.decide(event, facts)
    except EvaluationError:
        return Decision(Reject(500), policy.hash)


def facts_under(policy: Policy, said: Facts, number: str | None, before: Policy | None) -> Facts:
    """What a policy makes of a request; `before` is the one that recognised its trunk."""
    facts = msgspec.structs.replace(said)
    if before is not None and said.trunk is not None:
        by_peers = before.trunk_of(said.source) == said.trunk
        named = policy.trunks.get(said.trunk)
        if by_peers or named is None or named.uri != before.trunks[said.trunk].uri:
            uris = {} if by_peers else {trunk.uri: name for name, trunk in policy.trunks.items()}
            facts.trunk = uris.get(before.trunks[said.trunk].uri) or policy.trunk_of(said.source)
    elif before is not None:
        facts.trunk = policy.trunk_of(said.source)
    if facts.caller not in policy.users:
        facts.caller = None
    facts.authenticated = facts.caller is not None
    facts.callee = policy.callee(said.dialed)
    facts.diverted_by = policy.callee(said.diverted_by) or said.diverted_by
    facts.caller_number = None
    if facts.trunk is not None and facts.caller is None:
        facts.caller_number = None if number is None else policy.number_from(facts.trunk, number)
    return facts


def first_difference(call: Call, before: Policy, now: Policy) -> int | None:
    """The number of the first event of a call that another policy decides otherwise, asked in the same world."""
    facts = facts_under(now, call.said, call.number, before)
    frame: Frame | None = None
    for number, (event, ambient) in enumerate(zip(call.recorded.events, call.ambients, strict=True)):
        facts.time, facts.ambient = event.time, World(ambient, now)
        for name, value in event.facts.items():
            setattr(facts, name, value)
        if event.facts:
            facts.callee = None
            party = facts.caller or facts.caller_number or facts.claimed
            setattr(facts, "holder" if facts.holder_is_caller else "held", party)
        decision = decided(now, event.event, facts, frame, event.outcome)
        if _essence(event.decision, before) != _essence(decision, now):
            return number
        frame = decision.action.frame if isinstance(decision.action, Dial) else None
    return None


def _essence(decision: Decision, policy: Policy) -> object:
    """All that a decision comes to: where, how, as whom."""
    action: Action = decision.action
    ways: list[object] = []
    targets = ()
    if isinstance(action, Dial):
        action = msgspec.structs.replace(action, frame=Frame("", 0))
        targets = tuple(party for step in action.steps for party in step.parties)
    elif isinstance(action, Transfer):
        targets = (action.target,)
    for party in targets:
        if isinstance(party, NumberTarget) and party.number is not None:
            way = msgspec.structs.replace(way_of(policy.trunks[party.trunk]), allow=None, number="", channels=None)
            ways.append((policy.trunk_number(party.trunk, party.number), way))
    sound = getattr(action, "sound", None)
    version = policy.sounds[sound].version if sound in policy.sounds else None
    return action, ways, version, decision.media, decision.headers, decision.tags, decision.takes
