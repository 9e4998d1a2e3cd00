"""The plainest nodes: places, names and literals."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """From which character to which: `end_column` is exclusive.

    `included` is the file's path from the folder of the main file, empty in the main file itself.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    included: str = ""

    @property
    def place(self) -> str:
        """Where it begins, as decisions name it: `line:column`, in an included file `trunks.route:line:column`."""
        place = f"{self.line}:{self.column}"
        return f"{self.included}:{place}" if self.included else place

    def on_line(self, column: int, length: int) -> Span:
        """So many characters from a column of the line on which this begins."""
        return Span(self.file, self.line, column, self.line, column + length, self.included)


class Node(msgspec.Struct, frozen=True):
    """Anything that was written."""

    span: Span


class Name(Node, frozen=True):
    """An identifier. `quoted`: written as `user "anna.schmidt"`, so surely a user."""

    text: str
    quoted: bool = False


class Text(Node, frozen=True):
    """A text between double quotes, without them."""

    value: str


class Integer(Node, frozen=True):
    """A whole number without a unit; `text` keeps leading zeros."""

    value: int
    text: str


class Duration(Node, frozen=True):
    """A time with its unit (`20s`, `2min`, `1h`, `1d`). Without a unit `seconds` is None."""

    text: str
    seconds: float | None


class Code(Node, frozen=True):
    """A SIP status code."""

    value: int


class Pattern(Node, frozen=True):
    """A number pattern, without its backticks; `patterns` reads it."""

    text: str


class Network(Node, frozen=True):
    """An IP address or network, as written; `networks` reads it."""

    text: str
