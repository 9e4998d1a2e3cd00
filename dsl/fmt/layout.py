"""From statements to lines: what goes on one line, what is opened or wrapped, where empty lines stand.

Owns indents, and the order of these decisions: first whether a statement fits on one line as it is, then which
column it shares with its neighbours, last how it is wrapped. A block that was written on one line stays there where
it fits and holds no more than one statement, or what a trunk says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dsl.fmt.columns import Row, align, common, marks
from dsl.fmt.pieces import Block, Comment, Entry, Item, Statement, Word
from dsl.fmt.spacing import WIDTH, joined, wrapped

_INDENT = 2
_FURTHER = 4
"""How far the next line of a wrapped statement stands in, beyond its first."""


class _Line(msgspec.Struct):
    """A line, and the comment on it."""

    text: str
    comment: str = ""


def lines(whole: Block) -> Iterator[str]:
    """The lines of a file, without their ends."""
    found = _block(whole, 0)
    _put_comments_below_each_other(found)
    for line in found:
        yield f"{line.text}{line.comment}"


def _block(block: Block, indent: int) -> list[_Line]:
    """The lines of what stands in a block."""
    statements = [entry for entry in block.entries if isinstance(entry, Statement)]
    rows = [_first_row(statement, block.opener, indent) for statement in statements]
    align(rows)
    aligned = iter(rows)
    parts = [
        [_Line(" " * indent, entry.text)] if isinstance(entry, Comment) else _statement(entry, next(aligned), indent)
        for entry in block.entries
    ]
    parted = [entry.parted for entry in block.entries]
    if not block.opener:
        _part_large(block.entries, parts, parted)
    found: list[_Line] = []
    for part, apart in zip(parts, parted, strict=True):
        if apart and found:
            found.append(_Line(""))
        found += part
    return found


def _part_large(entries: Sequence[Entry], parts: Sequence[Sequence[_Line]], parted: list[bool]) -> None:
    """Set declarations of several lines, with the comments above them, apart from their neighbours."""
    above = None
    first = 0
    for at, entry in enumerate(entries):
        if isinstance(entry, Comment):
            continue
        large = len(parts[at]) > 1 and any(isinstance(item, Block) for item in entry.items)
        if (large or above) and not any(parted[first : at + 1]):
            parted[first] = True
        above = large
        first = at + 1


def _first_row(statement: Statement, opener: str, indent: int) -> Row:
    """What of a statement may stand in a column: where it takes one line, or a block is all that makes it longer."""
    flat = _flat(statement)
    fits = flat is not None and indent + len(joined(flat)) <= WIDTH
    words = flat if flat is not None and fits else _head(statement.items)
    if opener in ("", "_TRUNK"):
        has_block = any(isinstance(item, Block) for item in statement.items)
        return Row(words, [] if has_block else marks(words, opener), has_block)
    opens = words[-1].kind == "_LBRACE" and indent + len(joined(words)) <= WIDTH
    return Row(words, marks(words, opener) if fits or opens else [], not fits)


def _flat(statement: Statement) -> list[Word] | None:
    """The words of a statement that may be written on one line, if it may."""
    words: list[Word] = []
    for item in _without_comment_behind(statement.items):
        if isinstance(item, Word):
            words.append(item)
        elif isinstance(item, Comment) or item.opening is not None or not _may_be_flat(item):
            return None
        else:
            for entry in item.entries:
                inner = _flat(entry) if isinstance(entry, Statement) else None
                if inner is None:
                    return None
                words += inner
    return words


def _may_be_flat(block: Block) -> bool:
    return not block.entries or (block.inline and (len(block.entries) == 1 or block.opener == "_TRUNK"))


def _head(items: Sequence[Item]) -> list[Word]:
    """The words before the first comment or block."""
    words: list[Word] = []
    for item in items:
        if not isinstance(item, Word):
            break
        words.append(item)
    return words


def _without_comment_behind(items: Sequence[Item]) -> Sequence[Item]:
    return items[:-1] if isinstance(items[-1], Comment) else items


def _statement(statement: Statement, row: Row, indent: int) -> list[_Line]:
    """The lines of a statement; `row` holds its first words, aligned."""
    items = _without_comment_behind(statement.items)
    flat = _flat(statement)
    if flat is not None and indent + len(joined(flat)) <= WIDTH:
        aligned = joined(row.words)
        found = [_Line(" " * indent + (aligned if indent + len(aligned) <= WIDTH else joined(flat)))]
    else:
        if row.words[-1].kind != "_LBRACE" or indent + len(joined(row.words)) <= WIDTH:
            items = [*row.words, *items[len(row.words) :]]
        found = _Opened(indent).lines(items)
    behind = statement.items[-1]
    if isinstance(behind, Comment):
        found[-1].comment = behind.text
    return found


class _Opened:
    """Writes a statement that takes more than one line."""

    def __init__(self, indent: int) -> None:
        self.indent = indent
        self.found: list[_Line] = []
        self.words: list[Word] = []
        self.further = False

    def lines(self, items: Sequence[Item]) -> list[_Line]:
        for item in items:
            if isinstance(item, Word):
                self.words.append(item)
            elif isinstance(item, Comment):
                self._comment(item)
            elif item.entries or item.opening is not None:
                self._end_line()
                self.found[-1].comment = "" if item.opening is None else item.opening.text
                self.found += _block(item, self.indent + _INDENT)
                self.further = False
        self._end_line()
        return self.found

    def _comment(self, comment: Comment) -> None:
        self._end_line()
        if comment.own_line:
            self.found.append(_Line(" " * (self.indent + _FURTHER), comment.text))
        else:
            self.found[-1].comment = comment.text

    def _end_line(self) -> None:
        further = self.indent + _FURTHER
        if self.words:
            self.found += [
                _Line(text) for text in wrapped(self.words, further if self.further else self.indent, further)
            ]
        self.words = []
        self.further = True


def _put_comments_below_each_other(found: Sequence[_Line]) -> None:
    """Set comments apart from what they stand behind, those of neighbouring lines in one column."""
    run: list[_Line] = []
    for line in found:
        behind = line.comment and line.text.strip()
        if run and not (behind and _indent(line) == _indent(run[0])):
            _fill(run)
            run = []
        if behind:
            run.append(line)
    _fill(run)


def _indent(line: _Line) -> int:
    return len(line.text) - len(line.text.lstrip())


def _fill(run: Sequence[_Line]) -> None:
    width = common(len(line.text) for line in run)
    for line in run:
        line.text = line.text.ljust(width) + "  "
