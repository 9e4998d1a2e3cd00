"""What the checker proves of a policy, and what it refuses: all problems at once.

Owns the order of the checks. `check` wants a script that could be parsed, and the setup that was read of its files,
however incomplete: what could not be read was told of there, and is not told again. Nothing is proved of rules that
hold a mistake, for the mistake would be told of once more by every proof that fails for it.
"""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.check.budget import check_budget
from dsl.check.declarations import check_declarations
from dsl.check.depth import check_depth
from dsl.check.groups import check_groups
from dsl.check.paths import check_paths
from dsl.check.proofs import check_proofs
from dsl.check.report import Report
from dsl.check.rules import check_rules
from dsl.check.scenarios import check_scenarios
from dsl.check.texts import check_texts
from dsl.check.uses import check_uses
from dsl.check.values import Values
from dsl.check.ways_out import WaysOut
from dsl.compile_setup import Setup
from dsl.diagnostics import Problem
from dsl.resolve import Names, resolve


class Checked(msgspec.Struct, frozen=True):
    """What was found, and what the names mean. A policy with problems must not decide; notices are for reviewers."""

    names: Names
    problems: list[Problem]
    warnings: list[Problem]
    notices: list[Problem]


def check(script: tree.Script, setup: Setup) -> Checked:
    """Check a script against the users, tables, nets and trunks that it declares."""
    report = Report(script)
    names = resolve(script, setup.directory.users, report.problems)
    values = Values(names, setup, report)
    check_declarations(script, report)
    ways = WaysOut(names, setup)
    ways.check(script, report)
    check_groups(script, setup, ways, report)
    check_rules(script, names, report)
    check_texts(script, report)
    check_uses(script, names, values, report)
    can_be_followed = check_depth(script, report)
    check_budget(script, report)
    understood = not report.problems
    check_scenarios(script, values, report)
    if names.users_known and can_be_followed:
        check_paths(script, names, setup, report)
        if understood:
            check_proofs(script, names, setup, ways, report)
    return Checked(names, report.problems, report.warnings, report.notices)
