"""Columns for eyes: aligned, and no wider than the terminal that shows them.

Owns how wide a text is there, what is cut where it is too wide, and escaping what cannot be printed.
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Collection, Sequence

LEAST_CELLS = 6
"""A column is cut no shorter than this, or than its head."""

_GAP = "  "


def terminal_width() -> int | None:
    """How many cells a line of standard output may have; None where that is no terminal, which takes all."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cells(text: str) -> int:
    """How many cells of a terminal a text takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(_cells(letter) for letter in text)


def printable(text: str) -> str:
    """A text with what is not printable, in a name that a peer gave, escaped."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )


def cut(text: str, width: int) -> str:
    """A text that takes so many cells at most; `…` stands for what is left out."""
    if cells(text) <= width:
        return text
    mark = _mark()
    kept, room = "", width - len(mark)
    for letter in text:
        room -= _cells(letter)
        if room < 0:
            break
        kept += letter
    return (kept + mark)[: max(0, width)]


def aligned(lines: Sequence[Sequence[str]], whole: Collection[int] = (), width: int | None = None) -> str:
    """Lines of equally many texts, one below the other; the first line is their heads.

    Where that is wider than `width` cells, the widest columns are cut until it fits, but for those that are `whole`;
    then columns are left out, the last first.
    """
    widths = [max(cells(line[column]) for line in lines) for column in range(len(lines[0]))]
    if width is not None:
        least = [
            each if column in whole else min(each, max(cells(lines[0][column]), LEAST_CELLS))
            for column, each in enumerate(widths)
        ]
        _narrow(widths, least, width)
        while len(widths) > 1 and _total(widths) > width:
            widths.pop()
        widths[0] = min(widths[0], width)
    return "\n".join(
        _GAP.join(_padded(cut(text, each), each) for text, each in zip(line, widths, strict=False)).rstrip()
        for line in lines
    )


def _narrow(widths: list[int], least: list[int], width: int) -> None:
    while (over := _total(widths) - width) > 0:
        loose = [column for column, each in enumerate(widths) if each > least[column]]
        if not loose:
            return
        widest = max(loose, key=lambda column: widths[column])
        next_widest = max((widths[column] for column in loose if column != widest), default=0)
        widths[widest] = max(least[widest], min(next_widest, widths[widest] - 1), widths[widest] - over)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _cells(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _mark() -> str:
    try:
        "…".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "~"
    return "…"
