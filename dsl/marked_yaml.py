"""A YAML file read as text with places, so that everything wrong in it can be shown where it stands.

Owns reading and the plainest shapes: a mapping of texts, a list of texts, a text as it was written
(`0123` stays `0123`, `yes` stays `yes`). What the
texts must say is for `users`, `secrets_file`, `tables` and `hours`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
import yaml

from dsl.diagnostics import Problem
from dsl.encoding import file_text

Node: TypeAlias = yaml.Node

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PROOF = re.compile(r"((?:password|md5|sha-256)\s*[:=]\s*)([^\s,{}][^,}\r]*)")
"""What nobody should read on a screen or in a log."""

_ENTRY = re.compile(r"([A-Za-z0-9._-]+)\s*[:=]\s*\S").match
_SPACES = "indent with spaces, and write such texts in quotes"
_NULL = "tag:yaml.org,2002:null"


class _Fault(msgspec.Struct, frozen=True):
    """What is said where libyaml says `part`; the place is where reading ended, or where what is wrong began."""

    part: str
    at_its_beginning: bool
    message: str
    advice: str


_COLON = "write a colon and a space behind the name"
_COLUMNS = "let entries of one kind begin in one column"
_FAULTS = (
    _Fault("quoted scalar", True, "this quote is not closed", "end the text with the same sign"),
    _Fault("flow mapping", True, "this brace is not closed", "end it with `}`, and write a comma between entries"),
    _Fault("flow sequence", True, "this bracket is not closed", "end it with `]`, and write a comma between entries"),
    _Fault("cannot start any token", False, "a tab, or a sign with a meaning of its own, stands here", _SPACES),
    _Fault("mapping values are not allowed", False, "a second `:` stands here", "write the value in quotes"),
    _Fault("could not find expected ':'", True, "this is no `name: value`", _COLON),
    _Fault("block mapping", False, "this does not stand where it belongs", _COLUMNS),
    _Fault("block collection", False, "this does not stand where it belongs", _COLUMNS),
)
_UNCLEAR = _Fault("", False, "this cannot be read", "see to quotes, braces and the space that lines begin with")


class Document:
    """One file's root node (None when it is empty, or not `readable`) and the list that takes its problems."""

    def __init__(self, path: Path, root: Node | None, problems: list[Problem]) -> None:
        self.path = path
        self.root = root
        self._problems = problems
        self._lines: list[str] = []
        self.readable = True

    @classmethod
    def read(cls, path: Path, problems: list[Problem]) -> Document:
        """Read a file; a syntax error becomes a problem. Raises OSError when the file cannot be read."""
        return cls.of(path, file_text(path, problems), problems)

    @classmethod
    def of(cls, path: Path, text: str | None, problems: list[Problem]) -> Document:
        """The same for the `text` of a file, None for one whose problem is known."""
        document = cls(path, None, problems)
        if text is None:
            document.readable = False
            return document
        document._lines = text.split("\n")
        try:
            document.root = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            document.readable = False
            document._unreadable(error)
        except yaml.reader.ReaderError as error:
            document.readable = False
            line = text.count("\n", 0, error.position) + 1
            document._at(line, 1, 1, "a character stands here that cannot be shown", "write this line anew")
        return document

    def _unreadable(self, error: yaml.MarkedYAMLError) -> None:
        """Tell of what is no YAML, at the place that is wrong rather than where reading ended."""
        begun, ended = error.context_mark, error.problem_mark
        context, problem = error.context or "", error.problem or ""
        fault = next((fault for fault in _FAULTS if fault.part in problem or fault.part in context), _UNCLEAR)
        mark = begun if begun is not None and (fault.at_its_beginning or ended is None) else ended
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        self._at(line, column, 1, fault.message, fault.advice)

    def wrong_file(self, message: str, advice: str) -> None:
        """Add a problem of the whole file."""
        self._at(1, 1, 1, message, advice)

    def wrong(self, node: Node, message: str, advice: str | None = None) -> None:
        """Add a problem at a node."""
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        self._at(start.line + 1, start.column + 1, max(length, 1), message, advice)

    def _at(self, line: int, column: int, length: int, message: str, advice: str | None = None) -> None:
        shown = self._lines[line - 1] if line <= len(self._lines) else ""
        shown = _PROOF.sub(lambda found: found[1] + "*" * len(found[2]), shown)
        self._problems.append(Problem(str(self.path), line, column, length, message, shown, advice))

    def text(self, node: Node, what: str) -> str | None:
        """A scalar as it is written; None, and a problem, when it is empty or no scalar."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{what} is a text, not a list or a mapping")
            return None
        if node.tag == _NULL or not node.value:
            self.wrong(node, f"{what} is empty", "write it behind the colon, or leave the line out")
            return None
        return str(node.value)

    def entries(self, node: Node | None, what: str) -> list[tuple[str, Node, Node]]:
        """A mapping as (key, key's node, value's node); keys written twice and other shapes are problems."""
        if node is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"`name: value` is wanted for {what}", _as_an_entry(node))
            return []
        return list(self._told_apart(node.value))

    def rows(self, what: str) -> Iterator[tuple[str, Node, Node]]:
        """The file's own entries, to be had once: each is let go of behind it, for all at once take as long as T1."""
        if isinstance(self.root, yaml.MappingNode):
            yield from self._told_apart(_taken_out(self.root.value))
        else:
            self.entries(self.root, what)

    def _told_apart(self, pairs: Iterable[tuple[Node, Node]]) -> Iterator[tuple[str, Node, Node]]:
        found: dict[str, int] = {}
        for key_node, value in pairs:
            key = self.text(key_node, "a name")
            if key is None:
                continue
            if key in found:
                self.wrong(key_node, f"`{key}` stands here twice", f"first in line {found[key]}")
                continue
            found[key] = self.line_of(key_node)
            yield key, key_node, value

    def items(self, node: Node | None, what: str) -> list[Node]:
        """The nodes of a list; another shape is a problem."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{what} is a list", "write `- ` and one of it a line")
            return []
        return list(node.value)

    def is_mapping(self, node: Node) -> bool:
        """Whether this has entries."""
        return isinstance(node, yaml.MappingNode)

    def line_of(self, node: Node) -> int:
        """The line on which a node begins, from 1."""
        return int(node.start_mark.line) + 1


def _taken_out(pairs: list[tuple[Node, Node]]) -> Iterator[tuple[Node, Node]]:
    pairs.reverse()
    while pairs:
        yield pairs.pop()


def _as_an_entry(node: Node) -> str:
    """How a text that should be an entry is one."""
    if isinstance(node, yaml.SequenceNode):
        return "leave out `- `, and end each name with a colon"
    entry = _ENTRY(str(node.value))
    return f"write `{entry[1]}: ...`" if entry else _COLON
