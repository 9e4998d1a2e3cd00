"""`b2bua language-server`: what an editor asks while somebody writes policies, on standard input and output.

Owns the answers' form in the Language Server Protocol. Documents and positions are `open_documents`'; what is right,
wrong and meant is `dsl.editor`'s. It runs in a process of its own, on asyncio, as pygls does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import json_rpc

from b2bua.operator.open_documents import Documents, path_of
from dsl.diagnostics import PolicyError
from dsl.editor import names
from dsl.editor.completing import complete
from dsl.editor.hover import hover
from dsl.editor.outline import outline
from dsl.fmt import formatted
from dsl.resolve import Kind
from dsl.tree import Span

_COMPLETED = {
    "word": types.CompletionItemKind.Keyword,
    "attribute": types.CompletionItemKind.Field,
    "choice": types.CompletionItemKind.EnumMember,
    Kind.SUB: types.CompletionItemKind.Function,
    Kind.USER: types.CompletionItemKind.Constant,
}
"""What is no variable."""

_SAYS_LITTLE = ("word", "choice")

_OUTLINED = {
    "on": types.SymbolKind.Event,
    "sub": types.SymbolKind.Function,
    "test": types.SymbolKind.Method,
    "table": types.SymbolKind.Array,
    "trunk": types.SymbolKind.Interface,
    "trunks": types.SymbolKind.Interface,
}

# What an editor sends


def _initialized(ls: Documents, params: types.InitializedParams) -> None:
    ls.checking = asyncio.create_task(ls.keep_checked())
    # What it fails with is an error of ours, and told where the editor keeps such.
    ls.checking.add_done_callback(lambda task: None if task.cancelled() else task.result())


def _shutdown(ls: Documents, params: None) -> None:
    if ls.checking is not None:
        ls.checking.cancel()


def _opened(ls: Documents, params: types.DidOpenTextDocumentParams) -> None:
    ls.open(params.text_document.uri, params.text_document.text)


def _changed(ls: Documents, params: types.DidChangeTextDocumentParams) -> None:
    # The whole text is sent, as was asked for.
    ls.open(params.text_document.uri, params.content_changes[-1].text)


def _closed(ls: Documents, params: types.DidCloseTextDocumentParams) -> None:
    ls.close(params.text_document.uri)


def _hover(ls: Documents, params: types.HoverParams) -> types.Hover | None:
    for place in ls.asked(params):
        if (shown := hover(*place)) is not None:
            content = types.MarkupContent(types.MarkupKind.Markdown, shown.text)
            return types.Hover(content, ls.location(shown.span).range)
    return None


def _definition(ls: Documents, params: types.DefinitionParams) -> list[types.Location]:
    found = (names.definition(*place) for place in ls.asked(params))
    return _once(ls.location(span) for span in found if span is not None)


def _references(ls: Documents, params: types.ReferenceParams) -> list[types.Location]:
    path = path_of(params.text_document.uri)
    found = [] if path is None else ls.policies.references(path, *ls.place(path, params.position))
    uses = _once(ls.location(span) for span in found)
    if params.context.include_declaration:
        return uses
    declared = _definition(ls, types.DefinitionParams(params.text_document, params.position))
    return [use for use in uses if use not in declared]


def _once(locations: Iterable[types.Location]) -> list[types.Location]:
    found: list[types.Location] = []
    for location in locations:
        if location not in found:
            found.append(location)
    return found


def _prepare_rename(ls: Documents, params: types.PrepareRenameParams) -> types.Range | None:
    with _refused():
        for place in ls.asked(params):
            return ls.location(names.renamed(*place)).range
    return None


def _rename(ls: Documents, params: types.RenameParams) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    path = path_of(params.text_document.uri)
    if path is not None:
        with _refused():
            found = ls.policies.rename(path, *ls.place(path, params.position), params.new_name)
        for span in found:
            where = ls.location(span)
            changes.setdefault(where.uri, []).append(types.TextEdit(where.range, params.new_name))
    return types.WorkspaceEdit(changes)


@contextmanager
def _refused() -> Iterator[None]:
    """Let the editor show why a name stays."""
    try:
        yield
    except names.CannotRenameError as error:
        raise _RefusedError(str(error), types.LSPErrorCodes.RequestFailed.value) from None


class _RefusedError(JsonRpcException):
    """What was asked for is not done; the message says why."""


def _is_a_fault(record: logging.LogRecord) -> bool:
    """Whether this belongs into the editor's log: a refusal was told where it was asked for."""
    return not (record.exc_info and isinstance(record.exc_info[1], _RefusedError))


def _completion(ls: Documents, params: types.CompletionParams) -> list[types.CompletionItem]:
    for place in ls.asked(params):
        _, file, line, column = place
        found = complete(*place)
        written = ls.location(Span(file, line, column - found.length, line, column)).range
        return [
            types.CompletionItem(
                item.text,
                kind=_COMPLETED.get(item.kind, types.CompletionItemKind.Variable),
                detail=None if item.kind in _SAYS_LITTLE else item.kind,
                documentation=types.MarkupContent(types.MarkupKind.Markdown, item.about) if item.about else None,
                sort_text=f"{number:04}",
                text_edit=types.TextEdit(written, item.text),
            )
            for number, item in enumerate(found.items)
        ]
    return []


def _symbols(ls: Documents, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    path = path_of(params.text_document.uri)
    if path is None:
        return []
    for view in ls.policies.views(path):
        return [
            types.DocumentSymbol(
                entry.name,
                _OUTLINED.get(entry.kind, types.SymbolKind.Constant),
                ls.location(entry.span).range,
                ls.location(entry.selected).range,
            )
            for entry in outline(view, view.called(path) or "")
        ]
    return []


def _formatting(ls: Documents, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    """The whole text in the one style; nothing for one that cannot be read, of which the editor was told."""
    path = path_of(params.text_document.uri)
    if path is None:
        return None
    text = ls.policies.text(path)
    try:
        made = formatted(text, str(path))
    except PolicyError:
        return None
    if made == text:
        return []
    return [types.TextEdit(ls.all_of(path), made)]


_ANSWERS: tuple[tuple[str, Callable[..., Any], Any], ...] = (
    (types.INITIALIZED, _initialized, None),
    (types.SHUTDOWN, _shutdown, None),
    (types.TEXT_DOCUMENT_DID_OPEN, _opened, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, _changed, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, _closed, None),
    (types.TEXT_DOCUMENT_HOVER, _hover, None),
    (types.TEXT_DOCUMENT_DEFINITION, _definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, _references, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, _prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, _rename, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_COMPLETION, _completion, types.CompletionOptions(trigger_characters=["."])),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _symbols, None),
    (types.TEXT_DOCUMENT_FORMATTING, _formatting, None),
)


def serve() -> None:
    """Answer an editor until it ends, or leaves."""
    logging.getLogger(json_rpc.__name__).addFilter(_is_a_fault)
    documents = Documents()
    for method, answer, options in _ANSWERS:
        documents.feature(method, options)(answer)
    documents.start_io()
