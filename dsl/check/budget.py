"""Rules that no decision comes to, since those before them take more steps than a decision may.

Owns what is certain of that: a rule that an index may spare is taken for one that costs nothing. What is not certain
here is counted when it happens.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report
from dsl.compile_logic import MOST_KEYS
from dsl.evaluate import MOST_STEPS
from dsl.steps import steps

_ADVICE = "put what is asked for into a table, a net, a group or numbers, and ask for that"


def check_budget(script: tree.Script, report: Report) -> None:
    """Report the first rule of each event, sub and outcome to which nobody comes."""
    for declaration in script.declarations:
        if isinstance(declaration, tree.On | tree.Sub):
            _within(declaration.body, 0, report)


def _within(block: tree.Block, before: int, report: Report) -> bool:
    """Whether everybody can come through a block of rules, who has taken so many steps before."""
    for statement in block.statements:
        if before + steps(statement) > MOST_STEPS:
            _too_much(statement, before, report)
            return False
        own = _certainly(statement)
        if isinstance(statement, tree.Dial):
            for outcome in statement.outcomes:
                _within(outcome.body, 0, report)
        elif isinstance(statement, tree.When | tree.AlsoWhen | tree.Otherwise) and not _within(
            statement.body, before + own, report
        ):
            return False
        before += own
    return True


def _certainly(statement: tree.Statement) -> int:
    """What a statement takes of everybody who comes to it."""
    spared = isinstance(statement, tree.When | tree.AlsoWhen) and may_be_spared(statement.condition)
    return 0 if spared else steps(statement)


def _too_much(statement: tree.Statement, before: int, report: Report) -> None:
    at, own = tree.head_of(statement), steps(statement)
    most = f"{MOST_STEPS:,} steps are all that a decision may take"
    if own > MOST_STEPS:
        report.wrong(at, f"this asks {own:,} things, and {most}", _ADVICE)
    else:
        report.wrong(at, f"nobody comes here: the rules above take {before:,} steps, and {most}", _ADVICE)


def may_be_spared(condition: tree.Condition) -> bool:
    """Whether an index may find a rule with this condition, so that it is tried only where it can match."""
    match condition:
        case tree.And(conditions=parts):
            return any(map(may_be_spared, parts))
        case tree.Or(conditions=parts):
            return len(parts) <= MOST_KEYS and all(map(may_be_spared, parts))
        case tree.Compare(operator=operator):
            return operator == "=="
        case tree.In() | tree.Matches() | tree.FromTrunk():
            return True
        case _:
            return False
