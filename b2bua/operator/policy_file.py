"""Loading and checking a policy from the command line.

Owns what is printed, for eyes and as JSON. What is right and wrong is `dsl`'s.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from b2bua.operator.reading import readable
from dsl.diagnostics import PolicyError, Problem, in_order
from dsl.files import Files
from dsl.grammar_tables import kept
from dsl.policy import Policy, load

_SLOW = (
    "b2bua: the tables of the language's grammar are missing or old, so that each start takes a second longer:"
    " install b2bua again"
)


def load_policy(path: Path, files: Files | None = None, shown: bool = False) -> Policy:
    """Load a policy, its files noted in `files`. Raises PolicyError with every problem, a file that cannot be read
    among them. A terminal is `shown` what takes long.
    """
    if kept() is None:
        print(_SLOW, file=sys.stderr)
    with readable(str(path)):
        if not shown or not sys.stderr.isatty():
            return load(path, files)
        from b2bua.operator.progress import reading

        files = files or Files()
        with reading(files):
            return load(path, files)


class Checked(msgspec.Struct, frozen=True):
    """What is to be told of a policy: errors, warnings and notices; `policy` None where there are errors."""

    path: Path
    policy: Policy | None
    told: list[Problem]


def check_policy(path: Path, shown: bool = False) -> Checked:
    """Check a policy with all its files. A terminal is `shown` what takes long."""
    try:
        policy = load_policy(path, shown=shown)
    except PolicyError as error:
        return Checked(path, None, in_order([*error.problems, *error.remarks]))
    return Checked(path, policy, remarks(policy))


def remarks(policy: Policy) -> list[Problem]:
    """The warnings and notices of a policy that may be used, in the order of its files."""
    return in_order([*policy.warnings, *policy.notices])


def problems_text(told: list[Problem]) -> str:
    """Errors, warnings and notices, one after the other."""
    return "\n".join(map(str, told))


def check_text(policy: Policy) -> str:
    """What is said of a policy that may be used."""
    lines = [f"{policy.path}: policy {policy.name}, version {policy.hash}: no errors"]
    if policy.defaults_in_force:
        lines += ["where it says nothing:", *(f"  {default}" for default in policy.defaults_in_force)]
    return "\n".join(lines)


def check_json(checked: list[Checked]) -> bytes:
    """The same for an editor, of several policies as a list. `docs/check.md` describes it."""
    shown = [_checked(item) for item in checked]
    return msgspec.json.format(msgspec.json.encode(shown[0] if len(shown) == 1 else shown))


def _checked(checked: Checked) -> dict[str, object]:
    policy = checked.policy
    return {
        "file": str(checked.path),
        "policy": None if policy is None else policy.name,
        "version": None if policy is None else policy.hash,
        "problems": [for_editors(problem) for problem in checked.told],
        "defaults": [] if policy is None else policy.defaults_in_force,
    }


def for_editors(problem: Problem) -> dict[str, object]:
    """A problem as `check --json` has it, with where it begins and ends."""
    return {
        "severity": problem.severity,
        "file": problem.file,
        "start": {"line": problem.line, "column": problem.column},
        "end": {"line": problem.line, "column": problem.column + problem.length},
        "message": problem.message,
        "advice": problem.advice,
        "related": None if problem.related is None else _place(problem.related, problem.file),
    }


def _place(related: str, file: str) -> dict[str, object]:
    *name, line, column = related.rsplit(":", 2)
    return {"file": name[0] if name else file, "line": int(line), "column": int(column)}
