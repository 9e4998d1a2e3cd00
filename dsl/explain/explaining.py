"""Sentences brought about one after the other, and what was decided of each.

Owns which of what is given counts for what: all that is said up to an event, and what follows it before the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from dsl import tree
from dsl.decision import Ambient, Decision, Dial, Facts, Outcome, OutcomeKind, party_of
from dsl.diagnostics import PolicyError
from dsl.expectation import told
from dsl.explain.explanation import Ending, Explained, Explanation
from dsl.explain.plain import marks, plain
from dsl.happening import Happening
from dsl.occasions import Occasion, UnmetError
from dsl.policy import Policy
from dsl.rehearsal import REDIRECTED, World
from dsl.scene import Scene
from dsl.sentences import BEGINNING, Said, Sentence, read_sentences
from dsl.walk import Tried, Walked, Walker, again
from dsl.walk.view import View, facts_in

_HAPPENING = BEGINNING | tree.HoldStep | tree.ResumeStep | tree.TransferStep
_TYPICAL: dict[OutcomeKind, int | None] = {
    "busy": 486,
    "no-answer": None,
    "unreachable": None,
    "failure": 404,
    "redirect": 302,
}
"""How dials end, each with the status that is most often seen with it."""


def explain(
    policy: Policy, sentences: Iterable[Sentence], ambient: Ambient | None = None, time: float | None = None
) -> Explanation:
    """Tell what these sentences lead to.

    What they do not give is as a running server's `ambient` has it at a `time` (wall seconds), else as in a test.
    Raises PolicyError for a sentence that cannot be understood, or cannot come true.
    """
    said = read_sentences(policy, sentences)
    scene = Scene(policy, World(policy, ambient), time)
    brought: dict[int, list[str]] = {}
    for item in _in_order(said):
        try:
            scene.take(item.step)
        except UnmetError as unmet:
            raise PolicyError([item.problem(unmet.node, str(unmet))]) from None
        if isinstance(item.step, _HAPPENING):
            happening = scene.now
            sayings = brought.setdefault(id(happening), [])
            sayings += [""] * (len(happening.occasions) - len(sayings) - 1) + [item.sentence.text]
    events: list[Explained] = []
    teller = _Teller(policy)
    scene.finish()
    for happening in scene.happenings:
        events += teller.events(happening, brought.get(id(happening), []))
    return Explanation(policy.name, policy.path.name, policy.hash, ambient is not None, tuple(events))


def _in_order(said: Sequence[Said]) -> list[Said]:
    """The sentences with what is given after an event before it, for that counts for it too."""
    ordered: list[Said] = []
    event: list[Said] = []
    for item in said:
        if isinstance(item.step, tree.Given):
            ordered.append(item)
        else:
            ordered += event
            event = [item]
    return ordered + event


class _Teller:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.walker = Walker(policy.script, policy.setup, policy.hash)

    def events(self, happening: Happening, sayings: list[str]) -> list[Explained]:
        """Each event of a call; only the last dial is still open."""
        occasions = happening.occasions
        sayings = sayings + [""] * (len(occasions) - len(sayings))
        found: list[Explained] = []
        for occasion, walked, said in zip(occasions, again(self.walker, occasions), sayings, strict=True):
            decision, facts = occasion.decision, occasion.facts
            zone = self.policy.setup.zone
            open_ = occasion is occasions[-1]
            found.append(
                Explained(
                    said,
                    occasion.event,
                    f"{datetime.fromtimestamp(facts.time, zone):%a %Y-%m-%d %H:%M}",
                    plain(decision.action, facts.attended),
                    told(decision.action),
                    self._by(decision),
                    self._facts(occasion),
                    decision.asked,
                    self._tried(walked),
                    tuple(marks(decision)),
                    self._endings(decision, facts) if open_ else (),
                    occasion.why,
                )
            )
        return found

    def _place(self, place: str) -> str:
        """A place with its file; that of the main file is not in it."""
        return place if place.count(":") > 1 else f"{self.policy.path.name}:{place}"

    def _by(self, decision: Decision) -> str:
        return self._place(decision.rules[-1]) if decision.rules else ""

    def _facts(self, occasion: Occasion) -> dict[str, object]:
        """What the event's rules could know, without what is absent or false."""
        known = facts_in([occasion.event])
        view = View(self.policy.setup, occasion.facts, occasion.outcome, known)
        facts = {name: view.fact(name) for name in known}
        return {name: value for name, value in facts.items() if value is not None and value is not False}

    def _tried(self, walked: Walked) -> tuple[Tried, ...]:
        return tuple(msgspec.structs.replace(item, place=self._place(item.place)) for item in walked.tried)

    def _endings(self, decision: Decision, facts: Facts) -> tuple[Ending, ...]:
        dial = decision.action
        if not isinstance(dial, Dial):
            return ()
        found: list[Ending] = []
        for kind, code in _TYPICAL.items():
            redirected = REDIRECTED if kind == "redirect" else None
            last = dial.steps[-1].parties[-1]
            tried = sum(len(step.parties) for step in dial.steps)
            outcome = Outcome(kind, party_of(last), code, kind == "no-answer", tried, redirected)
            then = self.policy.resume(dial.frame, outcome, msgspec.structs.replace(facts, callee=None))
            found.append(Ending(kind, code, told(then.action), self._by(then)))
        return tuple(found)
