"""What is found: one sentence about one thing, and what to do where that is not well.

Owns the form, for eyes and as JSON, and the exit code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from b2bua.io.failure import ServerError
from b2bua.operator.columns import printable
from dsl.diagnostics import Problem

State: TypeAlias = Literal["ok", "warning", "failure"]

_BAD = ("warning", "failure")


class Finding(msgspec.Struct, frozen=True):
    """`what` was looked at, and `told` in a sentence; `advice` says what to do, empty where it is `ok`."""

    state: State
    what: str
    told: str
    advice: str = ""


def ok(what: str, told: str) -> Finding:
    """All is well."""
    return Finding("ok", what, told)


def warning(what: str, told: str, advice: str) -> Finding:
    """A server works, but not as one would want."""
    return Finding("warning", what, told, advice)


def failure(what: str, told: str, advice: str) -> Finding:
    """It does not work."""
    return Finding("failure", what, told, advice)


def refused(what: str, error: ServerError, advice: str) -> Finding:
    """A failure that says what to do itself, after a colon or a semicolon, or is told with this advice."""
    told, _, own = str(error).rpartition("; ")
    return failure(what, told, own) if told else failure(what, str(error), advice)


def first_told(problems: Sequence[Problem]) -> str:
    """The first of a file's problems with its place, and how many more there are."""
    first, more = problems[0], len(problems) - 1
    return f"{first.file}:{first.line}:{first.column}: {first.message}" + (f", and {more} more" if more else "")


def text(findings: Sequence[Finding]) -> str:
    """One line each, with a second one where there is something to do; then how many of each."""
    widest = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<7}  {finding.what:<{widest}}  {printable(finding.told)}")
        if finding.advice:
            lines.append(f"{'':<7}  {'':<{widest}}  -> {printable(finding.advice)}")
    counts = [sum(finding.state == state for finding in findings) for state in ("ok", "warning", "failure")]
    warnings, failures = (f"{count} {word}{'s' * (count != 1)}" for count, word in zip(counts[1:], _BAD, strict=True))
    return "\n".join([*lines, f"{counts[0]} ok, {warnings}, {failures}"])


def as_json(findings: Sequence[Finding]) -> str:
    """All of them as a list."""
    return json.dumps(msgspec.to_builtins(findings), indent=2)
