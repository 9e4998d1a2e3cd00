"""Where the checks put what they find.

Owns nothing but the three lists: problems refuse a policy, warnings do not; notices tell a reviewer what was decided.
"""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.diagnostics import Problem, Severity, Source
from dsl.tree import Span


class Report:
    """Problems, warnings and notices of one script."""

    def __init__(self, script: tree.Script) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.notices: list[Problem] = []
        self._source = Source.of(script)

    def wrong(self, at: tree.Node | Span, message: str, advice: str | None = None, related: Span | None = None) -> None:
        """Something that refuses the policy."""
        self.problems.append(self._problem(at, message, advice, related))

    def doubtful(self, at: tree.Node | Span, message: str, advice: str | None = None) -> None:
        """Something that the operator should know."""
        self.warnings.append(self._problem(at, message, advice, None, "warning"))

    def notice(self, at: tree.Node | Span, message: str, advice: str | None = None) -> None:
        """Something that every reviewer should see."""
        self.notices.append(self._problem(at, message, advice, None, "notice"))

    def _problem(
        self,
        at: tree.Node | Span,
        message: str,
        advice: str | None,
        related: Span | None,
        severity: Severity = "error",
    ) -> Problem:
        span = at.span if isinstance(at, tree.Node) else at
        problem = self._source.problem(span, message, advice, related)
        return problem if severity == "error" else msgspec.structs.replace(problem, severity=severity)


def beginning(script: tree.Script) -> Span:
    """Where to tell of what is missing altogether."""
    return script.declarations[0].span if script.declarations else script.span.on_line(1, 0)
