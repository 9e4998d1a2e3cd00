"""What the proofs refuse, unless the script says in place why it is meant so.

Owns `despite`: which finding one overrules, and those that overrule nothing. A decision is refused once, however many
ways lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable

from dsl import tree
from dsl.check.report import Report


class Findings:
    """What was found, each thing once, told to a report."""

    def __init__(self, script: tree.Script, report: Report) -> None:
        self._script = script
        self._report = report
        self._told: set[tuple[tree.Span, str]] = set()
        self._overruling: set[tree.Span] = set()

    def refuse(
        self,
        at: tree.Node,
        message: str,
        advice: str,
        overruled_by: Iterable[tree.Despite | None],
    ) -> None:
        """Refuse what stands there, or take note of the reason why it is meant so."""
        if (at.span, message) in self._told:
            return
        self._told.add((at.span, message))
        reasons = [despite for despite in overruled_by if despite is not None]
        self._overruling.update(despite.span for despite in reasons)
        if any(despite.reason.value.strip() for despite in reasons):
            self._report.notice(at, f"{message}: overruled", f'despite "{reasons[0].reason.value}"')
        else:
            self._report.wrong(at, message, advice)

    def finish(self) -> None:
        """Tell of every `despite` that gives no reason or has nothing to overrule."""
        for node in tree.walk(self._script):
            if isinstance(node, tree.Despite):
                if not node.reason.value.strip():
                    self._report.wrong(node, "this gives no reason", 'write why, such as `despite "lobby phone"`')
                elif node.span not in self._overruling:
                    self._report.wrong(node, "this overrules nothing", "leave it out")


def reasons_of(decision: tree.Decision) -> list[tree.Despite | None]:
    """Every `despite` of a decision."""
    if isinstance(decision, tree.Dial):
        return [decision.despite, *(step.despite for step in decision.steps)]
    return [getattr(decision, "despite", None)]
