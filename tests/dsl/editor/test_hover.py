"""What is shown under a pointer."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.editor.hover import hover, kinds_of
from dsl.editor.reference import Row, rows, rows_of, told_of
from dsl.editor.view import View
from dsl.language import words
from tests.dsl.editor.written import FILES, OFFICE, USERS, found, view, write


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> View:
    return view(write(tmp_path_factory.mktemp("office")), OFFICE)


def shown(office: View, marked: str, text: str = OFFICE) -> str | None:
    what = hover(office, str(office.path), *found(text, marked))
    return None if what is None else what.text


def test_a_declared_name_shows_its_declaration(office: View) -> None:
    assert shown(office, "over |toll") == "a limit\n\n```route\nlimit   toll   = 40 per 1h for each caller\n```"
    assert shown(office, "e164(n) via p|stn for") == (
        '```route\ntrunk pstn {\n  uri      "sip:gw.carrier.example"\n  channels 30\n}\n```'.join(("a trunk\n\n", ""))
    )
    assert shown(office, "ring(|line") == "a row of table `dids`\n\ncolumns: `number`, `user`"
    assert shown(office, "dial |who") == "a parameter: a user"
    assert shown(office, "e164(|n) via pstn") == "what the pattern took of the number"


def test_a_long_declaration_is_cut_and_one_elsewhere_says_where(tmp_path: Path) -> None:
    more = "trunk far {\n" + "  # a comment\n" * 20 + '  uri "sip:far.example"\n}\n'
    path = write(tmp_path, FILES | {"more.route": more})
    text = OFFICE.replace("via out", "via far") + 'include "more.route"\n'
    told = shown(view(path, text), "via |far", text)
    assert told is not None
    assert told.splitlines()[-4:] == ["...", "```", "", "in `more.route`"]
    assert told.count("# a comment") == 11


def test_a_name_of_the_same_kind_declared_twice_shows_the_first(tmp_path: Path) -> None:
    path = write(tmp_path)
    text = OFFICE.replace("limit   toll", "limit   toll   = 1 at once\nlimit   toll")
    assert "1 at once" in (shown(view(path, text), "over |toll", text) or "")


def test_a_user_shows_where_they_stand_and_nothing_secret(office: View) -> None:
    told = shown(office, "= |alice, carol\ngroup   first")
    assert told is not None
    assert told.startswith("a user, in line 2 of `")
    assert told.endswith("users.yaml`\n\nextension: 201\n\nnumber: +4930123201\n\ndisplay: Alice\n\nalso has `mobile`")
    assert "wonderland" not in told
    assert (shown(office, "then |bob") or "").startswith("a user, in line 3 of `")
    assert "also has `mobile`" in (shown(office, 'user "|anna') or "")


def test_a_user_of_whom_nothing_is_known_is_a_user(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "users.yaml").unlink()
    assert shown(view(path, OFFICE), "then |bob") == "a user"
    (tmp_path / "users.yaml").write_text(USERS.replace("bob:\n  password: builder", "? bob\n: {password: builder}"))
    assert shown(view(path, OFFICE), "then |bob") == "a user"


def test_a_row_of_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "dids.csv").unlink()
    assert shown(view(path, OFFICE), "ring(|line") == "a row of table `dids`\n\ncolumns: unknown"
    text = OFFICE.replace("lookup dids", "lookup nothing")
    assert shown(view(path, text), "ring(|line", text) == "a row of table `nothing`\n\ncolumns: unknown"


@pytest.mark.parametrize(
    ("marked", "about"),
    [
        ("|over toll", "over LIMIT"),
        ("when not |authenticated           ", "authenticated"),
        ("do ring(|callee)", "callee"),
        ('reje|ct 403 "not you"', 'reject CODE "REASON"'),
        ("|channels 30", "channels N"),
        ("on |call", "call"),
        ("|on call", "on EVENT { RULES }"),
        ("on |hold", "hold"),
        ("20s |then", "then"),
        ("20s { |busy", "busy"),
        ("|for 20s then", "for TIME"),
        ("accept |max", "accept max N contacts expires TIME to TIME"),
        ("group   |first", None),
        ("in |turn = alice", "group NAME in turn = USER, USER"),
        ("in |turn = pstn", "trunks NAME in turn = TRUNK, TRUNK"),
        ("|otherwise                        -> do", "otherwise -> DECISION"),
        ("|call from", "call from USER to WHOM"),
        ("given out |begins", "given GROUP begins with MEMBER"),
        ("each |caller", "caller"),
        ("|mon-fri", None),
        ('"alice |rings"', None),
        ("|40 per", None),
    ],
)
def test_a_word_shows_its_row_of_the_reference(office: View, marked: str, about: str | None) -> None:
    told = shown(office, marked)
    if about is None:
        assert told is None or not told.startswith("**")
    else:
        assert told is not None
        assert told.startswith(f"**`{about}`")


def test_a_word_in_a_line_that_cannot_be_read_is_explained_too(tmp_path: Path) -> None:
    path = write(tmp_path)
    text = OFFICE.replace("when over toll  ", "when over toll failover $ ")
    assert (shown(view(path, text), "|failover", text) or "").startswith("**`failover CODE, CODE`**")


def test_every_word_of_the_grammar_is_explained() -> None:
    assert [word for word in words().values() if word[0].isalpha() and told_of(word) is None] == []


def test_a_row_is_told_without_links_and_with_what_each_column_is() -> None:
    page = """
| a | b | c |
|---|---|---|
| `x` | see [y](z.md) | |
| `w` | x | y |

| p | q | r | s |
|---|---|---|---|
| `p` | 1 | | 3 |
no table
| a | b |
|---|---|
| `u` | v |
"""
    first, second, wide, last = rows_of(page)
    assert first == Row("a", {"a": "`x`", "b": "see [y](z.md)", "c": ""}, 4)
    assert first.told == "**`x`**\n\nsee y"
    assert second.told == "**`w`**\n\nx\n\nc: y"
    assert wide.told == "**`p`**\n\nq: 1\n\ns: 3"
    assert last.told == "**`u`**\n\nv"
    assert (first.words, first.examples) == (["x"], [])


def test_each_table_of_the_reference_that_nodes_have_is_there(office: View) -> None:
    kinds = {row.kind for row in rows()}
    assert {kind for declaration in office.script.declarations for kind in kinds_of(declaration)} <= kinds
    assert kinds_of(office.script) == ()
