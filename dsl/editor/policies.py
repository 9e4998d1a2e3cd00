"""The policies of the files that are open in an editor, as they are while somebody writes.

Owns which policies those are. A script with a `policy` line is one. Another is part of those that include it, which are
looked for among the open scripts, beside it, and in the folders above; if there is none, only its syntax is told of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from dsl.diagnostics import PolicyError, Problem, in_order
from dsl.editor import names
from dsl.editor.view import View, alone, inspect, plain, seen
from dsl.encoding import script_text
from dsl.files import Files, Signature, signature
from dsl.include import read_readable
from dsl.tree import Span

_IS_POLICY = re.compile(r"^[ \t]*policy\b", re.MULTILINE).search
_INCLUDES = re.compile(r"^[ \t]*include\b", re.MULTILINE).search
_FOLDERS = 3
"""In so many folders policies are looked for: the script's own and those above."""


class Looked(msgspec.Struct, frozen=True):
    """What was found when all policies were checked.

    `problems` has each open script, and each other file of which there is something to be told. `seen` are all files
    that were read, as they were then.
    """

    views: dict[Path, View]
    problems: dict[Path, list[Problem]]
    seen: dict[Path, Signature]

    @property
    def is_old(self) -> bool:
        """Whether a file has changed on the disk since."""
        return any(signature(path) != then for path, then in self.seen.items())


def look(unsaved: Mapping[Path, str]) -> Looked:
    """Check all policies of the files that are open, which have these texts."""
    open_scripts = [path for path in unsaved if path.suffix == ".route"]
    looked = Looked({}, {path: [] for path in open_scripts}, {})
    for path in open_scripts:
        if _IS_POLICY(unsaved[path]):
            _add(looked, path, unsaved)
    for path in open_scripts:
        if not _holding(looked.views, path):
            for policy in _including(path, unsaved):
                _add(looked, policy, unsaved)
    for path in open_scripts:
        if not _holding(looked.views, path):
            _add(looked, path, unsaved, belongs=False)
    for file, problems in looked.problems.items():
        looked.problems[file] = in_order(problems)
    return looked


def _add(looked: Looked, path: Path, unsaved: Mapping[Path, str], belongs: bool = True) -> None:
    files = _files(path, unsaved)
    found = inspect(path, files) if belongs else alone(path, files)
    looked.views[path] = found.view
    looked.seen.update(files.seen)
    for problem in found.told:
        looked.problems.setdefault(plain(problem.file), []).append(problem)


def _holding(views: Mapping[Path, View], path: Path) -> list[View]:
    return [view for view in views.values() if view.called(path) is not None]


def _including(path: Path, unsaved: Mapping[Path, str]) -> Iterator[Path]:
    """The policies that include a script, in its folder and those above."""
    for folder in list(path.parents)[:_FOLDERS]:
        for other in sorted(folder.glob("*.route")):
            text = _text(other, unsaved)
            if _IS_POLICY(text) and _INCLUDES(text):
                files = _files(other, unsaved)
                read_readable(other, files)
                if path in map(plain, map(str, files.seen)):
                    yield other


def _files(policy: Path, unsaved: Mapping[Path, str]) -> Files:
    """The files as they are now; the policy itself can be read, whatever has become of it."""
    return Files({policy: _text(policy, unsaved), **unsaved})


def _text(path: Path, unsaved: Mapping[Path, str]) -> str:
    """The text of a file, empty where it cannot be read."""
    try:
        return unsaved[path] if path in unsaved else script_text(path.read_bytes(), str(path))
    except (OSError, PolicyError):
        return ""


class Policies:
    """What is open, and what was found of it last."""

    def __init__(self) -> None:
        self.unsaved: dict[Path, str] = {}
        self.looked = Looked({}, {}, {})
        self._fresh: dict[Path, View] = {}

    def write(self, path: Path, text: str) -> None:
        """A file was opened with this text, or has it now."""
        self.unsaved[path] = text
        self._fresh.clear()

    def close(self, path: Path) -> None:
        """A file is open no more: what stands on the disk holds."""
        self.unsaved.pop(path, None)
        self._fresh.clear()

    def take(self, looked: Looked) -> None:
        """Keep what was found."""
        self.looked = looked
        self._fresh.clear()

    def text(self, path: Path) -> str:
        """The text of a file as the editor has it, or as it is on the disk; empty where it cannot be read."""
        return _text(path, self.unsaved)

    def views(self, path: Path) -> list[View]:
        """The policies of which a script is part, as they are now; none for a file that is not open."""
        if not _holding(self.looked.views, path) and path in self.unsaved:
            self.take(look(self.unsaved))
        for view in _holding(self.looked.views, path):
            if view.path not in self._fresh:
                self._fresh[view.path] = seen(view, _files(view.path, self.unsaved))
        return _holding(self._fresh, path)

    def references(self, path: Path, line: int, column: int) -> list[Span]:
        """Where the name here stands, in all policies that have it. Files of places are whole paths."""
        found = [span for place in self._everywhere(path, line, column) for span in names.references(*place)]
        return _plain(found)

    def rename(self, path: Path, line: int, column: int, new: str) -> list[Span]:
        """Where `new` must stand instead of the name here, likewise. Raises CannotRenameError."""
        found = [span for place in self._everywhere(path, line, column) for span in names.rename(*place, new)]
        return _plain(found)

    def _everywhere(self, path: Path, line: int, column: int) -> Iterator[tuple[View, str, int, int]]:
        """Each policy that has the name here, and where it stands: where it was declared if that is in a script."""
        for view in self.views(path):
            file = view.called(path) or ""
            declared = names.definition(view, file, line, column)
            if declared is None or view.text(declared.file) is None:
                yield view, file, line, column
            else:
                script = plain(declared.file)
                for other in self._with(script):
                    yield other, other.called(script) or "", declared.line, declared.column

    def _with(self, script: Path) -> list[View]:
        """The policies of which a script is part, those too that are not open."""
        found = {view.path: view for view in _holding(self._fresh, script)}
        for policy in _including(script, self.unsaved):
            if policy not in found:
                found[policy] = inspect(policy, _files(policy, self.unsaved)).view
        return list(found.values())


def _plain(spans: list[Span]) -> list[Span]:
    """Each place once, with the path of its file."""
    whole = (Span(str(plain(span.file)), span.line, span.column, span.end_line, span.end_column) for span in spans)
    return list(dict.fromkeys(whole))
