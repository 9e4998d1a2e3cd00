"""Toll fraud: a stranger says whom we call at our expense.

Owns what leads out at our expense, and where a choice is none: of the operator's own constants, or an emergency
number (that those are not open to everybody is for `emergency`).
"""

from __future__ import annotations

from dsl import tree
from dsl.check.logic import AnyOf, Atom, Formula, Opposite, Reader, required
from dsl.check.proofs.chosen import Origin, Values
from dsl.check.proofs.overrules import Findings, reasons_of
from dsl.check.proofs.people import People
from dsl.check.proofs.walk import Seen, Way
from dsl.check.ways_out import WaysOut
from dsl.compile_setup import Setup
from dsl.spoken import spoken

_EMERGENCY = Atom("dialed", "emergency")


def stranger(trunk: str | None) -> str:
    """The name of the case of a stranger, as a call through this trunk sees them."""
    return f"stranger {trunk or ''}"


def transferor(trunk: str | None) -> str:
    """The name of the case of a stranger who transfers a call out through this trunk."""
    return f"transferor {trunk or ''}"


_SAID_BY_THE_TRANSFEROR = ("dialed", "transferor")


class Toll:
    """Refuses a choice of strangers that reaches a trunk."""

    def __init__(
        self, setup: Setup, ways: WaysOut, people: People, reader: Reader, values: Values, findings: Findings
    ) -> None:
        self._ways = ways
        self._setup = setup
        self._people = people
        self._reader = reader
        self._values = values
        self._findings = findings

    def rule(self, rule: tree.When, way: Way, body: Seen, rest: Seen) -> None:
        """Nothing: a toll is paid where something is decided."""

    def decision(self, decision: tree.Decision, way: Way) -> None:
        """Look at what a decision dials, or where it sends a caller."""
        match decision:
            case tree.Dial(steps=steps):
                for step in steps:
                    for party in step.parties:
                        self._party(party, way, [step.despite, decision.despite])
            case tree.Transfer(party=party):
                self._party(party, way, [decision.despite])
            case tree.Redirect(target=target):
                self._redirect(decision, target, way)
            case _:
                pass

    def _party(self, party: tree.Party, way: Way, despite: list[tree.Despite | None]) -> None:
        if party.trunk is None:
            return
        origin = self._values.origin(party.target, way.given)
        if origin is None or not origin.chosen:
            return
        for trunk in self._ways.trunks(party.trunk):
            self._through(trunk, party, origin, way, despite)

    def _through(
        self, trunk: str, party: tree.Party, origin: Origin, way: Way, despite: list[tree.Despite | None]
    ) -> None:
        transit = trunk if trunk in self._people.transit else None
        cases = [stranger(transit)]
        if way.event == "transfer":
            cases = (
                [transferor(transit)] if origin.subject in _SAID_BY_THE_TRANSFEROR else [*cases, transferor(transit)]
            )
        if any(self._chooses(case, party.target, origin, way) for case in cases):
            message = f"anyone can choose `{_part(party.target)}` and be connected through trunk `{trunk}`"
            self._findings.refuse(party.target, message, self._advice(way, origin), despite)

    def _redirect(self, redirect: tree.Redirect, target: tree.Expression, way: Way) -> None:
        """A carrier that is sent elsewhere calls there at our expense, so that its callers must not say where."""
        origin = self._values.origin(target, way.given)
        if origin is None or not origin.chosen or origin.subject == "redirected":
            return
        from_trunks = AnyOf(tuple(Atom("from trunk", "equal", name) for name in self._setup.trunks))
        if self._chooses(stranger(None), target, origin, way, from_trunks):
            message = f"whoever calls through a trunk can choose `{_part(target)}` and be sent there at our expense"
            advice = "send them where the script or a table says, or reject calls from trunks before"
            self._findings.refuse(target, message, advice, reasons_of(redirect))

    def _chooses(self, case: str, value: tree.Expression, origin: Origin, way: Way, *besides: Formula) -> bool:
        standing = way.cases.get(case)
        if standing is None:
            return False
        free = [*besides, *(Opposite(one) for one in standing.constants(self._reader.subject(value), "equal", "among"))]
        free += [Opposite(one) for one in standing.constants(origin.subject, "equal", "among")]
        if origin.subject == "dialed" and not besides:
            free.append(Opposite(_EMERGENCY))
        return standing.possible(*free)

    def _advice(self, way: Way, origin: Origin) -> str:
        if way.event == "transfer":
            of_the_caller = "" if origin.subject in _SAID_BY_THE_TRANSFEROR else "authenticated and "
            return f"require `{of_the_caller}transferor is known` on this path"
        asked = [atom for condition in way.rules for atom in required(self._reader.formula(condition))]
        through = next((str(atom.operand) for atom in asked if atom.subject == "from trunk"), None)
        if through is not None:
            return (
                f"who calls through `{through}` proves nothing: dial a number that you write, or add `despite` and why"
            )
        nets = {atom.operand for atom in asked if atom.subject == "source"}
        for name, reason in self._people.no_proof.items():
            if self._setup.nets[name] in nets:
                return reason
        return "require `authenticated` or `source in <a net of ours>` on this path"


def _part(value: tree.Expression) -> str:
    """The part of a value that was chosen, as it is written."""
    return _part(value.argument) if isinstance(value, tree.E164) else spoken(value)
