"""The tables that are kept, and the way through them: what Lark itself makes of the same script."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lark import Lark, Token, Tree

from dsl import grammar_tables, language, tree
from dsl.build import node, script
from dsl.grammar_tables import GRAMMAR
from dsl.parser import parse
from dsl.reading import Reading
from dsl.tree import Span

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted([*ROOT.glob("examples/**/*.route"), *Path(__file__).with_name("language").glob("*.route")])


@functools.cache
def lark() -> Lark:
    return Lark(GRAMMAR.read_text(), parser="lalr", lexer="contextual", propagate_positions=True)


def by_lark(text: str) -> tree.Script:
    def built(parsed: Any) -> Any:
        if not isinstance(parsed, Tree):
            return None if parsed is None else str(parsed)
        place = parsed.meta
        span = Span("x.route", place.line, place.column, place.end_line, place.end_column)
        return node(parsed.data, span, [built(child) for child in parsed.children])

    return script([built(child) for child in lark().parse(text).children], "x.route", text)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_tables_lead_to_the_tree_that_lark_makes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert parse(text, "x.route") == by_lark(text)


def test_words_are_told_apart_as_lark_tells_them_apart() -> None:
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        reading, found = Reading(text), list[tuple[str, int]]()
        while (piece := reading.next()) is not None:
            reading.take(piece)
            found.append((piece.terminal, piece.start))
        interactive: Any = lark().parse_interactive(text)
        tokens: list[Token] = list(interactive.iter_parse())
        assert found == [(token.type, token.start_pos) for token in tokens]


def test_a_keyword_is_a_word_of_its_own_and_never_the_beginning_of_another() -> None:
    reading = Reading("policyx")
    with pytest.raises(Exception, match="0"):
        reading.next()


def test_tables_of_another_grammar_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grammar, tables = tmp_path / "grammar.lark", tmp_path / "grammar.json"
    grammar.write_text(GRAMMAR.read_text())
    monkeypatch.setattr(grammar_tables, "GRAMMAR", grammar)
    monkeypatch.setattr(grammar_tables, "TABLES", tables)
    assert grammar_tables.kept() is None
    grammar_tables.write()
    kept = grammar_tables.kept()
    assert kept is not None
    assert msgspec.json.decode(kept, type=language.Tables) == language.tables()
    grammar_tables.write()
    assert [path.name for path in tmp_path.iterdir()].count("grammar.json") == 1
    grammar.write_text(GRAMMAR.read_text() + "\n")
    assert grammar_tables.kept() is None


def test_the_tables_beside_the_grammar_are_those_of_the_grammar() -> None:
    assert grammar_tables.kept() is not None
