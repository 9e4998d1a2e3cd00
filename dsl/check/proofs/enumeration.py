"""Enumeration: a stranger tells by our answers who is here.

An event that never challenges is open to everybody, and what it answers is no answer before authentication: of that
reviewers are told. Owns which questions of a rule are about who exists, and which decisions are. Users whom the script
names in person are no secret: only what would tell of any name is refused. Trunks are no strangers here: their callers
reach us by number.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.logic import Opposite, Reader
from dsl.check.proofs.chosen import Origin, Values
from dsl.check.proofs.overrules import Findings, reasons_of
from dsl.check.proofs.walk import Seen, Way
from dsl.check.report import Report
from dsl.compile_setup import Setup
from dsl.resolve import Kind, Names
from dsl.spoken import spoken

STRANGER_WHO_ASKS = "stranger who asks"
_ADVICE = "put `when not authenticated -> challenge` before it"


class Enumeration:
    """Refuses answers to strangers that differ between users and those who are none."""

    def __init__(
        self, script: tree.Script, setup: Setup, names: Names, reader: Reader, values: Values, findings: Findings
    ) -> None:
        self._setup = setup
        self._names = names
        self._reader = reader
        self._values = values
        self._findings = findings
        self._reached: list[tuple[tree.Expression, list[tree.Despite | None]]] = []
        self._answered: set[tree.Span] = set()
        self._asking = _asking(script, names)
        self._open: set[str] = set()

    def decision(self, decision: tree.Decision, way: Way) -> None:
        """A decision that itself turns out otherwise for whoever is no user."""
        match decision:
            case tree.Dial(steps=steps):
                for step in steps:
                    for party in step.parties:
                        self._target(party.target, way, [step.despite, decision.despite])
            case tree.Redirect(target=target):
                self._target(target, way, reasons_of(decision), by_name=True)
            case tree.Deliver(target=target):
                self._target(target, way, reasons_of(decision))
            case _:
                pass

    def _target(
        self, value: tree.Expression, way: Way, despite: list[tree.Despite | None], by_name: bool = False
    ) -> None:
        """A user who was asked for. `by_name`: any text stands for the user who is called so."""
        standing = way.cases.get(STRANGER_WHO_ASKS)
        origin = self._values.origin(value, way.given)
        if standing is None or origin is None or not (origin.who or (by_name and origin.chosen)):
            return
        named = [
            *standing.constants(self._reader.subject(value), "equal"),
            *standing.constants(origin.subject, "equal"),
        ]
        if standing.possible(*(Opposite(one) for one in named)):
            if way.event in self._asking:
                self._reached.append((value, despite))
            else:
                self._open.add(way.event)

    def rule(self, rule: tree.When, way: Way, body: Seen, rest: Seen) -> None:
        """A rule that asks who exists, and what is answered for it and without it."""
        asked = self._asks(rule.condition, way)
        if asked is None:
            return
        here, elsewhere = body.possible(), rest.possible()
        if not here or not elsewhere or len({_answer(decision) for decision in (*here, *elsewhere)}) < 2:
            return
        if way.event not in self._asking:
            self._open.add(way.event)
            return
        told = _but_challenges(here) or _but_challenges(elsewhere)
        self._answered.update(node.span for decision in told for node in tree.walk(decision))
        reasons = [reason for decision in told for reason in reasons_of(decision)]
        self._findings.refuse(rule.condition, _message(asked), _ADVICE, reasons)

    def finish(self, script: tree.Script, report: Report) -> None:
        """Tell of the users who can be reached by name, where no rule was told of for it; and of open events."""
        for on in script.declarations:
            if isinstance(on, tree.On) and not self._open.isdisjoint(on.names):
                message = (
                    f"`on {', '.join(on.names)}` asks nobody who it is: anyone can tell from it who is a user here"
                )
                report.notice(on.events[0], message)
        for value, despite in self._reached:
            if value.span not in self._answered:
                self._findings.refuse(value, _message(value), _ADVICE, despite)

    # Questions about who exists

    def _asks(self, condition: tree.Condition, way: Way) -> tree.Expression | None:
        """The value of a condition that somebody must be for it to hold."""
        match condition:
            case tree.And(conditions=parts) | tree.Or(conditions=parts):
                return next((asked for part in parts if (asked := self._asks(part, way))), None)
            case tree.Not(condition=inner):
                return self._asks(inner, way)
            case tree.Compare(left=left, right=right):
                if self._is_person(left) or self._is_person(right):
                    return None
                return next((side for side in (left, right) if self._is_about(side, way)), None)
            case tree.In(item=item) | tree.Matches(item=item) | tree.Is(subject=item):
                return item if self._is_about(item, way) else None
            case tree.Lookup(table=table, key=key):
                known = self._setup.tables.get(table.text)
                by_name = known is not None and known.kind == "text" and self._is_dialled(key, way)
                return key if by_name or self._is_about(key, way) else None
            case _:
                return None

    def _is_about(self, value: tree.Expression, way: Way) -> bool:
        origin = self._values.origin(value, way.given)
        return origin is not None and origin.who

    def _is_dialled(self, value: tree.Expression, way: Way) -> bool:
        origin: Origin | None = self._values.origin(value, way.given)
        return origin is not None and origin.subject in ("dialed", "claimed")

    def _is_person(self, value: tree.Expression) -> bool:
        """A user by name, or the caller, who is nobody as long as nothing was shown."""
        if not isinstance(value, tree.Reference):
            return False
        return self._names.of(value.name).kind is Kind.USER or value.name.text == "caller"


def _asking(script: tree.Script, names: Names) -> set[str]:
    """The events in which somebody is challenged."""
    found: set[str] = set()
    for item in script.declarations:
        if isinstance(item, tree.On | tree.Sub) and any(isinstance(node, tree.Challenge) for node in tree.walk(item)):
            if isinstance(item, tree.On):
                found.update(item.names)
            else:
                found |= names.contexts.get(item.name.text, frozenset())
    return found


def _but_challenges(decisions: list[tree.Decision]) -> list[tree.Decision]:
    return [decision for decision in decisions if not isinstance(decision, tree.Challenge)]


def _message(asked: tree.Expression) -> str:
    return f"anyone can tell from this whether `{spoken(asked)}` is a user here"


def _answer(decision: tree.Decision) -> str:
    """What whoever asked can tell a decision by; two that cannot be told apart are the same."""
    match decision:
        case tree.Challenge():
            return "challenge"
        case tree.Reject(code=code, reason=reason):
            return f"reject {code.value} {'' if reason is None else reason.value}"
        case tree.Answer(service=service, sound=sound):
            return f"answer {service.text} {'' if sound is None else sound.text}"
        case _:
            return decision.span.place
