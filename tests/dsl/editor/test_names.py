"""Where names were declared and are used, and what changes with another."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.diagnostics import Problem
from dsl.editor.names import CannotRenameError, definition, references, rename, renamed
from dsl.editor.view import View, inspect
from dsl.files import Files
from tests.dsl.editor.written import FILES, OFFICE, USERS, found, view, write


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> View:
    return view(write(tmp_path_factory.mktemp("office")), OFFICE)


def at(office: View, marked: str) -> tuple[View, str, int, int]:
    return office, str(office.path), *found(OFFICE, marked)


@pytest.mark.parametrize(
    ("used", "declared"),
    [
        ("e164(n) via p|stn for", "trunk |pstn"),
        ("via |out", "trunks |out"),
        ("= |pstn, backup", "trunk |pstn"),
        ("begins with p|stn", "trunk |pstn"),
        ("given |first", "group   |first"),
        ("over |toll", "limit   |toll"),
        ("within open| ", "hours   |open"),
        ("lookup |dids", "table   |dids"),
        ("play |jazz", "sound   |jazz"),
        ("dialed in |bad", "numbers |bad"),
        ("(|desk, bob)", "group   |desk"),
        ("line  -> do |ring", "sub |ring"),
        ("ring(|line", "as |line"),
        ("e164(|n) via pstn", "`9{|n"),
        ("dial |who", "ring(|who"),
        ('"{|who.mobile', "ring(|who"),
        ("trunk |pstn", "trunk |pstn"),
    ],
)
def test_a_name_leads_to_where_it_was_declared(office: View, used: str, declared: str) -> None:
    span = definition(*at(office, used))
    assert span is not None
    assert (span.line, span.column) == found(OFFICE, declared)


@pytest.mark.parametrize(
    ("used", "declared"),
    [
        ("= |alice, carol\ngroup   first", "|alice:"),
        ("then |bob", "|bob:"),
        ("with |carol", '"|carol"'),
        ('user "|anna.m"', "|anna.m:"),
    ],
)
def test_a_user_leads_to_the_users_file(office: View, used: str, declared: str) -> None:
    span = definition(*at(office, used))
    assert span is not None
    assert Path(span.file).name == "users.yaml"
    assert (span.line, span.column) == found(USERS, declared)


@pytest.mark.parametrize("name", ["users.yaml", "dids.csv", "jazz.wav", "bad.txt", "holidays.yaml"])
def test_a_file_is_found_by_its_name(office: View, name: str) -> None:
    span = definition(*at(office, f'"{name[:2]}|{name[2:]}"'))
    assert span is not None
    assert (span.file, span.line) == (str(office.path.parent / name), 1)


def test_an_included_file_is_found_too(tmp_path: Path) -> None:
    path = write(tmp_path, FILES | {"rules/more.route": 'include "../nets.route"\n', "nets.route": ""})
    text = OFFICE + 'include "rules/more.route"\n'
    there = definition(view(path, text), str(path), *found(text, 'include "|rules'))
    assert there is not None and there.file == str(tmp_path / "rules" / "more.route")
    file = str(tmp_path / "rules" / "more.route")
    there = definition(view(path, text), file, 1, 12)
    assert there is not None and Path(there.file).resolve() == tmp_path / "nets.route"


@pytest.mark.parametrize(
    "marked", ["|policy", "when not |authenticated           ", 'reject 403 "not |you"', "do ring(|callee)"]
)
def test_what_was_declared_nowhere_leads_nowhere(office: View, marked: str) -> None:
    assert definition(*at(office, marked)) is None
    assert references(*at(office, marked)) == []


@pytest.mark.parametrize(
    ("marked", "lines"),
    [
        ("trunk |pstn", [16, 21, 29, 32, 49]),
        ("ring(|who", [39, 40, 40, 41, 42]),
        ("e164(|n) via out", [33, 33]),
        ("as |line", [31, 31]),
        ("then |bob", [32, 34, 50, 51]),
        ('user "|anna', [40]),
    ],
)
def test_all_uses_of_a_name_are_found(office: View, marked: str, lines: list[int]) -> None:
    assert sorted(span.line for span in references(*at(office, marked))) == lines


def office_told(office: View) -> list[Problem]:
    return inspect(office.path, Files({office.path: OFFICE})).told


def changed(text: str, places: list[tuple[int, int, int]], new: str) -> str:
    lines = text.split("\n")
    for line, begins, ends in sorted(places, reverse=True):
        lines[line - 1] = lines[line - 1][: begins - 1] + new + lines[line - 1][ends - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("marked", "old"),
    [
        ("trunk |pstn", "pstn"),
        ("over |toll", "toll"),
        ("sub |ring", "ring"),
        ("ring(|who", "who"),
        ("as |line", "line"),
        ("group   |desk", "desk"),
        ("`9{|n", "n"),
        ("staff|  from", "staff"),
    ],
)
def test_what_is_renamed_means_the_same(office: View, marked: str, old: str) -> None:
    span = renamed(*at(office, marked))
    assert office.written(span) == old
    spans = rename(*at(office, marked), "brand_new")
    text = changed(OFFICE, [(span.line, span.column, span.end_column) for span in spans], "brand_new")
    assert text.count("brand_new") == len(spans)
    again = inspect(office.path, Files({office.path: text}))
    assert [problem.message for problem in again.told] == [problem.message for problem in office_told(office)]
    assert len(again.view.names.meanings) == len(office.names.meanings)


@pytest.mark.parametrize(
    ("marked", "new", "why"),
    [
        ("trunk |pstn", "2nd", "`2nd` is no name: it begins with a letter, then come letters, digits, `_` and `-`"),
        (
            "`9{|n",
            "New",
            "`New` cannot be the name of a capture: write lower-case letters, digits and `_`",
        ),
        ("trunk |pstn", "dial", "`dial` is a word of the language"),
        ("trunk |pstn", "dialed", "`dialed` is a fact already"),
        ("trunk |pstn", "alice", "`alice` is a user already"),
        ("trunk |pstn", "toll", "`toll` is a limit already, in line 11"),
        ("trunk |pstn", "who", "`who` is a parameter already, in line 39"),
        (
            "then |bob",
            "rob",
            "`bob` is a user: phones log in by that name, so give them another in the users file first",
        ),
        ("do ring(|callee)", "x", "`callee` is a fact, and keeps its name"),
        ("|policy", "x", "here stands no name that this policy declares"),
    ],
)
def test_what_cannot_be_renamed_says_why(office: View, marked: str, new: str, why: str) -> None:
    with pytest.raises(CannotRenameError) as refused:
        rename(*at(office, marked), new)
    assert str(refused.value) == why


def test_nothing_is_renamed_while_a_line_cannot_be_read(office: View) -> None:
    text = OFFICE.replace("on hold {", "on on hold {")
    with pytest.raises(CannotRenameError, match=r"^line 45 of `.*office.route` cannot be read: mend that first$"):
        rename(view(office.path, text), str(office.path), *found(text, "trunk |pstn"), "x")


def test_a_user_without_a_users_file_is_nowhere(tmp_path: Path) -> None:
    path = write(tmp_path, FILES | {"users.yaml": "{alice: {password: x}}\n"})
    assert definition(view(path, OFFICE), str(path), *found(OFFICE, "then |bob")) is None
    (tmp_path / "users.yaml").unlink()
    assert definition(view(path, OFFICE), str(path), *found(OFFICE, "then |bob")) is None
    (tmp_path / "users.yaml").write_bytes(b"\xff")
    assert definition(view(path, OFFICE), str(path), *found(OFFICE, "then |bob")) is None
