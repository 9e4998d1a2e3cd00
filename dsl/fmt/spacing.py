"""Between which words a space stands, how words are filled up to a column, and where a long statement is wrapped.

Owns all three for words that no blocks and comments part.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsl.fmt.pieces import Word

WIDTH = 100
"""Columns that a line may have; a comment, and a word that is longer by itself, may stand out."""

_CLINGS_TO_THE_LEFT = frozenset({"_COMMA", "_RPAREN", "_DOT", "_COLON", "_HYPHEN"})
_CLINGS_TO_THE_RIGHT = frozenset({"_LPAREN", "_DOT", "_HYPHEN"})
_TAKES_ARGUMENTS = frozenset({"NAME", "_E164"})


def space_between(left: Word, right: Word) -> bool:
    """Whether a space stands between these neighbours."""
    if right.kind in _CLINGS_TO_THE_LEFT or left.kind in _CLINGS_TO_THE_RIGHT:
        return False
    if right.kind == "_LPAREN":
        return left.kind not in _TAKES_ARGUMENTS
    return (left.kind, right.kind) != ("_LBRACE", "_RBRACE")


def joined(words: Sequence[Word]) -> str:
    """The words on one line."""
    parts: list[str] = []
    for at, word in enumerate(words):
        if at and space_between(words[at - 1], word):
            parts.append(" ")
        parts.append(word.text)
    return "".join(parts)


def fits(words: Sequence[Word], indent: int) -> bool:
    """Whether the words have room on one line, so many columns in."""
    width = indent
    for at, word in enumerate(words):
        width += len(word.text) + (at > 0 and space_between(words[at - 1], word))
        if width > WIDTH:
            return False
    return True


def filled(words: Sequence[Word], at: int, width: int) -> list[Word]:
    """The words, with those before this one filled up to this width with blanks."""
    last = words[at - 1]
    missing = width - len(joined(words[:at]))
    return [*words[: at - 1], Word(last.kind, last.text + " " * missing), *words[at:]]


def wrapped(words: Sequence[Word], first: int, further: int) -> list[str]:
    """The words on as many lines as they need: the first stands `first` columns in, others `further`."""
    rows: list[str] = []
    indent = first
    while True:
        at = 0 if fits(words, indent) else _best_break(words, indent, further)
        if not at:
            return [*rows, " " * indent + joined(words)]
        rows.append(" " * indent + joined(words[:at]).rstrip())
        words = words[at:]
        indent = further


def _best_break(words: Sequence[Word], indent: int, further: int) -> int:
    """How many words stay on this line: up to the best break that fits, else the first. 0 where there is none."""
    best = (-1, 0)
    width = indent
    for at, word in enumerate(words[1:], 1):
        width += len(words[at - 1].text)
        if not space_between(words[at - 1], word):
            continue
        if best[1] and width > WIDTH:
            break
        best = max(best, (_strength(words, at, further), at))
        width += 1
    return best[1]


def _strength(words: Sequence[Word], at: int, further: int) -> int:
    """How good it is to break before this word."""
    kind = words[at].kind
    if kind in ("_THEN", "_ELSE"):
        return 3
    if kind == "_ARROW" and fits(words[at:], further):
        return 2
    return 1 if kind in ("_AND", "_OR") or words[at - 1].kind == "_COMMA" else 0
