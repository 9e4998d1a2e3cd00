"""Texts in which somebody wants a value filled in, where a text stands for itself.

Owns all texts of rules, where trunks are, and whom tests name. Where values are filled in, braces are for `composing`,
and what is wrong with them for `values`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from dsl import tree
from dsl.check.report import Report
from dsl.composing import Wanted, wanted
from dsl.tree import Span

_Use: TypeAlias = Literal["filled in", "called", "redirected to", "compared", "looked up"]

_TAKEN_AS_WRITTEN = (tree.ExpectDecision, tree.ExpectRings, tree.ExpectAnswered, tree.GivenRedirect)
"""What tests say that names whom to call; what headers, tags and log lines become may well have braces."""

_FILLED_IN = "only tags, log lines and headers have values filled in"


def check_texts(script: tree.Script, report: Report) -> None:
    """Tell of values that would be taken as they are written, with their braces."""
    for declaration in script.declarations:
        match declaration:
            case tree.On() | tree.Sub():
                _check(declaration, report)
            case tree.Trunk(settings=settings):
                for setting in settings:
                    if isinstance(setting, tree.Uri):
                        _check(setting, report)
            case tree.Test(steps=steps):
                for step in steps:
                    if isinstance(step, _TAKEN_AS_WRITTEN):
                        _check(step, report)
            case _:
                pass


def _check(part: tree.Node, report: Report) -> None:
    uses: dict[Span, _Use] = {}
    for node in tree.walk(part):
        match node:
            case tree.Tag(value=value) | tree.Log(text=value) | tree.SetHeader(value=value):
                uses[value.span] = "filled in"
            case tree.Party(target=value) | tree.E164(argument=value):
                uses[value.span] = "called"
            case tree.Do(arguments=arguments):
                uses |= {argument.span: "called" for argument in arguments}
            case tree.Redirect(target=value):
                uses[value.span] = "redirected to"
            case tree.Compare(left=left, right=right):
                uses |= {left.span: "compared", right.span: "compared"}
            case tree.Lookup(key=value):
                uses[value.span] = "looked up"
            case tree.Text() if uses.get(node.span) != "filled in":
                for found in wanted(node):
                    instead = _instead(uses.get(node.span), node.value, found)
                    advice = f"{_FILLED_IN}: {instead}" if instead else _FILLED_IN
                    report.wrong(found, f"`{{{found.written}}}` is not filled in here", advice)
            case _:
                pass


def _instead(use: _Use | None, text: str, found: Wanted) -> str | None:
    """What to write in place of the text."""
    written = found.written
    if use is None:
        return None
    if found.alone:
        return f"write `{written}` without quotes"
    if use == "compared":
        return f"compare with `{written}` itself"
    if use == "looked up":
        return f"look up `{written}` itself"
    number = written if written.startswith("e164(") else f"e164({written})"
    if not text.startswith(("sip:", "sips:", "tel:")):
        return f"write `{number}`, which makes a number international that is written as people dial it"
    if use == "redirected to":
        return f"write the whole address, or a column that has it, or `{number}`"
    return f"write `{written} via` and a trunk whose `uri` is that host"
