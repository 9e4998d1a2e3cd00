"""What is proved of a policy before it may decide: no toll fraud, help for our own people, nobody's names told.

Owns which case goes through which event. A case that cannot be excluded is possible, so a policy that is safe for a
reason that is not seen here is refused, and says `despite` and why.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.logic import Reader
from dsl.check.proofs.cases import Case, Standing
from dsl.check.proofs.chosen import Values
from dsl.check.proofs.emergency import STRANGER_IN_NEED, Emergency, in_need
from dsl.check.proofs.enumeration import STRANGER_WHO_ASKS, Enumeration
from dsl.check.proofs.overrules import Findings
from dsl.check.proofs.people import People
from dsl.check.proofs.toll import Toll, stranger, transferor
from dsl.check.proofs.walk import MOST_BLOCKS, Walk, Way
from dsl.check.report import Report
from dsl.check.solver import Solver
from dsl.check.ways_out import WaysOut
from dsl.compile_setup import Setup
from dsl.resolve import Names
from dsl.vocabulary import DECISIONS

_REACHES_NO_TRUNK = ("register", "message")
"""Events that lead to no call: nobody pays for them, and nobody calls for help by them."""


def check_proofs(script: tree.Script, names: Names, setup: Setup, ways: WaysOut, report: Report) -> None:
    """Prove what must hold of a script, or refuse it where it does not hold."""
    reader, solver = Reader(names, setup), Solver(setup)
    people, findings = People(script, setup), Findings(script, report)
    values = Values(script, names, reader)
    emergency = Emergency(script, setup, people, values, findings)
    enumeration = Enumeration(script, setup, names, reader, values, findings)
    proofs = (Toll(setup, ways, people, reader, values, findings), emergency, enumeration)
    subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
    walk = Walk(subs, reader, values, proofs, STRANGER_WHO_ASKS)
    for on in script.declarations:
        if isinstance(on, tree.On):
            event = on.names[0]
            cases = {name: Standing.of(case, solver) for name, case in _cases(event, people, setup).items()}
            walk.block(on.body, Way(event, cases))
    emergency.finish(report)
    enumeration.finish(script, report)
    if walk.blocks > MOST_BLOCKS:
        message = "there are too many ways through the subs to check them all"
        report.wrong(next(iter(subs.values())).name, message, "let fewer subs do each other")
    else:
        findings.finish()


def _cases(event: str, people: People, setup: Setup) -> dict[str, Case]:
    """Those who are followed through an event."""
    cases: dict[str, Case] = {}
    if "challenge" in DECISIONS[event]:
        cases[STRANGER_WHO_ASKS] = people.stranger_who_asks()
    if event not in _REACHES_NO_TRUNK:
        trunks = (None, *sorted(people.transit))
        cases |= {stranger(trunk): people.stranger(trunk) for trunk in trunks}
        cases[STRANGER_IN_NEED] = people.stranger_in_need(event)
        if event == "transfer":
            cases |= {transferor(trunk): people.transferor(trunk) for trunk in trunks}
    if event == "call" and setup.emergency and setup.trunks:
        cases |= {in_need(number): case for number, case in people.in_need().items()}
    return cases
