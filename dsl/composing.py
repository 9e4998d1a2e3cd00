"""Values in texts: `"team {caller.team}"` in a header, a tag or a log line.

Owns what stands between braces, and the doubled braces that stand for themselves; also what looks so in a text that is
taken as it is. What the values are is found where they are used.
"""

from __future__ import annotations

import re

from dsl import tree
from dsl.tree import Span

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_VALUE = re.compile(
    r"(?P<e164>e164\()?(?P<base>diverted by|held for|[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*)"
    r"(?:\.(?P<attribute>[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*))?(?(e164)\))"
).fullmatch


class ComposingError(ValueError):
    """What is wrong in a text with braces: how many characters into it, and how many of them."""

    def __init__(self, offset: int, length: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.length = length
        self.message = message


class Wanted(tree.Node, frozen=True):
    """What would be a value if it were filled in, where it stands with its braces.

    `written` is what is between them. `alone`: nothing else is in the text.
    """

    written: str
    alone: bool


def wanted(text: tree.Text) -> tuple[Wanted, ...]:
    """The values that stand in a text that is taken as it is."""
    return tuple(
        Wanted(_span(text, piece), piece[1], piece[0] == text.value)
        for piece in _PIECE.finditer(text.value)
        if piece[1] is not None and _VALUE(piece[1])
    )


def _span(text: tree.Text, piece: re.Match[str]) -> Span:
    return text.span.on_line(text.span.column + 1 + piece.start(), len(piece[0]))


def composed(text: tree.Text) -> tree.Text | tree.Composed:
    """The text with its values; itself where it has no braces. Raises ComposingError."""
    if "{" not in text.value and "}" not in text.value:
        return text
    parts: list[tree.Part] = []
    for piece in _PIECE.finditer(text.value):
        written = piece[0]
        if piece[1] is not None:
            parts.append(_value(piece[1], piece.start(), text.span))
        elif len(written) == 1 and written in "{}":
            what = "this value is not closed" if written == "{" else "no value was opened here"
            raise ComposingError(piece.start(), 1, what)
        else:
            parts.append(tree.Text(_span(text, piece), {"{{": "{", "}}": "}"}.get(written, written)))
    return tree.Composed(text.span, tuple(parts))


def _value(written: str, brace: int, text: tree.Span) -> tree.Reference | tree.Attribute | tree.E164:
    found = _VALUE(written)
    if found is None:
        raise ComposingError(brace, len(written) + 2, f"`{{{written}}}` is no value")
    column = text.column + 2 + brace
    base = tree.Name(text.on_line(column + found.start("base"), len(found["base"])), found["base"])
    value: tree.Reference | tree.Attribute = tree.Reference(base.span, base)
    if found["attribute"] is not None:
        at = text.on_line(column + found.start("attribute"), len(found["attribute"]))
        whole = text.on_line(column + found.start("base"), found.end("attribute") - found.start("base"))
        value = tree.Attribute(whole, base, tree.Name(at, found["attribute"]))
    return tree.E164(text.on_line(column, len(written)), value) if found["e164"] is not None else value
