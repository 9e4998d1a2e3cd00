"""The documents that an editor has open: what it is told of them, and positions in the protocol's terms.

Owns when they are checked, and what is published. Positions of the protocol count from 0 and in units of its own, those
of the language from 1 and in characters. What is wrong is `dsl.editor`'s to find.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from b2bua import __version__
from dsl.diagnostics import Problem
from dsl.editor.policies import Policies, look
from dsl.editor.view import View, plain
from dsl.tree import Span

_PAUSE = 0.15
"""Seconds without a change after which what was written is checked."""

_LOOK_AGAIN = 1.0
"""Seconds after which files on the disk are looked at: users, tables, and scripts that are not open."""

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "notice": types.DiagnosticSeverity.Information,
}


class Documents(LanguageServer):
    """The policies that are open in one editor, and what it was told of them."""

    def __init__(self) -> None:
        super().__init__("b2bua", __version__, types.TextDocumentSyncKind.Full)
        self.policies = Policies()
        self.written = asyncio.Event()
        self.checking: asyncio.Task[None] | None = None
        self._uris: dict[Path, str] = {}
        self._published: set[Path] = set()

    def open(self, uri: str, text: str) -> None:
        """A document is open with this text; one that is no file of this machine is left alone."""
        if (path := path_of(uri)) is not None:
            self._uris[path] = uri
            self.policies.write(path, text)
            self.written.set()

    def close(self, uri: str) -> None:
        """A document is open no more."""
        if (path := path_of(uri)) is not None:
            self.policies.close(path)
            self.written.set()

    async def keep_checked(self) -> None:
        """Check what is open whenever something was written, and when a file has changed on the disk."""
        while True:
            if not await self._within(_LOOK_AGAIN) and not self.policies.looked.is_old:
                continue
            while self.written.is_set():
                self.written.clear()
                await self._within(_PAUSE)
            looked = await asyncio.to_thread(look, dict(self.policies.unsaved))
            if not self.written.is_set():
                self.policies.take(looked)
                self._publish(looked.problems)
                self._uris = {path: uri for path, uri in self._uris.items() if path in self.policies.unsaved}

    async def _within(self, seconds: float) -> bool:
        """Whether something is written within this time."""
        try:
            await asyncio.wait_for(self.written.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _publish(self, problems: dict[Path, list[Problem]]) -> None:
        """Tell the editor what is wrong in each file, and that nothing is any more."""
        for path in sorted(self._published | problems.keys()):
            told = [self._diagnostic(path, problem) for problem in problems.get(path, [])]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self._uri(path), told))
        self._published = {path for path, found in problems.items() if found}

    def _diagnostic(self, path: Path, problem: Problem) -> types.Diagnostic:
        end = problem.column + problem.length
        span = Span(problem.file, problem.line, problem.column, problem.line, end)
        advice = "" if problem.advice is None else f"\n{problem.advice}"
        related = None
        if problem.related is not None:
            *file, line, column = problem.related.rsplit(":", 2)
            there = Span(file[0] if file else problem.file, int(line), int(column), int(line), int(column) + 1)
            related = [types.DiagnosticRelatedInformation(self.location(there), "see here")]
        return types.Diagnostic(
            self.location(span).range,
            f"{problem.message}{advice}",
            _SEVERITIES[problem.severity],
            source="b2bua",
            related_information=related,
        )

    def _uri(self, path: Path) -> str:
        """How the editor calls a file."""
        return self._uris.get(path, path.as_uri())

    # Positions

    def location(self, span: Span) -> types.Location:
        """A place in the protocol's terms."""
        path = plain(span.file)
        lines = self._lines(path)
        begins = self._position(lines, span.line, span.column)
        return types.Location(
            self._uri(path), types.Range(begins, self._position(lines, span.end_line, span.end_column))
        )

    def all_of(self, path: Path) -> types.Range:
        """All of a file's text."""
        lines = self._lines(path)
        return types.Range(types.Position(0, 0), self._position(lines, len(lines), len(lines[-1]) + 1))

    def _lines(self, path: Path) -> list[str]:
        return _lines(self.policies.text(path))

    def _position(self, lines: list[str], line: int, column: int) -> types.Position:
        written = lines[line - 1] if line <= len(lines) else ""
        return types.Position(line - 1, self._units(written[: column - 1]))

    def _units(self, text: str) -> int:
        """How long a text is, as this editor counts."""
        units: int = self.workspace.position_codec.client_num_units(text)
        return units

    def place(self, path: Path, position: types.Position) -> tuple[int, int]:
        """A position of the protocol as line and column, from 1."""
        lines = self._lines(path)
        written = lines[position.line] if position.line < len(lines) else ""
        column = 1
        while column <= len(written) and self._units(written[:column]) <= position.character:
            column += 1
        return min(position.line + 1, len(lines)), column

    def asked(self, params: Any) -> Iterator[tuple[View, str, int, int]]:
        """A position in a document, in each policy that has it."""
        path = path_of(params.text_document.uri)
        if path is not None:
            for view in self.policies.views(path):
                yield view, view.called(path) or "", *self.place(path, params.position)


def path_of(uri: str) -> Path | None:
    """The file of a document; None for one that is no file of this machine."""
    parts = urlsplit(uri)
    return plain(unquote(parts.path)) if parts.scheme == "file" and parts.path else None


def _lines(text: str) -> list[str]:
    """The lines of a text as the protocol counts them."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
