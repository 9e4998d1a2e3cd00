"""Emergency calls: those of our own people go out before anything else is asked, and nobody else's do.

Owns both. Of our own people are whoever is authenticated and whoever calls from a net that the policy declares, where
no trunk calls from.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.proofs.cases import Standing
from dsl.check.proofs.chosen import Values
from dsl.check.proofs.overrules import Findings, reasons_of
from dsl.check.proofs.people import People
from dsl.check.proofs.walk import Seen, Way
from dsl.check.report import Report
from dsl.compile_setup import Setup
from dsl.diagnostics import joined, line_of
from dsl.spoken import spoken

STRANGER_IN_NEED = "stranger in need"
_IN_NEED = "in need "


def in_need(number: str) -> str:
    """The name of the case of our own people who dial this number."""
    return f"{_IN_NEED}{number}"


class Emergency:
    """Refuses what keeps our own people from help, and what lets anybody call it."""

    def __init__(self, script: tree.Script, setup: Setup, people: People, values: Values, findings: Findings) -> None:
        self._script = script
        self._setup = setup
        self._people = people
        self._values = values
        self._findings = findings
        self._kept: list[tuple[tree.Decision, str, str]] = []
        self._goes_out = False

    def rule(self, rule: tree.When, way: Way, body: Seen, rest: Seen) -> None:
        """Nothing: what counts is where an emergency call ends."""

    def decision(self, decision: tree.Decision, way: Way) -> None:
        """Look at who comes here with an emergency number."""
        dialled = self._dialled(decision, way)
        stranger = way.cases.get(STRANGER_IN_NEED)
        if dialled and stranger is not None and stranger.possible():
            for party, despite in dialled:
                trunk = "" if party.trunk is None else spoken(party.trunk)
                message = f"anyone can call an emergency service through trunk `{trunk}`"
                self._findings.refuse(party.target, message, f"require {self._proof(way)} on this path", despite)
        if dialled:
            self._goes_out = True
            return
        for name, standing in way.cases.items():
            if name.startswith(_IN_NEED):
                number = name.removeprefix(_IN_NEED)
                meant = isinstance(decision, tree.Dial) and self._is_meant(way, number)
                if not meant and standing.possible():
                    self._kept.append((decision, number, self._whose(standing)))
                    return

    def _dialled(self, decision: tree.Decision, way: Way) -> list[tuple[tree.Party, list[tree.Despite | None]]]:
        """The parties that are called by the number as it was dialled, each with its reasons."""
        match decision:
            case tree.Dial(steps=steps, despite=despite):
                parties = [(party, [step.despite, despite]) for step in steps for party in step.parties]
            case tree.Transfer(party=party, despite=despite):
                parties = [(party, [despite])]
            case _:
                return []
        return [pair for pair in parties if pair[0].trunk is not None and self._is_as_dialled(pair[0].target, way)]

    def finish(self, report: Report) -> None:
        """Tell of all that keeps an emergency call; where none goes out at all, of that alone."""
        declared = next((item for item in self._script.declarations if isinstance(item, tree.Emergency)), None)
        if declared is not None and not self._setup.trunks:
            report.notice(declared, "emergency calls cannot leave: there is no trunk")
        if declared is None and self._setup.trunks and self._setup.directory.users:
            top = next(item for item in self._script.declarations if isinstance(item, tree.Trunk))
            report.notice(top.name, "no numbers of emergency services are declared", "write `emergency 112` and a rule")
        if not self._goes_out and self._kept and declared is not None:
            calls = next(
                (item for item in self._script.declarations if isinstance(item, tree.On) and "call" in item.names),
                declared,
            )
            every = [decision for decision, _, _ in self._kept]
            told = calls.events[0] if isinstance(calls, tree.On) else declared
            message = "no rule here lets an emergency call out"
            self._findings.refuse(told, message, f"begin with `{self._rule()}`", _first_reasons(every))
            return
        alike: dict[str, list[tree.Decision]] = {}
        for decision, number, whose in self._kept:
            call = f"`{number}`, an emergency call {whose},"
            if any(reasons_of(decision)):
                self._refuse(call, [decision])
            else:
                alike.setdefault(call, []).append(decision)
        for call, decisions in alike.items():
            self._refuse(call, decisions)

    def _refuse(self, call: str, decisions: list[tree.Decision]) -> None:
        """Refuse the first of the decisions that keep this call: one rule before it mends the others too."""
        first = decisions[0]
        lines = dict.fromkeys(line_of(decision.span, first.span) for decision in decisions)
        del lines[line_of(first.span, first.span)]
        others = f"; it would not get past {joined(lines, 'and')} either" if lines else ""
        message = f"{call} is {_done_to_it(first)} here"
        self._findings.refuse(first, message, f"put `{self._rule()}` before it{others}", reasons_of(first))

    def _is_as_dialled(self, value: tree.Expression, way: Way) -> bool:
        origin = self._values.origin(value, way.given)
        return origin is not None and origin.whole and origin.subject == "dialed"

    def _is_meant(self, way: Way, number: str) -> bool:
        """Whether a rule around asks for emergency calls, or for this number."""
        return any(_asks_for(condition, number) for condition in way.rules)

    def _whose(self, standing: Standing) -> str:
        return next(words for words, formula in self._people.ways_to_be_ours().items() if standing.possible(formula))

    def _proof(self, way: Way) -> str:
        if way.event == "transfer":
            return "`transferor is known`"
        nets = [f"`source in {name}`" for name in self._people.not_wide][:2]
        return joined([*nets, "`authenticated`"])

    def _rule(self) -> str:
        ours = " or ".join([*(f"source in {name}" for name in self._people.not_wide), "authenticated"])
        trunk = next(iter(self._setup.trunks))
        return f"when dialed is emergency and ({ours}) -> dial dialed via {trunk}"


def _asks_for(condition: tree.Condition, number: str) -> bool:
    match condition:
        case tree.And(conditions=parts) | tree.Or(conditions=parts):
            return any(_asks_for(part, number) for part in parts)
        case tree.Is(state=tree.Name(text="emergency")):
            return True
        case tree.Compare(left=left, operator="==", right=right):
            return any(isinstance(side, tree.Text) and side.value == number for side in (left, right))
        case _:
            return False


def _first_reasons(decisions: list[tree.Decision]) -> list[tree.Despite | None]:
    """The reasons of all of these, where each has one."""
    reasons = [next((reason for reason in reasons_of(decision) if reason), None) for decision in decisions]
    return reasons if all(reasons) else []


def _done_to_it(decision: tree.Decision) -> str:
    match decision:
        case tree.Challenge():
            return "challenged"
        case tree.Reject():
            return "refused"
        case tree.Redirect():
            return "redirected"
        case tree.Answer():
            return "answered"
        case _:
            return "dialled as any other"
