"""Every use of a value in rules and expectations, brought before `values`.

Owns the walk alone.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report
from dsl.check.values import Values
from dsl.resolve import Names
from dsl.resolve.contexts import events_of


def check_uses(script: tree.Script, names: Names, values: Values, report: Report) -> None:
    """Check the types of everything that is written in events, subs and tests, and what stands in sets of numbers."""
    subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
    for declaration in script.declarations:
        available = not isinstance(declaration, tree.On) or events_of(declaration)
        if isinstance(declaration, tree.Limit) and declaration.own is not None:
            values.known_attribute(declaration.own.attribute)
        if isinstance(declaration, tree.Numbers):
            values.sets.repeated(declaration.items)
        if isinstance(declaration, tree.On | tree.Sub | tree.Test) and available:
            nodes = list(tree.walk(declaration))
            transfers = {node.party.span for node in nodes if isinstance(node, tree.Transfer)}
            for node in nodes:
                if isinstance(node, tree.Party):
                    values.party(node, "target" if node.span in transfers else "callee")
                else:
                    _use(node, values, subs)


def _use(node: tree.Node, values: Values, subs: dict[str, tree.Sub]) -> None:
    match node:
        case tree.When(condition=condition) | tree.AlsoWhen(condition=condition):
            values.condition(condition)
        case tree.ExpectDecision(decision=tree.Play(party=party)):
            values.heard_by(party)
        case tree.Redirect(target=target):
            values.redirect(target)
        case tree.Deliver(target=target):
            values.delivered(target)
        case tree.Tag(value=value) | tree.Log(text=value) | tree.SetHeader(value=value):
            values.text(value)
            if isinstance(value, tree.Text):
                values.braces(value)
        case tree.Do(sub=sub) if sub.text in subs:
            values.arguments(node, subs[sub.text])
        case _:
            pass
