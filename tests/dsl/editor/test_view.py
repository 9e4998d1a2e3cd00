"""A policy while somebody writes: what is wrong is what `check` says, and damage hides nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2bua.operator.policy_file import check_policy
from dsl.editor.completing import complete
from dsl.editor.hover import hover
from dsl.editor.outline import outline
from dsl.editor.view import alone, inspect
from dsl.files import Files
from tests.dsl.editor.written import FILES, OFFICE, view, write
from tests.dsl.mistakes.test_mistakes import GALLERY, MISTAKES


@pytest.mark.parametrize("name", MISTAKES[::4])
def test_what_is_told_is_what_check_tells(name: str) -> None:
    assert inspect(GALLERY / name, Files()).told == check_policy(GALLERY / name).told


def test_what_is_not_saved_counts(tmp_path: Path) -> None:
    path = write(tmp_path)
    before = inspect(path, Files()).told
    assert any("jazz.wav" in problem.message for problem in before)
    users = (tmp_path / "users.yaml").read_text().replace("bob:", "rob:")
    unsaved = {path: OFFICE.replace("jazz.wav", "music.wav"), tmp_path / "users.yaml": users}
    told = [(Path(problem.file).name, problem.message) for problem in inspect(path, Files(unsaved)).told]
    assert ("office.route", "there is no user `bob`") in told
    assert any("music.wav" in message for _, message in told)
    assert inspect(path, Files()).told == before


def test_what_stands_on_other_lines_than_the_damage_is_there(tmp_path: Path) -> None:
    path = write(tmp_path)
    text = OFFICE.replace("limit   toll   = 40 per", "limit   toll   = per")
    damaged = view(path, text)
    assert [problem.line for problem in damaged.damaged] == [11]
    assert "toll" not in damaged.names.declared
    assert damaged.names.declared.keys() >= {"desk", "pstn", "ring", "dids"}
    assert [entry.name for entry in outline(damaged, str(path))] == [
        *("users staff", "group desk", "group first", "net office", "sound jazz", "hours open", "table dids"),
        *("numbers bad", "numbers vips", "trunk pstn", "trunk backup", "trunks out", "on register", "on call"),
        *("sub ring", "on hold", "test alice rings"),
    ]


def test_what_is_included_stands_in_its_own_file(tmp_path: Path) -> None:
    path = write(tmp_path, FILES | {"more.route": "net more = 10.1.0.0/16\n"})
    seen = view(path, OFFICE + 'include "more.route"\n')
    more = str(tmp_path / "more.route")
    assert seen.called(tmp_path / "more.route") == more
    assert seen.called(tmp_path / "users.yaml") is None
    assert seen.text("nothing") is None
    [entry] = outline(seen, more)
    assert (entry.kind, entry.name, entry.selected.column) == ("net", "net more", 5)


def test_a_script_that_is_no_policy_is_told_of_its_syntax_alone(tmp_path: Path) -> None:
    path = tmp_path / "part.route"
    right, wrong = "trunk x { }\n", "trunk x { uri"
    assert alone(path, Files({path: right})).told == []
    assert [problem.line for problem in alone(path, Files({path: wrong})).told] == [1]


def test_of_what_is_too_damaged_nothing_is_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    noise = "".join(f"noise {number}\n" for number in range(60))
    seen = view(path, f"{noise}{OFFICE}on busy {{ when ")
    assert seen.script.declarations == ()
    assert len(seen.damaged) == 50
    assert complete(seen, str(path), seen.script.span.end_line, 16).items == []


@pytest.mark.parametrize("step", range(3))
def test_nothing_that_is_half_written_is_too_much(tmp_path: Path, step: int) -> None:
    path = write(tmp_path)
    for end in range(step * 14, len(OFFICE), 42):
        text = OFFICE[:end]
        seen = inspect(path, Files({path: text})).view
        line = text.count("\n") + 1
        column = end - text.rfind("\n")
        complete(seen, str(path), line, column)
        hover(seen, str(path), line, column)
        outline(seen, str(path))


@pytest.mark.parametrize("text", ["", "\n", "{", "}", '"', "policy", "on call {", "\0", "é" * 3, "when " * 40])
def test_nor_is_what_is_no_policy_at_all(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.route"
    seen = inspect(path, Files({path: text})).view
    complete(seen, str(path), 1, len(text) + 1)
    hover(seen, str(path), 1, 1)
