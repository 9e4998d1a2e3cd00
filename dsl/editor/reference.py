"""The tables of docs/language.md: for each word of the language what it says, with examples.

Owns finding the rows that tell of a word. The page lies beside this module, as a link to where readers look for it;
`tests/test_reference.py` holds it to the grammar.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import msgspec

PAGE = Path(__file__).with_name("language.md")

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def code(text: str) -> list[str]:
    """The code spans of a text."""
    return [found[1].strip() for found in re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", text)]


def words_of(texts: Iterable[str]) -> set[str]:
    """The words in some code spans, without what stands for something (in capitals)."""
    return {word for text in texts for word in re.findall(r"(?<![\w-])[a-z][a-z0-9-]*(?![\w])", text)}


class Row(msgspec.Struct, frozen=True):
    """A row of a table. `kind` is the head of its first column; an example is a code span under `for example`."""

    kind: str
    cells: dict[str, str]
    line: int

    @property
    def words(self) -> list[str]:
        """What the row is about: the code spans of its first cell."""
        return code(self.cells[self.kind])

    @property
    def examples(self) -> list[str]:
        """What is shown of it."""
        return code(self.cells.get("for example", ""))

    @property
    def told(self) -> str:
        """All of the row, for a reader (Markdown)."""
        about, *others = self.cells
        lines = [f"**{self.cells[about]}**"]
        for head in others:
            text = _LINK.sub(r"\1", self.cells[head])
            if head == others[0]:
                lines.append(text if len(others) < 3 else f"{head}: {text}")
            elif text:
                lines.append(f"{head}: {text}")
        return "\n\n".join(lines)


def rows_of(page: str) -> Iterator[Row]:
    """The rows of a page's tables."""
    head: list[str] = []
    for number, line in enumerate(page.splitlines(), 1):
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = cells
        elif not set(line) <= set("|- "):
            yield Row(head[0], dict(zip(head, cells, strict=True)), number)


@functools.cache
def rows() -> tuple[Row, ...]:
    """The rows of the page."""
    return tuple(rows_of(PAGE.read_text(encoding="utf-8")))


@functools.cache
def _by_word() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows():
        if row.kind not in ("how to", "command"):
            for word in words_of(row.words):
                found.setdefault(word, []).append(row)
    return found


def told_of(word: str, kinds: Iterable[str] = (), written: Collection[str] = ()) -> Row | None:
    """The row that tells of a word of the language, if there is one: of the first of these kinds of tables that has it,
    else of any. Of several the one that shows most of the words that were `written` with it.
    """
    known = _by_word().get(word, [])
    for kind in kinds:
        if found := [row for row in known if row.kind == kind]:
            return _best(found, word, written)
    return _best(known, word, written) if known else None


def _best(found: list[Row], word: str, written: Collection[str]) -> Row:
    def worth(row: Row) -> tuple[int, bool]:
        fits = [len(words) for about in row.words if (words := words_of([about])) <= {word, *written}]
        return max(fits, default=0), any(about.split()[0] == word for about in row.words)

    return max(found, key=worth)
