"""YAML in its plainest form, read many times as fast as YAML itself: entries of texts, or texts, one of them a row.

Owns telling whether a file has that form, and its rows, one at a time. A row is `name: {of: text, other: text}` or
`name:` with indented lines below it; a text may in turn be `{of: text}`. A file may also be a list, of `- text`.
Whatever else YAML has, and whatever is wrong, raises UnplainError: the file is then read by `marked_yaml`, which knows
all of it, and the place of each mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, TypeAlias

Node: TypeAlias = str | tuple[str] | None
"""A text; the entries of a mapping as they are written; None for the whole file."""

_BARE = r"(?!null|Null|NULL)[\w+/(][\w+/(.)@*= \-]*(?<! )"
_TEXT = rf"""(?:"[^"\\\n]+"|'[^'\n]+'|{_BARE})"""
_TAKEN = rf"""(?:"([^"\\\n]+)"|'([^'\n]+)'|({_BARE}))"""
_END = r" *(?: #[^\n]*)?\n"
_BETWEEN = r"(?: *(?:#[^\n]*)?\n)*"


def _in_braces(entry: str) -> str:
    return rf"\{{ *(?:{entry} *(?:, *(?!\}})|(?=\}})))*\}}"


_VALUES = _in_braces(rf"{_TEXT}: +{_TEXT}")
_ENTRY = rf"{_TEXT}: +(?:{_TEXT}|{_VALUES})"

_LONGEST = 1_000
"""Characters of a row: YAML takes names of 1,024 at most."""


class _Patterns(NamedTuple):
    """What finds the beginning of the first row, a row at its beginning, and all entries of a row."""

    beginning: re.Pattern[str]
    row: re.Pattern[str]
    entry: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """Made when the first file is read. They say little of letters, since that takes long: see `_is_plain`."""
    return _Patterns(
        re.compile(rf"{_BETWEEN}(?:---\n)?{_BETWEEN}"),
        re.compile(
            rf"{_TAKEN}:(?: +({_in_braces(_ENTRY)}){_END}{_BETWEEN}"
            rf"|{_END}{_BETWEEN}(?=(?P<indent> +))((?:(?P=indent){_ENTRY}{_END}{_BETWEEN})+))"
        ),
        # Comments stand for themselves, so that no entry is found in one.
        re.compile(rf" #[^\n]*|\n *#[^\n]*|{_TAKEN}: +(?:{_TAKEN}|({_VALUES}))"),
    )


@cache
def _items() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What a list is, and what finds each text of it."""
    return re.compile(rf"(?:- +{_TEXT}{_END}{_BETWEEN})+"), re.compile(rf"(?:\A|\n)- +{_TAKEN}")


def _is_plain(text: str) -> bool:
    """Whether all of it can be seen, so that it means in quotes and comments what it looks like."""
    return text.replace("\n", "").isprintable()


class UnplainError(Exception):
    """Something stands there that the plain form has not, or something is wrong."""


class PlainYaml:
    """The text of one file, to be read once from its beginning to its end. All raise UnplainError, making it too."""

    root: Node = None
    readable = True

    def __init__(self, text: str) -> None:
        text = text.replace("\r\n", "\n")
        if not _is_plain(text):
            raise UnplainError
        self._text = text if text.endswith("\n") else f"{text}\n"
        self._patterns = _patterns()

    def rows(self, what: str) -> Iterator[tuple[str, Node, Node]]:
        """The file's entries as (name, its node, what stands there)."""
        text, row_at, seen = self._text, self._patterns.row.match, set[str]()
        at = self._beginning()
        while (row := row_at(text, at)) is not None:
            double, single, bare, braces, _, lines = row.groups()
            name = bare or double or single
            if name in seen or row.end() - at > _LONGEST:
                raise UnplainError
            seen.add(name)
            yield name, None, (braces or lines,)
            at = row.end()
        if at < len(text) or not seen:
            raise UnplainError

    def items(self, node: Node, what: str) -> list[Node]:
        """The texts of a file that is a list."""
        whole, each = _items()
        text = self._text[self._beginning() :]
        if node is not None or whole.fullmatch(text) is None:
            raise UnplainError
        return [bare or double or single for double, single, bare in each.findall(text)]

    def _beginning(self) -> int:
        found = self._patterns.beginning.match(self._text)
        return found.end() if found is not None else 0

    def entries(self, node: Node, what: str) -> list[tuple[str, Node, Node]]:
        """A mapping's entries as (name, its node, what stands there)."""
        if not isinstance(node, tuple):
            raise UnplainError
        found: list[tuple[str, Node, Node]] = [
            (bare or double or single, None, text or quoted or other or (braces,))
            for double, single, bare, quoted, other, text, braces in self._patterns.entry.findall(node[0])
            if bare or double or single
        ]
        if len(found) > 1 and len({name for name, _, _ in found}) < len(found):
            raise UnplainError
        return found

    def text(self, node: Node, what: str) -> str:
        """A text without its quotes."""
        if not isinstance(node, str):
            raise UnplainError
        return node

    def is_mapping(self, node: Node) -> bool:
        """Whether this has entries."""
        return isinstance(node, tuple)

    def line_of(self, node: Node) -> int:
        """No line is known, and where one is asked for, something is wrong."""
        raise UnplainError

    def wrong(self, node: Node, message: str, advice: str | None = None) -> None:
        """Something is wrong."""
        raise UnplainError

    def wrong_file(self, message: str, advice: str) -> None:
        """Something is wrong."""
        raise UnplainError
