"""Where a name was declared, where it is used, and what changes when it gets another.

Owns what is one name and what another. Users are no names of a script's own: phones log in by them, and digests hold
them, so that a script alone cannot give one another name.
"""

from __future__ import annotations

import re
from pathlib import Path

from dsl import tree
from dsl.diagnostics import line_of
from dsl.editor.view import View
from dsl.language import words
from dsl.patterns import capture_name
from dsl.resolve import Kind, Meaning
from dsl.tree import Span
from dsl.vocabulary import FACT_NAMES

_INCLUDE = re.compile(r"\s*include\s+\"([^\"]+)\"").match
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*").fullmatch


class CannotRenameError(Exception):
    """Why a name cannot be changed, in the words of a problem."""


def definition(view: View, file: str, line: int, column: int) -> Span | None:
    """Where the name here was declared, or the beginning of the file that is named here."""
    found = view.meaning_at(file, line, column)
    if found is not None:
        return _declared(view, *found)
    for text in _file_names(view):
        if text in view.around(file, line, column):
            return _beginning(view.beside(text))
    included = _INCLUDE((view.text(file) or "").split("\n")[line - 1])
    return None if included is None else _beginning(Path(file).parent / included[1])


def _beginning(file: Path) -> Span:
    return Span(str(file), 1, 1, 1, 1)


def _file_names(view: View) -> list[tree.Text]:
    """The names of files in a policy. Those of other scripts are in its text alone, for the tree has what they hold."""
    found: list[tree.Text] = []
    for item in view.script.declarations:
        match item:
            case tree.Users(file=file) | tree.Table(file=file) | tree.Sound(file=file):
                found.append(file)
            case tree.Numbers(file=tree.Text() as file):
                found.append(file)
            case tree.Hours(exceptions=exceptions):
                found += [exception for exception in exceptions if isinstance(exception, tree.Text)]
            case _:
                pass
    return found


def _declared(view: View, span: Span, meaning: Meaning) -> Span | None:
    if meaning.kind is Kind.USER:
        return view.users.get(_text(view, span))
    return meaning.declared


def _text(view: View, span: Span) -> str:
    """The name at a place; of `user "anna.schmidt"` that between the quotes."""
    written = view.written(span)
    return written.split('"')[1] if '"' in written else written


def references(view: View, file: str, line: int, column: int) -> list[Span]:
    """Everywhere where the name here stands with the same meaning, its declaration too."""
    found = view.meaning_at(file, line, column)
    if found is None:
        return []
    span, meaning = found
    if meaning.kind is Kind.USER:
        name = _text(view, span)
        return [
            other
            for other, meant in view.names.meanings.items()
            if meant.kind is Kind.USER and _text(view, other) == name
        ]
    if meaning.declared is None:
        return []
    return [other for other, meant in view.names.meanings.items() if meant.declared == meaning.declared]


def renamed(view: View, file: str, line: int, column: int) -> Span:
    """The name here, which can be changed. Raises CannotRenameError."""
    found = view.meaning_at(file, line, column)
    if found is None:
        raise CannotRenameError("here stands no name that this policy declares")
    span, meaning = found
    name = _text(view, span)
    if meaning.kind is Kind.USER:
        raise CannotRenameError(
            f"`{name}` is a user: phones log in by that name, so give them another in the users file first"
        )
    if meaning.declared is None:
        raise CannotRenameError(f"`{name}` is {meaning.kind}, and keeps its name")
    if view.damaged:
        first = view.damaged[0]
        raise CannotRenameError(f"line {first.line} of `{first.file}` cannot be read: mend that first")
    return span


def rename(view: View, file: str, line: int, column: int, new: str) -> list[Span]:
    """The places where `new` must stand instead. Raises CannotRenameError where it may not."""
    span = renamed(view, file, line, column)
    if not _NAME(new):
        raise CannotRenameError(f"`{new}` is no name: it begins with a letter, then come letters, digits, `_` and `-`")
    found = view.names.meanings[span]
    if found.kind is Kind.CAPTURE and not capture_name(new):
        raise CannotRenameError(f"`{new}` cannot be the name of a capture: write lower-case letters, digits and `_`")
    if new in words().values():
        raise CannotRenameError(f"`{new}` is a word of the language")
    if new in FACT_NAMES:
        raise CannotRenameError(f"`{new}` is a fact already")
    if new in view.setup.directory.users:
        raise CannotRenameError(f"`{new}` is a user already")
    for other, meaning in view.names.meanings.items():
        if meaning.declared == other and view.written(other) == new:
            raise CannotRenameError(f"`{new}` is {meaning.kind} already, in {line_of(other, span)}")
    return references(view, file, line, column)
