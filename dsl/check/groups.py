"""Groups: what they may hold, and where one that is called one after the other may stand in a dial.

Owns the words for it. Names are resolved elsewhere, and whether a caller may reach a trunk is for `paths`, which goes
through every trunk of a group.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report
from dsl.check.ways_out import WaysOut
from dsl.compile_groups import by_member, group_of, one_after_the_other
from dsl.compile_setup import Setup
from dsl.spoken import spoken

_MOST_STEPS = 10
_LARGEST_WEIGHT = 1_000_000


def check_groups(script: tree.Script, setup: Setup, ways: WaysOut, report: Report) -> None:
    """Check every group, and every dial, those that tests expect among them."""
    for declaration in script.declarations:
        if isinstance(declaration, tree.Group | tree.Trunks):
            _declared(declaration, report)
            continue
        for node in tree.walk(declaration):
            if isinstance(node, tree.Dial):
                _dial(node, setup, ways, report)


def _declared(group: tree.Group | tree.Trunks, report: Report) -> None:
    seen: set[str] = set()
    for member in group.members:
        if member.text in seen:
            report.wrong(member, f"`{member.text}` stands here twice", "leave it out")
        seen.add(member.text)
    for weight in group.weights:
        if not 1 <= weight.value <= _LARGEST_WEIGHT:
            message = f"`{weight.text}` is no weight"
            report.wrong(
                weight, message, f"write 1 to {_LARGEST_WEIGHT}; who has twice as much comes first twice as often"
            )


def _dial(dial: tree.Dial, setup: Setup, ways: WaysOut, report: Report) -> None:
    total = 0
    for step in dial.steps:
        for party in step.parties:
            _party(party, step, setup, report)
        via = step.parties[0].trunk
        taken = ways.most(via) if isinstance(via, tree.Attribute) else len(by_member(step, setup))
        total += taken
        if total > _MOST_STEPS:
            group = one_after_the_other(step, setup)
            named = None if group is None else group.name
            alone = None if taken == 1 else f"`{named or spoken(via or step.parties[0].target)}` alone takes {taken}"
            report.wrong(step, f"a dial has at most {_MOST_STEPS} steps", alone)
            break


def _party(party: tree.Party, step: tree.Step, setup: Setup, report: Report) -> None:
    users = group_of(tree.Party(party.span, party.target, None), setup)
    if users is not None and party.trunk is not None:
        message = f"`{users.name}` is a group of users, and users need no trunk"
        report.wrong(party.trunk, message, f"leave `via {spoken(party.trunk)}` out")
        return
    if isinstance(party.trunk, tree.Attribute):
        if len(step.parties) > 1:
            message = f"`{spoken(party.trunk)}` may name several trunks, called one after the other"
            report.wrong(party, message, "write `then` in place of `and`")
        return
    group = group_of(party, setup)
    if group is None or group.way == "together":
        return
    if len(step.parties) > 1:
        message = f"the members of `{group.name}` are called one after the other, so nobody can ring together with them"
        report.wrong(party, message, "write `then` in place of `and`")
    elif step.after == "else" and party.trunk is None:
        message = f"the members of `{group.name}` are called one after the other, whatever comes of the one before"
        report.wrong(party, message, "write `then` in place of `else`, or name one of them")
