"""A policy as it is in the editor at one moment: what is wrong with it, and what can be read of it.

Owns the way from files to that. What is wrong is what `check` says, no more and no less; what can be read of damaged
files is there all the same, with what its names mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dsl import tree
from dsl.check import check
from dsl.compile_files import load_setup
from dsl.compile_setup import Setup
from dsl.diagnostics import Problem, in_order
from dsl.encoding import file_text
from dsl.files import Files
from dsl.include import beside, read_readable
from dsl.resolve import Meaning, Names, resolve
from dsl.tree import Span

_ENTRY = re.compile(r"^([\"']?)([A-Za-z0-9][A-Za-z0-9._-]*)\1[ \t]*:", re.MULTILINE)
"""A user where a users file has one a line."""


class View(msgspec.Struct, frozen=True):
    """What can be read of a policy, the script at `path` with all that it includes.

    `names` are its names resolved, `users` says where each user stands in the users files. `damaged` are the files'
    syntax errors.
    """

    path: Path
    script: tree.Script
    setup: Setup
    names: Names
    users: dict[str, Span]
    damaged: tuple[Problem, ...]

    def text(self, file: str) -> str | None:
        """The text of one of its scripts, as places call the file; None for another file."""
        for name, text in self.scripts():
            if name == file:
                return text
        return None

    def called(self, path: Path) -> str | None:
        """How places call one of its scripts; None for another file."""
        return next((name for name, _ in self.scripts() if plain(name) == path), None)

    def scripts(self) -> Iterator[tuple[str, str]]:
        """Each script, as places call it, and its text."""
        yield self.script.span.file, self.script.source
        for included in self.script.included:
            yield included.file, included.source

    def beside(self, text: tree.Text) -> Path:
        """The file that a script names."""
        return self.path.parent / beside(text)

    def meaning_at(self, file: str, line: int, column: int) -> tuple[Span, Meaning] | None:
        """The name that stands here or ends here, and what it means."""
        for span, meaning in self.names.meanings.items():
            if span.file == file and span.line == line and span.column <= column <= span.end_column:
                return span, meaning
        return None

    def written(self, span: Span) -> str:
        """What stands at a place, from which line to which it may be."""
        lines = (self.text(span.file) or "").split("\n")[span.line - 1 : span.end_line]
        lines[-1:] = [line[: span.end_column - 1] for line in lines[-1:]]
        lines[:1] = [line[span.column - 1 :] for line in lines[:1]]
        return "\n".join(lines)

    def around(self, file: str, line: int, column: int) -> list[tree.Node]:
        """The nodes that hold this position, the innermost first."""
        found = [
            node
            for declaration in self.script.declarations
            if declaration.span.file == file and _holds(declaration.span, line, column)
            for node in tree.walk(declaration)
            if _holds(node.span, line, column)
        ]
        return found[::-1]


def plain(file: str) -> Path:
    """The path of a file as places and problems call it, without `..`."""
    return Path(os.path.normpath(file))


def _holds(span: Span, line: int, column: int) -> bool:
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


class Inspected(msgspec.Struct, frozen=True):
    """What is to be told of a policy, and what can be read of it."""

    told: list[Problem]
    view: View


def inspect(path: Path, files: Files) -> Inspected:
    """Check the policy at `path` with all its files, noted in `files`. Raises OSError where it cannot be read."""
    script, damaged = read_readable(path, files)
    problems: list[Problem] = []
    setup = load_setup(script, path, problems, files).setup
    users = _users(script, path, files)
    if damaged:
        return Inspected(in_order(damaged), _seen(path, script, damaged, setup, users))
    checked = check(script, setup)
    told = in_order([*problems, *checked.problems, *checked.warnings, *checked.notices])
    return Inspected(told, View(path, script, setup, checked.names, users, ()))


def seen(before: View, files: Files) -> View:
    """What can be read of the policy now; users, tables and all else that it declares as they were `before`.

    Raises OSError where it cannot be read.
    """
    script, damaged = read_readable(before.path, files)
    return _seen(before.path, script, damaged, before.setup, before.users)


def alone(path: Path, files: Files) -> Inspected:
    """A script that belongs to no policy: only what cannot be read in it is told. Raises OSError."""
    script, damaged = read_readable(path, files)
    setup = load_setup(script, path, [], files).setup
    return Inspected(in_order(damaged), _seen(path, script, damaged, setup, {}))


def _seen(path: Path, script: tree.Script, damaged: list[Problem], setup: Setup, users: dict[str, Span]) -> View:
    names = resolve(script, setup.directory.users, [])
    return View(path, script, setup, names, users, tuple(damaged))


def _users(script: tree.Script, path: Path, files: Files) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for declaration in script.declarations:
        if isinstance(declaration, tree.Users):
            file = path.parent / beside(declaration.file)
            for user, span in _places(file, files):
                found.setdefault(user, span)
    return found


def _places(file: Path, files: Files) -> Iterator[tuple[str, Span]]:
    try:
        text = file_text(files.note(file), [])
    except OSError:
        return
    before, line = 0, 1
    for entry in _ENTRY.finditer(text or ""):
        line += (text or "").count("\n", before, entry.start())
        before = entry.start()
        column = entry.start(2) - entry.start() + 1
        yield entry[2], Span(str(file), line, column, line, column + len(entry[2]))
