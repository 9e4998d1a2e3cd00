"""A YAML file read as text with places, so that everything wrong in it can be shown where it stands.

Owns reading and the plainest shapes: a mapping of texts, a list of texts, a text as it was written
(`0123` stays `0123`, `yes` stays `yes`). What the texts must say is for `users`, `secrets_file`, `tables`
and `hours`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import yaml

from dsl.diagnostics import Problem

Node: TypeAlias = yaml.Node

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"


class Document:
    """One file's root node (None when it is empty or unreadable) and the list that takes its problems."""

    def __init__(self, path: Path, root: Node | None, problems: list[Problem]) -> None:
        self.path = path
        self.root = root
        self._problems = problems
        self._lines: list[str] = []

    @classmethod
    def read(cls, path: Path, problems: list[Problem]) -> Document:
        """Read a file; a syntax error becomes a problem. Raises OSError when the file cannot be read."""
        document = cls(path, None, problems)
        try:
            text = path.read_bytes().decode("utf-8-sig")
            document._lines = text.split("\n")
            document.root = yaml.compose(text, Loader=_LOADER)
        except UnicodeDecodeError as error:
            document._at(1, 1, 1, f"byte {error.start} is not UTF-8", "save the file as UTF-8")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            document._at(line, column, 1, error.problem or "this is no YAML")
        except yaml.YAMLError as error:
            document._at(1, 1, 1, str(error).partition("\n")[0])
        return document

    def wrong(self, node: Node, message: str, advice: str | None = None) -> None:
        """Add a problem at a node."""
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        self._at(start.line + 1, start.column + 1, max(length, 1), message, advice)

    def _at(self, line: int, column: int, length: int, message: str, advice: str | None = None) -> None:
        shown = self._lines[line - 1] if line <= len(self._lines) else ""
        self._problems.append(Problem(str(self.path), line, column, length, message, shown, advice))

    def text(self, node: Node, what: str) -> str | None:
        """A scalar as it is written; None, and a problem, when it is empty or no scalar."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{what} is a text, not a list or a mapping")
            return None
        if node.tag == _NULL or not node.value:
            self.wrong(node, f"{what} is empty")
            return None
        return str(node.value)

    def entries(self, node: Node | None, what: str) -> list[tuple[str, Node, Node]]:
        """A mapping as (key, key's node, value's node); keys written twice and other shapes are problems."""
        if node is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} is a mapping, `name: value`")
            return []
        found: dict[str, tuple[str, Node, Node]] = {}
        for key_node, value in node.value:
            key = self.text(key_node, "a name")
            if key is None:
                continue
            if key in found:
                self.wrong(key_node, f"`{key}` stands here twice", f"first in line {line_of(found[key][1])}")
                continue
            found[key] = (key, key_node, value)
        return list(found.values())

    def items(self, node: Node | None, what: str) -> list[Node]:
        """The nodes of a list; another shape is a problem."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{what} is a list, one `- item` a line")
            return []
        return list(node.value)


def line_of(node: Node) -> int:
    """The line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1
