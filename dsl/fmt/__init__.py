"""One style for `.route` files: what `b2bua fmt` writes.

Owns the promise: the same tree, every comment in its place, nothing reordered, and a second run changes nothing.
What was written is read again before it is handed out. Pieces are found by `pieces`, set in lines by `layout`,
and put below each other by `columns`; files and exit codes are the caller's.
"""

from __future__ import annotations

from dsl import tree
from dsl.diagnostics import PolicyError, Problem
from dsl.fmt.layout import lines
from dsl.fmt.pieces import comments, pieces
from dsl.parser import parse


def formatted(text: str, file: str) -> str:
    """The script in the one style, with line ends of one character and no byte order mark; problems call it `file`.

    Raises PolicyError where the script cannot be read, and where what was made of it would not mean the same.
    """
    script = parse(text, file)
    made = "".join(f"{line}\n" for line in lines(pieces(script.source)))
    hold_same(script, made)
    return made


def hold_same(script: tree.Script, made: str) -> None:
    """Raise PolicyError unless `made` says the same as the script, with the same comments in the same order."""
    file = script.span.file
    try:
        again = parse(made, file)
    except PolicyError:
        raise _changed(file, "it could not be read any more") from None
    if shape(again.declarations) != shape(script.declarations):
        raise _changed(file, "it would mean something else")
    if comments(made) != comments(script.source):
        raise _changed(file, "a comment would be lost")


def shape(node: object) -> object:
    """What a tree says, without where it stands."""
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    if isinstance(node, tree.Node):
        fields = (getattr(node, name) for name in node.__struct_fields__)
        return (type(node), *(shape(field) for field in fields if not isinstance(field, tree.Span)))
    return node


def _changed(file: str, how: str) -> PolicyError:
    advice = "the file is left as it is; please report this, with the file"
    return PolicyError([Problem(file, 1, 1, 1, f"this cannot be formatted: {how}", advice=advice)])
