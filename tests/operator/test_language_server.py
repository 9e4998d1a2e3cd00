"""The language server as an editor has it: a process that is spoken with by standard input and output."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from b2bua.operator.main import main
from b2bua.operator.policy_file import check_policy
from tests.dsl.editor.written import FILES, USERS, found, write
from tests.dsl.editor.written import OFFICE as WITH_MUSIC

MUSIC = ('sound   jazz   = "jazz.wav"\n', "on hold { otherwise -> play jazz to held loop }\n")
OFFICE = WITH_MUSIC.replace(MUSIC[0], "").replace(MUSIC[1], "")

LONG = 10.0
"""Seconds after which an answer does not come any more."""

PROGRAM = "from b2bua.operator.main import main; main()"


class Editor:
    """An editor that has started the server, and what it was told of each file last. `folder` is what is worked on."""

    def __init__(self, client: LanguageClient, loop: asyncio.Runner) -> None:
        self.client = client
        self.loop = loop
        self.folder = Path()
        self.told: dict[str, list[types.Diagnostic]] = {}
        self.news = asyncio.Event()

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = list(params.diagnostics)
            self.news.set()

    def play(self, part: Coroutine[Any, Any, None]) -> None:
        """Go through something in time."""

        async def in_time() -> None:
            async with asyncio.timeout(LONG):
                await part

        self.loop.run(in_time())

    async def start(self) -> None:
        await self.client.start_io(sys.executable, "-c", PROGRAM, "language-server")
        await self.client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        self.client.initialized(types.InitializedParams())

    async def end(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        server = self.client._server
        assert server is not None and server.stderr is not None
        assert await server.stderr.read() == b""
        assert await server.wait() == 0
        await self.client.stop()

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def document(self, name: str = "office.route") -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    async def until(self, name: str, *messages: str) -> list[types.Diagnostic]:
        """Wait until this is what is told of a file, each without its hint."""
        while [_said(item).split("\n")[0] for item in self.told.get(self.uri(name), [])] != list(messages) or (
            self.uri(name) not in self.told
        ):
            self.news.clear()
            await self.news.wait()
        return self.told[self.uri(name)]

    def open(self, text: str, name: str = "office.route") -> None:
        item = types.TextDocumentItem(self.uri(name), "b2bua", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def write(self, text: str, name: str = "office.route") -> None:
        document = types.VersionedTextDocumentIdentifier(2, self.uri(name))
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self, name: str = "office.route") -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document(name)))


def _said(item: types.Diagnostic) -> str:
    assert isinstance(item.message, str)
    return item.message


@pytest.fixture(scope="module")
def started() -> Iterator[Editor]:
    with asyncio.Runner() as loop:
        editor = Editor(LanguageClient("editor", "1"), loop)
        editor.play(editor.start())
        yield editor
        editor.play(editor.end())


@pytest.fixture
def editor(started: Editor, tmp_path: Path) -> Editor:
    write(tmp_path, FILES | {"office.route": OFFICE})
    started.folder = tmp_path
    return started


def at(marked: str, text: str = OFFICE) -> types.Position:
    line, column = found(text, marked)
    return types.Position(line - 1, column - 1)


def test_what_is_wrong_is_told_as_check_tells_it_while_one_writes(editor: Editor) -> None:
    wrong = OFFICE.replace("over toll", "over tool").replace("dial who\n", "dial who for 20\n")
    write(editor.folder, {"checked.route": wrong})
    expected = check_policy(editor.folder / "checked.route").told

    async def play(here: Editor) -> None:
        here.open(wrong)
        told = await here.until("office.route", *(problem.message for problem in expected))
        assert [
            (item.range.start.line + 1, item.range.start.character + 1, item.range.end.character - 1, _said(item))
            for item in told
        ] == [
            (
                problem.line,
                problem.column,
                problem.column + problem.length - 2,
                "\n".join(filter(None, (problem.message, problem.advice))),
            )
            for problem in expected
        ]
        assert {item.severity for item in told} == {types.DiagnosticSeverity.Error}
        assert {item.source for item in told} == {"b2bua"}
        here.write(OFFICE)
        await here.until("office.route")
        twice = OFFICE.replace("limit   toll", "limit   toll   = 1 at once\nlimit   toll")
        here.write(twice)
        [told_twice] = await here.until("office.route", "`toll` is a limit already")
        assert told_twice.related_information is not None
        assert told_twice.related_information[0].location.range.start == types.Position(9, 8)
        assert (here.folder / "office.route").read_text() == OFFICE
        here.close()
        await here.until("office.route")

    editor.play(play(editor))


def test_what_is_wrong_in_other_files_is_told_there(editor: Editor) -> None:
    async def play(here: Editor) -> None:
        here.open(OFFICE + 'include "more.route"\n')
        await here.until("office.route", "`more.route` cannot be read: no such file or directory")
        (here.folder / "more.route").write_text("net more = 10.1.0.0/33\n")
        await here.until("office.route")
        await here.until("more.route", "`10.1.0.0/33` is no address or network")
        here.open("net more = 10.1.0.0/16\n", "more.route")
        await here.until("more.route")
        (here.folder / "users.yaml").write_text(USERS.replace("  password: builder", "  pasword: builder"))
        await here.until("users.yaml", "`bob` has neither `password` nor `digest`")
        here.open(USERS, "users.yaml")
        await here.until("users.yaml")

    editor.play(play(editor))


def test_questions_are_answered(editor: Editor) -> None:
    async def play(here: Editor) -> None:
        client, document = here.client, here.document()
        here.open(OFFICE)
        shown = await client.text_document_hover_async(types.HoverParams(document, at("over |toll")))
        assert shown is not None and isinstance(shown.contents, types.MarkupContent)
        assert shown.contents.value == "a limit\n\n```route\nlimit   toll   = 40 per 1h for each caller\n```"
        assert await client.text_document_hover_async(types.HoverParams(document, at("|40 per"))) is None
        there = await client.text_document_definition_async(types.DefinitionParams(document, at("then |bob")))
        assert list(there or ()) == [
            types.Location(here.uri("users.yaml"), types.Range(types.Position(2, 0), types.Position(2, 3)))
        ]
        context = types.ReferenceContext(include_declaration=True)
        uses = await client.text_document_references_async(types.ReferenceParams(context, document, at("as |line")))
        assert uses is not None
        assert [use.range.start for use in uses] == [at("as |line"), at("ring(|line")]
        context = types.ReferenceContext(include_declaration=False)
        uses = await client.text_document_references_async(types.ReferenceParams(context, document, at("as |line")))
        assert [use.range.start for use in uses or ()] == [at("ring(|line")]
        place = types.PrepareRenameParams(document, at("sub |ring"))
        assert await client.text_document_prepare_rename_async(place) == types.Range(at("sub |ring"), at("sub ring|"))
        changes = await client.text_document_rename_async(types.RenameParams(document, at("sub |ring"), "klingeln"))
        assert changes is not None and changes.changes is not None
        assert [edit.range.start for edit in changes.changes[here.uri("office.route")]] == [
            at("sub |ring"),
            at("do |ring(line"),
            at("do |ring(callee"),
        ]
        with pytest.raises(JsonRpcException, match=r"^`bob` is a user: phones log in by that name"):
            await client.text_document_rename_async(types.RenameParams(document, at("then |bob"), "rob"))
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        assert symbols is not None
        assert [symbol.name for symbol in symbols][-5:] == [
            "trunks out",
            "on register",
            "on call",
            "sub ring",
            "test alice rings",
        ]

    editor.play(play(editor))


def test_what_can_stand_there_is_offered_while_a_line_is_unfinished(editor: Editor) -> None:
    async def play(here: Editor) -> None:
        here.open(OFFICE)
        text = OFFICE.replace(
            "  when over toll  ", '  when dialed == "😀" -> dial e164(dialed) via ps\n  when over toll  '
        )
        here.write(text)
        line = text.split("\n").index('  when dialed == "😀" -> dial e164(dialed) via ps')
        # An emoji is two of the units in which editors count.
        end = types.Position(line, len('  when dialed == "😀" -> dial e164(dialed) via ps') + 1)
        offered = await here.client.text_document_completion_async(types.CompletionParams(here.document(), end))
        assert isinstance(offered, Sequence)
        assert [item.label for item in offered] == ["pstn", "backup", "out"]
        edit = offered[0].text_edit
        assert edit == types.TextEdit(types.Range(types.Position(line, end.character - 2), end), "pstn")

    editor.play(play(editor))


def test_a_script_is_put_into_the_one_style_unless_it_cannot_be_read(editor: Editor) -> None:
    async def play(here: Editor) -> None:
        options = types.FormattingOptions(2, True)
        asked = types.DocumentFormattingParams(here.document("own.route"), options)
        here.open('policy   "x"\ndomain x.example', "own.route")
        assert list(await here.client.text_document_formatting_async(asked) or ()) == [
            types.TextEdit(types.Range(types.Position(0, 0), types.Position(1, 16)), 'policy "x"\ndomain x.example\n')
        ]
        here.write('policy "x"\ndomain x.example\n', "own.route")
        assert list(await here.client.text_document_formatting_async(asked) or ()) == []
        here.write("policy policy", "own.route")
        assert await here.client.text_document_formatting_async(asked) is None

    editor.play(play(editor))


def test_what_is_no_file_is_left_alone(editor: Editor) -> None:
    async def play(here: Editor) -> None:
        item = types.TextDocumentItem("untitled:Untitled-1", "b2bua", 1, OFFICE)
        here.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        document = types.TextDocumentIdentifier(item.uri)
        nowhere = types.Position(0, 0)
        assert await here.client.text_document_hover_async(types.HoverParams(document, nowhere)) is None
        assert not await here.client.text_document_completion_async(types.CompletionParams(document, nowhere))
        context = types.ReferenceContext(include_declaration=True)
        assert not await here.client.text_document_references_async(types.ReferenceParams(context, document, nowhere))
        assert not await here.client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        options = types.FormattingOptions(2, True)
        formatting = types.DocumentFormattingParams(document, options)
        assert await here.client.text_document_formatting_async(formatting) is None
        here.client.text_document_did_close(types.DidCloseTextDocumentParams(document))
        here.open(OFFICE)
        beyond = types.Position(10_000, 10_000)
        assert await here.client.text_document_hover_async(types.HoverParams(here.document(), beyond)) is None

    editor.play(play(editor))


def test_where_it_is_not_installed_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["language-server"])
    assert (done.exit_code, done.stderr) == (
        1,
        "b2bua: the language server is not installed: pip install 'b2bua[editor]'\n",
    )
