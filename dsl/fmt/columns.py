"""What stands below each other: arrows of rules, values of declarations and of trunks' settings.

Owns which statements of a block share a column. It holds through empty lines and comments, ends at what takes several
lines in between, and leaves out what is far longer than the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dsl.fmt.pieces import Word
from dsl.fmt.spacing import filled, joined

_FAR = 24
"""Columns by which something must be longer than the next shorter one, to be left out with all that is longer yet."""


class Row(msgspec.Struct):
    """The words of a statement's first line, and the numbers of those that stand in a column, at most two.

    `last`: the column ends below this statement.
    """

    words: list[Word]
    marks: list[int]
    last: bool


def marks(words: Sequence[Word], opener: str) -> list[int]:
    """Which words of a statement stand below their like, in a block that begins with this terminal."""
    if opener not in ("", "_TRUNK"):
        return next(([at] for at, word in enumerate(words) if word.kind == "_ARROW"), [])
    if not opener and len(words) > 2 and words[1].kind == "NAME":
        return [1, 2]
    return [1] if len(words) > 1 else []


def common(widths: Iterable[int]) -> int:
    """The width that all of these are filled to, but for those that are far wider."""
    widest = 0
    for at, width in enumerate(sorted(set(widths))):
        if at and width - widest > _FAR:
            break
        widest = width
    return widest


def align(rows: Sequence[Row]) -> None:
    """Fill up the words of a block's rows."""
    run: list[Row] = []
    for row in rows:
        if row.marks:
            run.append(row)
        if row.last:
            _fill(run)
            run = []
    _fill(run)


def _fill(run: Sequence[Row]) -> None:
    for number in (0, 1):
        marked = [row for row in run if len(row.marks) > number]
        width = common(len(joined(row.words[: row.marks[number]])) for row in marked)
        for row in marked:
            row.words = filled(row.words, row.marks[number], width)
