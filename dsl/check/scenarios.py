"""`test` blocks: steps that make sense in their order, about calls that there are.

Owns nothing of running them; that is for `tester`. Single sentences are `given`'s and `expected`'s.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree
from dsl.check.expected import check_expected
from dsl.check.given import check_circumstances, check_given
from dsl.check.report import Report
from dsl.check.values import Values
from dsl.diagnostics import joined, line_of, suggestion
from dsl.vocabulary import WITHIN_A_CALL

_IN_A_CALL = ("call", *WITHIN_A_CALL)
_WITHIN: dict[type[tree.Node], str] = {
    tree.HoldStep: "hold",
    tree.ResumeStep: "resume",
    tree.TransferStep: "transfer",
}
_EVERY = "all"
_SOMETHING_FIRST = "write `call ...`, `message ...` or `register ...` first"


def check_scenarios(script: tree.Script, values: Values, report: Report) -> None:
    """Check every test."""
    titles: dict[str, tree.Text] = {}
    for declaration in script.declarations:
        if isinstance(declaration, tree.Test):
            title = declaration.title
            if title.value in titles:
                first = titles[title.value].span
                report.wrong(title, "another test has this title", f"it stands in {line_of(first, title.span)}", first)
            titles.setdefault(title.value, title)
            _Checker(values, report).test(declaration)


class _Checker:
    """`event` is the last that happened in a test, and `labels` where its calls got their names."""

    def __init__(self, values: Values, report: Report) -> None:
        self.values = values
        self.report = report
        self.event = ""
        self.labels: dict[str, tree.Name] = {}

    def test(self, test: tree.Test) -> None:
        """Check the steps of one test."""
        expected = False
        for step in test.steps:
            if isinstance(step, tree.Expectation):
                expected = True
                if not self.event:
                    self.report.wrong(step, "nothing has happened yet", _SOMETHING_FIRST)
                check_expected(step, self.event or "call", self.report)
            elif isinstance(step, tree.Given):
                check_given(step, self.values, self.report)
            else:
                self._happening(step)
        if not expected:
            self.report.wrong(test.title, "this test expects nothing", "add `expect ...`")

    def _happening(self, step: tree.Happening) -> None:
        match step:
            case tree.CallStep(circumstances=circumstances):
                self.event = "call"
                check_circumstances(circumstances, self.event, self.values, self.report)
                self._label(circumstances)
            case tree.MessageStep(circumstances=circumstances):
                self.event = "message"
                check_circumstances(circumstances, self.event, self.values, self.report)
            case tree.RegisterStep(circumstances=circumstances, leaves=leaves):
                self.event = "register"
                check_circumstances(circumstances, self.event, self.values, self.report, leaves)
            case tree.HoldStep() | tree.ResumeStep() | tree.TransferStep():
                if self.event not in _IN_A_CALL:
                    self.report.wrong(step, "there is no call here", "write `call ...` first")
                self.event = _WITHIN[type(step)]
            case tree.HangUp(label=tree.Name() as label) | tree.BackStep(label=label):
                self._known(label)
                self.event = "call"
            case tree.HangUp():
                if not self.event or (self.event not in _IN_A_CALL and not step.every):
                    self.report.wrong(step, "there is no call here", "write `call ...` first")
            case tree.WaitStep():
                pass
            case _:
                assert_never(step)

    def _label(self, circumstances: tuple[tree.Circumstance, ...]) -> None:
        """Note what a call is called from here on."""
        labels = [item.label for item in circumstances if isinstance(item, tree.WithLabel)]
        times = next((item for item in circumstances if isinstance(item, tree.WithTimes)), None)
        for label in labels:
            known = self.labels.get(label.text)
            if known is not None:
                where = f"that one stands in {line_of(known.span, label.span)}"
                self.report.wrong(label, f"another call of this test is called `{label.text}`", where, known.span)
            elif label.text == _EVERY:
                self.report.wrong(label, f"`{_EVERY}` means every call", "choose another name")
            elif times is not None:
                self.report.wrong(label, "several calls cannot have one name", "leave the name or the number out")
            self.labels.setdefault(label.text, label)

    def _known(self, label: tree.Name) -> None:
        if label.text in self.labels:
            return
        known = f"give it to a call: `call ... as {label.text}`"
        if self.labels:
            known = f"before this, there is {joined((f'`{name}`' for name in self.labels), 'and')}"
        self.report.wrong(label, f"no call is called `{label.text}`", suggestion(label.text, self.labels) or known)
