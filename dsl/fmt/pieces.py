"""A script as words, comments, statements and blocks, in the order of the file.

Owns what is kept of the layout as it was: empty lines, which comment stands behind what, and which blocks were
written on one line. Where statements begin is taken from the parse tree, so that a new one needs nothing here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any, TypeAlias

import msgspec

from dsl.reading import Piece, Reading
from dsl.tree import Span

_COMMENT = re.compile(r"#[^\n]*")


class Word(msgspec.Struct, frozen=True):
    """A word, sign or literal as written; `kind` names its terminal in the grammar."""

    kind: str
    text: str


class Comment(msgspec.Struct, frozen=True):
    """From `#` to the end of the line. `own_line`: nothing stands before it; `parted`: an empty line does."""

    text: str
    own_line: bool
    parted: bool


class Block(msgspec.Struct):
    """What stands between braces, and the whole file.

    `opener`: the terminal with which its statement begins; `inline`: written on one line; `opening`: the comment
    behind the brace.
    """

    opener: str
    inline: bool
    opening: Comment | None = None
    entries: list[Entry] = msgspec.field(default_factory=list)


class Statement(msgspec.Struct):
    """A declaration, rule, decision, setting, outcome or step. Its last item may be the comment behind it."""

    parted: bool
    items: list[Item] = msgspec.field(default_factory=list)


Item: TypeAlias = Word | Comment | Block
Entry: TypeAlias = Statement | Comment


def pieces(text: str) -> Block:
    """The declarations and comments of a script that can be parsed, as the block that is the whole file."""
    return _Reader(text).whole()


def comments(text: str) -> list[str]:
    """The comments of a script that can be parsed, without the blanks at their ends."""
    return [comment.text for gap in _gaps(text, _words(text)) for comment in _comments(gap, False)]


class _Node(msgspec.Struct, frozen=True):
    """A node of the parse tree: from which offset to which it stands, and the nodes in it."""

    start: int
    end: int
    inner: list[_Node]


def _words(text: str) -> list[Piece]:
    """The words and signs of a script."""
    reading = Reading(text)
    found: list[Piece] = []
    while (piece := reading.next()) is not None:
        reading.take(piece)
        found.append(piece)
    return found


def _declarations(text: str) -> list[_Node]:
    """The parse tree of a script, below its root."""
    lines = [0, *(line.end() for line in re.finditer("\n", text))]

    def node(_: str, span: Span, children: list[Any]) -> _Node:
        inner = [child for child in children if isinstance(child, _Node)]
        return _Node(lines[span.line - 1] + span.column - 1, lines[span.end_line - 1] + span.end_column - 1, inner)

    return Reading(text, make=node).run()


def _gaps(text: str, words: list[Piece]) -> list[str]:
    """What stands before each word, and behind the last one: white space and comments."""
    ends = [0, *(piece.end for piece in words)]
    starts = [*(piece.start for piece in words), len(text)]
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]


def _comments(gap: str, behind: bool) -> list[Comment]:
    """The comments of a gap. `behind`: something stands before it on its first line."""
    found: list[Comment] = []
    at = 0
    for written in _COMMENT.finditer(gap):
        new_lines = gap.count("\n", at, written.start())
        own_line = bool(found) or not behind or new_lines > 0
        found.append(Comment(written[0].rstrip(), own_line, new_lines > 1))
        at = written.end()
    return found


def _beginnings(declarations: list[_Node], words: list[Piece]) -> frozenset[int]:
    """Where statements begin: declarations, and each part of a block that comes after its brace."""
    braces = [piece.start for piece in words if piece.terminal == "_LBRACE"]
    found = {node.start for node in declarations}
    waiting = list(declarations)
    while waiting:
        node = waiting.pop()
        at = bisect_left(braces, node.start)
        opened = False
        for child in node.inner:
            first = bisect_left(braces, child.start)
            opened = opened or at < first
            at = bisect_left(braces, child.end)
            if opened:
                found.add(child.start)
            if first < at:
                waiting.append(child)
    return frozenset(found)


class _Reader:
    """Goes through the words once, and puts each gap's comments where they belong."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = _words(text)
        self.gaps = _gaps(text, self.words)
        self.beginnings = _beginnings(_declarations(text), self.words)
        self.at = 0

    def whole(self) -> Block:
        block = Block("", False)
        self._fill(block)
        return block

    def _fill(self, block: Block) -> None:
        """Read statements up to the brace that closes this block, or the end of the file."""
        gap = self.gaps[self.at]
        for comment in _comments(gap, self.at > 0):
            if comment.own_line:
                block.entries.append(comment)
            else:
                block.opening = comment
        while self.at < len(self.words) and self.words[self.at].terminal != "_RBRACE":
            statement = Statement(_parted(self.gaps[self.at]))
            block.entries.append(statement)
            block.entries += self._statement(statement)

    def _statement(self, statement: Statement) -> list[Entry]:
        """Read one statement; the comments below it are returned, since they belong to the block."""
        opener = ""
        while True:
            piece = self.words[self.at]
            self.at += 1
            opener = opener or piece.terminal
            statement.items.append(Word(piece.terminal, self.text[piece.start : piece.end]))
            if piece.terminal == "_LBRACE":
                statement.items.append(self._block(piece, opener))
                statement.items.append(Word("_RBRACE", "}"))
            found = _comments(self.gaps[self.at], True)
            if self._ends():
                behind = [comment for comment in found if not comment.own_line]
                statement.items += behind
                return [*found[len(behind) :]]
            statement.items += found

    def _block(self, brace: Piece, opener: str) -> Block:
        block = Block(opener, False)
        self._fill(block)
        closing = self.words[self.at]
        self.at += 1
        block.inline = "\n" not in self.text[brace.start : closing.start]
        return block

    def _ends(self) -> bool:
        """Whether the statement ends before the next word."""
        if self.at == len(self.words):
            return True
        piece = self.words[self.at]
        return piece.terminal == "_RBRACE" or piece.start in self.beginnings


def _parted(gap: str) -> bool:
    """Whether an empty line stands right before what follows the gap."""
    return gap.rpartition("#")[2].count("\n") > 1
