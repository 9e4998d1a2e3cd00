"""What is shown of the name or word under a pointer.

Owns the form (Markdown). What a word says stands in `reference`; a name shows its declaration, a user where the users
file has it, and nothing that proves who it is.
"""

from __future__ import annotations

import re
from typing import get_args

import msgspec

from dsl import tree
from dsl.editor.reference import Row, told_of, words_of
from dsl.editor.view import View
from dsl.resolve import Kind, Meaning
from dsl.tree import Span

_PIECE = re.compile(r'"[^"\n]*"?|`[^`\n]*`?|#.*|[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*')
_MOST_LINES = 12

_KINDS: tuple[tuple[tuple[type[tree.Node], ...], tuple[str, ...]], ...] = (
    ((tree.On,), ("event", "declaration")),
    ((tree.Hours, tree.Weekly, tree.Dated, tree.Stretch), ("in hours", "declaration")),
    ((tree.Limit,), ("declaration", "counted for each")),
    ((tree.Table,), ("declaration", "key")),
    ((tree.When, tree.AlsoWhen, tree.Otherwise), ("rule",)),
    ((tree.Is,), ("state", "condition")),
    ((tree.GivenState,), ("state", "test sentence")),
    ((tree.Dial, tree.Step, tree.Party), ("in a dial", "decision")),
    ((tree.Outcome,), ("outcome", "in a dial")),
    ((tree.Despite,), ("decision",)),
    (get_args(tree.Setting), ("trunk setting",)),
    (get_args(tree.Decision), ("decision",)),
    (get_args(tree.Action), ("action",)),
    (get_args(tree.Condition), ("condition",)),
    (get_args(tree.Expression), ("fact", "value")),
    (get_args(tree.Happening) + get_args(tree.Given) + get_args(tree.Expectation), ("test sentence",)),
    (get_args(tree.Circumstance), ("test sentence",)),
    (get_args(tree.Declaration), ("declaration",)),
)
"""In which tables the words of a node are looked for."""


class Hover(msgspec.Struct, frozen=True):
    """What is shown (Markdown), and of what."""

    span: Span
    text: str


def hover(view: View, file: str, line: int, column: int) -> Hover | None:
    """What is to be shown for this position; None where nothing is known of it."""
    found = view.meaning_at(file, line, column)
    if found is not None:
        span, meaning = found
        if (told := _told(view, span, meaning)) is not None:
            return Hover(span, told)
    word = _word(view, file, line, column)
    if word is None:
        return None
    row = _row(view, word, line, column)
    return None if row is None else Hover(word, row.told)


def _word(view: View, file: str, line: int, column: int) -> Span | None:
    """The word here, unless it stands in a text, a pattern or a comment."""
    written = (view.text(file) or "").split("\n")[line - 1]
    for piece in _PIECE.finditer(written):
        if piece.start() < column <= piece.end() + 1 and piece[0][0].isalpha():
            return Span(file, line, piece.start() + 1, line, piece.end() + 1)
    return None


def _row(view: View, word: Span, line: int, column: int) -> Row | None:
    around = view.around(word.file, line, column)
    kinds = list(dict.fromkeys(kind for node in around for kind in kinds_of(node)))
    written = words_of([view.written(around[0].span)]) if around else set[str]()
    return told_of(view.written(word), kinds, written)


def kinds_of(node: tree.Node) -> tuple[str, ...]:
    """The tables of the reference that have a node's words."""
    for types, kinds in _KINDS:
        if isinstance(node, types):
            return kinds
    return ()


def _told(view: View, span: Span, meaning: Meaning) -> str | None:
    """What a name means; None for facts and for what means nothing, of which the reference tells."""
    match meaning.kind:
        case Kind.FACT | Kind.UNKNOWN:
            return None
        case Kind.USER:
            return _user(view, view.written(span))
        case Kind.ROW:
            table = view.setup.tables.get(meaning.table or "")
            columns = ", ".join(f"`{column}`" for column in table.columns) if table is not None else ""
            return f"a row of table `{meaning.table}`\n\ncolumns: {columns or 'unknown'}"
        case Kind.PARAMETER:
            return f"a parameter: {meaning.type}"
        case Kind.CAPTURE:
            return "what the pattern took of the number"
        case _:
            return _declaration(view, span, meaning)


def _declaration(view: View, span: Span, meaning: Meaning) -> str:
    declared = next(
        declaration.span
        for declaration in view.script.declarations
        if isinstance(name := getattr(declaration, "name", None), tree.Name) and name.span == meaning.declared
    )
    lines = view.written(declared).split("\n")
    shown = [*lines[:_MOST_LINES], "..."] if len(lines) > _MOST_LINES else lines
    where = "" if declared.file == span.file else f"\n\nin `{declared.included or declared.file}`"
    return "\n".join([f"{meaning.kind}\n\n```route", *shown, f"```{where}"])


def _user(view: View, written: str) -> str:
    name = written.split('"')[1] if '"' in written else written
    user = view.setup.directory.users.get(name)
    place = view.users.get(name)
    if user is None:
        return "a user"
    lines = [f"a user{'' if place is None else f', in line {place.line} of `{place.file}`'}"]
    known = {"extension": user.extension, "number": user.number, "display": user.display}
    lines += [f"{what}: {text}" for what, text in known.items() if text is not None]
    if user.attributes:
        lines.append(f"also has {', '.join(f'`{name}`' for name in sorted(user.attributes))}")
    return "\n\n".join(lines)
