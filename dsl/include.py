"""`include "trunks.route"`: a script with all files that it includes, as one.

Owns which file is meant, reading each once however often it is named, and refusing a file that comes back to itself.
What the declarations of several files may not do together (two names that are the same, `policy` twice) is found where
the whole script is checked.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dsl import tree
from dsl.diagnostics import PolicyError, Problem, Source, line_of
from dsl.encoding import script_text
from dsl.files import Files
from dsl.parser import parse_readable


def beside(file: tree.Text) -> str:
    """A file that a script names, which is relative to the file where that stands: its path from the main file's
    folder.
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(file.span.included), file.value))


def read_script(path: Path, files: Files | None = None) -> tree.Script:
    """Read a script and what it includes, noted in `files`.

    Raises PolicyError with the syntax errors of every file that can be read, or OSError for the script itself.
    """
    script, problems = read_readable(path, files or Files())
    if problems:
        raise PolicyError(problems)
    return script


def read_readable(path: Path, files: Files) -> tuple[tree.Script, list[Problem]]:
    """The same, but of damaged files what can be read of them, and what is wrong. Raises OSError."""
    reader = _Reader(path, files)
    main = reader.parsed(files.note(path).read_bytes(), str(path))
    declarations = tuple(reader.declarations(main, (path.name,)))
    return msgspec.structs.replace(main, declarations=declarations, included=tuple(reader.included)), reader.problems


_MOST_DEEP = 20
"""So many files may include each other, the main one among them."""


class _Reader:
    def __init__(self, path: Path, files: Files) -> None:
        self.folder = path.parent
        self.files = files
        self.included: list[tree.Included] = []
        self.problems: list[Problem] = []
        self._begun: set[str] = {path.name}

    def declarations(self, script: tree.Script, way: tuple[str, ...]) -> Iterator[tree.Declaration]:
        """A file's declarations, each `include` replaced by those of its file. `way` leads from the main file here."""
        source = Source(script.source)
        here: dict[str, tree.Include] = {}
        for declaration in script.declarations:
            if not isinstance(declaration, tree.Include):
                yield declaration
                continue
            file = declaration.file
            name = beside(file)
            if name in here:
                first = here[name].span
                message = f"`{file.value}` is included twice"
                self.problems.append(source.problem(file.span, message, f"first in {line_of(first, file.span)}", first))
            elif name in way:
                circle = " to ".join(f"`{step}`" for step in (*way[way.index(name) :], name))
                message = f"these files include each other: {circle}"
                self.problems.append(source.problem(file.span, message, "leave one `include` out"))
            elif len(way) >= _MOST_DEEP:
                message = f"{len(way)} files include each other one after the other down to here"
                self.problems.append(source.problem(file.span, message, "include it from the main file"))
            elif name not in self._begun:
                yield from self._file(file, name, source, way)
            here.setdefault(name, declaration)

    def _file(self, file: tree.Text, name: str, source: Source, way: tuple[str, ...]) -> Iterator[tree.Declaration]:
        self._begun.add(name)
        path = self.folder / name
        try:
            content = self.files.note(path).read_bytes()
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            message = f"`{file.value}` cannot be read: {reason}"
            looked_in = self.folder / Path(file.span.included).parent
            self.problems.append(source.problem(file.span, message, f"looked in {looked_in}"))
        else:
            script = self.parsed(content, str(path), name)
            self.included.append(tree.Included(name, str(path), script.source))
            yield from self.declarations(script, (*way, name))

    def parsed(self, content: bytes, file: str, included: str = "") -> tree.Script:
        """What can be read of a file."""
        try:
            text = script_text(content, file)
        except PolicyError as error:
            self.problems += error.problems
            text = ""
        script, problems = parse_readable(text, file, included)
        self.problems += problems
        return script
