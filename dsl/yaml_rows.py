"""The files that stand beside a script in YAML: read the short way where they can be, else the long one.

Owns which way that is, and what both can be asked. Leaves the plain form to `plain_yaml`, all of YAML and the place of
each mistake to `marked_yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dsl.diagnostics import Problem
from dsl.encoding import file_text
from dsl.plain_yaml import PlainYaml, UnplainError

Made = TypeVar("Made")


class Rows(Protocol):
    """A file: a Document, or the same in the plain form, each with nodes of its own kind.

    Its methods are as a Document has them.
    """

    @property
    def root(self) -> Any:
        """None for an empty file."""

    @property
    def readable(self) -> bool:
        """Whether it is YAML at all."""

    def rows(self, what: str) -> Iterator[tuple[str, Any, Any]]:
        """The file's own entries."""

    def entries(self, node: Any, what: str) -> Sequence[tuple[str, Any, Any]]:
        """A mapping as (key, key's node, value's node)."""

    def items(self, node: Any, what: str) -> Sequence[Any]:
        """The nodes of a list."""

    def text(self, node: Any, what: str) -> str | None:
        """A scalar as it is written."""

    def is_mapping(self, node: Any) -> bool:
        """Whether this has entries."""

    def line_of(self, node: Any) -> int:
        """The line on which a node begins, from 1."""

    def wrong(self, node: Any, message: str, advice: str | None = None) -> None:
        """Add a problem at a node."""

    def wrong_file(self, message: str, advice: str) -> None:
        """Add a problem of the whole file."""


def read_rows(path: Path, problems: list[Problem], make: Callable[[Rows], Made]) -> Made:
    """What `make` makes of a file: of its plain form, where it has that and nothing is wrong; else of the Document.

    Raises OSError when the file cannot be read.
    """
    text = file_text(path, problems)
    if text is not None:
        try:
            return make(PlainYaml(text))
        except UnplainError:
            pass
    # Loading all of YAML takes as long as checking a short script, which few files need.
    from dsl.marked_yaml import Document

    return make(Document.of(path, text, problems))
