"""The text of a users file with one account more, or less, or with another proof of who it is.

Owns editing by place: comments, order, quotes and line ends of all that is not touched stay as they are. Leaves what a
users file may say to `dsl.users`, and reading and writing the file to `accounts_changed`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from dsl.diagnostics import PolicyError, Problem
from dsl.marked_yaml import Document, Node

PROOFS = ("password", "digest")
_INDENT = 2


def digests(name: str, realm: str, password: str) -> dict[str, str]:
    """HA1 by algorithm (RFC 7616 3.4.2), as a users file has them: what takes the place of a password."""
    secret = f"{name}:{realm}:{password}".encode()
    return {
        "md5": hashlib.md5(secret, usedforsecurity=False).hexdigest(),
        "sha-256": hashlib.sha256(secret).hexdigest(),
    }


class UsersText:
    """One file's text. All that changes it gives the new text, and raises PolicyError where that cannot be done."""

    def __init__(self, path: Path, text: str) -> None:
        """Raises PolicyError for what is no YAML."""
        self._path = path
        self._text = text
        problems: list[Problem] = []
        self._document = Document.of(path, text, problems)
        root = self._document.root
        self._entries = {key: (node, value) for key, node, value in self._document.entries(root, "a users file")}
        if problems:
            raise PolicyError(problems)
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._end = "\r\n" if "\r\n" in text else "\n"

    @property
    def names(self) -> tuple[str, ...]:
        """Whose accounts these are, in the file's order."""
        return tuple(self._entries)

    def line_of(self, name: str) -> int:
        """The line in which an account begins, from 1."""
        return self._document.line_of(self._entries[name][0])

    def added(self, name: str, proof: Mapping[str, str], facts: Mapping[str, str]) -> str:
        """The same with another account at its end. `facts` are an extension and the like."""
        self._in_lines()
        indent = " " * self._indent()
        lines = [f"{name}:", f"{indent}digest: {_flow(proof)}"]
        lines += [f"{indent}{fact}: {json.dumps(value, ensure_ascii=False)}" for fact, value in facts.items()]
        before = self._text
        if before and not before.endswith("\n"):
            before += self._end
        return before + "".join(line + self._end for line in lines)

    def proven(self, name: str, proof: Mapping[str, str]) -> str:
        """The same with these digests in place of an account's password, or its digests."""
        _, account = self._entries[name]
        if not isinstance(account, yaml.MappingNode):
            raise PolicyError([self._problem(account, "an account has entries", "write `password: ...` first")])
        for key, value in account.value:
            if key.value in PROOFS:
                start, end = self._at(key.start_mark), max(map(self._at, _ends(value)))
                return f"{self._text[:start]}digest: {_flow(proof)}{self._text[end:]}"
        raise PolicyError([self._problem(account, f"`{name}` has neither `password` nor `digest`", "add one of them")])

    def removed(self, name: str) -> str:
        """The same without an account. The comments above it stay."""
        self._in_lines()
        node, account = self._entries[name]
        first = node.start_mark.line
        last = max(mark.line for mark in _ends(account))
        return self._text[: self._starts[first]] + self._text[self._starts[last + 1] :]

    def _in_lines(self) -> None:
        """Raises PolicyError where accounts do not have lines of their own, so that none can be put in or taken out."""
        root = self._document.root
        if isinstance(root, yaml.MappingNode) and root.flow_style:
            raise PolicyError([self._problem(root, "accounts stand in braces here", "write each in lines of its own")])

    def _indent(self) -> int:
        """How far entries stand from their account's name, as the first that has any in lines of its own shows it."""
        for node, account in self._entries.values():
            if isinstance(account, yaml.MappingNode) and not account.flow_style:
                return max(1, int(account.start_mark.column - node.start_mark.column))
        return _INDENT

    def _problem(self, node: Node, message: str, advice: str) -> Problem:
        mark = node.start_mark
        return Problem(str(self._path), mark.line + 1, mark.column + 1, 1, message, advice=advice)

    def _at(self, mark: yaml.Mark) -> int:
        return self._starts[mark.line] + int(mark.column)


def _flow(proof: Mapping[str, str]) -> str:
    # Quoted, since a digest of digits alone, or with one `e` among them, would be a number to other programs.
    return "{" + ", ".join(f'{algorithm}: "{digest}"' for algorithm, digest in proof.items()) + "}"


def _ends(node: Node) -> Iterator[yaml.Mark]:
    """Where everything in it ends: of a block itself YAML says only where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            yield from _ends(key)
            yield from _ends(value)
    else:
        yield node.end_mark
