"""Scripts that are wrong on purpose, with what must be said of them beside the line that earns it.

`#! column: message | advice` at a line's end speaks of that line. On a line of its own it speaks of the next line that
has something else on it. `#? ...` is a warning, and `#! file:line:column: ...` speaks of a file that the script names.
"""

from __future__ import annotations

import re
from pathlib import Path

from dsl.check import check
from dsl.compile_files import load_setup
from dsl.diagnostics import PolicyError, Problem
from dsl.encoding import script_text
from dsl.parser import parse

_NOTE = re.compile(r"#([!?]) (?:([\w.-]+):(\d+):)?(\d+): (.*?)(?: \| (.*))?$")


def expected(text: str) -> set[str]:
    """What the notes in a script say, as `line:column kind message | advice`."""
    found: set[str] = set()
    waiting: list[re.Match[str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        note = _NOTE.search(line)
        alone = note is not None and not line[: note.start()].strip()
        if note is not None:
            waiting.append(note)
        if alone:
            continue
        for kind, file, line, column, message, advice in (match.groups() for match in waiting):
            found.add(_told(file or "", int(line or number), int(column), kind, message, advice))
        waiting = []
    return found


def found(path: Path) -> set[str]:
    """What is said of a script."""
    problems, warnings = problems_of(path)
    told: set[str] = set()
    for kind, items in (("!", problems), ("?", warnings)):
        for item in items:
            file = "" if item.file == path.name else Path(item.file).name
            advice = item.advice and item.advice.replace(str(path.parent), "this folder")
            told.add(_told(file, item.line, item.column, kind, item.message, advice))
    return told


def problems_of(path: Path) -> tuple[list[Problem], list[Problem]]:
    """All problems and warnings of a script with the files beside it."""
    try:
        script = parse(script_text(path.read_bytes(), path.name), path.name)
    except PolicyError as error:
        return error.problems, []
    problems: list[Problem] = []
    setup = load_setup(script, path, problems).setup
    checked = check(script, setup)
    return [*problems, *checked.problems], checked.warnings


def _told(file: str, line: int, column: int, kind: str, message: str, advice: str | None) -> str:
    return f"{file}:{line}:{column} {kind} {message}".removeprefix(":") + (f" | {advice}" if advice else "")
