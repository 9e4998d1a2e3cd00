"""The shipped office with one mistake made in it: what its operator then reads."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.dsl.front.golden import problems_of

EXAMPLE = Path(__file__).parents[3] / "examples" / "office"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "office")) / "office.route"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def said(script: Path) -> list[str]:
    return [problem.message for problem in problems_of(script)[0]]


def warned(script: Path) -> list[str]:
    problems, warnings = problems_of(script)
    assert problems == []
    return [warning.message for warning in warnings]


def test_without_the_challenge_a_stranger_could_dial_out(office: Path) -> None:
    change(office, "  when not authenticated   -> challenge\n", "")
    assert said(office) == ["anyone can choose `dialed` and be connected through trunk `pstn`"]


def test_below_the_numbers_the_challenge_comes_too_late(office: Path) -> None:
    change(office, "  when not authenticated   -> challenge\n", "")
    change(
        office,
        "\n  otherwise -> reject 404\n}\n\nsub",
        "\n  when not authenticated -> challenge\n  otherwise -> reject 404\n}\n\nsub",
    )
    assert sorted(said(office)) == [
        "anyone can choose `dialed` and be connected through trunk `pstn`",
        "anyone can tell from this whether `callee` is a user here",
    ]


def test_a_file_that_is_not_there_is_one_problem_and_not_one_for_each_name_in_it(office: Path) -> None:
    (office.parent / "users.yaml").unlink()
    assert said(office) == ["`users.yaml` cannot be read: no such file or directory"]


def test_a_table_that_is_not_there_is_one_problem_too(office: Path) -> None:
    (office.parent / "dids.csv").unlink()
    assert said(office) == ["`dids.csv` cannot be read: no such file or directory"]


def test_a_column_that_the_table_lacks(office: Path) -> None:
    change(office.parent / "dids.csv", "number,user", "number,name")
    assert said(office) == ["table `dids` has no column `user`"]


def test_a_user_who_left_is_missed_wherever_the_script_names_him(office: Path) -> None:
    users = office.parent / "users.yaml"
    users.write_text(users.read_text().replace("dave:", "david:"))
    assert set(said(office)) == {"there is no user `dave`", "nothing here is called `dave`"}
    advice = " ".join(str(problem.advice) for problem in problems_of(office)[0])
    written = enumerate(office.read_text().splitlines(), 1)
    lines = [number for number, line in written if re.search(r"\bdave\b", line) and not line.startswith("test")]
    places = {problem.line for problem in problems_of(office)[0]}
    assert all(number in places or f"line {number}" in advice for number in lines)


def test_a_mobile_that_one_user_lacks_is_a_warning_and_one_that_nobody_has_a_problem(office: Path) -> None:
    users = office.parent / "users.yaml"
    change(users, 'mobile: "+4915112345678"', 'private: "+4915112345678"')
    assert set(warned(office)) == {"`bob` has no `mobile` in the users file"}
    change(users, 'mobile: "+4915187654321"', 'private: "+4915187654321"')
    assert set(said(office)) == {"no user has `mobile`"}


def test_a_rule_put_too_far_down(office: Path) -> None:
    rule = '  when dialed == "support" -> redirect 302 "sip:help@partner.example"\n'
    change(office, rule, "")
    change(office, "  otherwise -> reject 404\n}\n\nsub", f"  otherwise -> reject 404\n{rule}}}\n\nsub")
    assert said(office) == ["this can never be reached"]


def test_an_hours_name_mistyped_and_a_unit_left_out_are_told_together(office: Path) -> None:
    change(office, "not within open ", "not within opne ")
    change(office, "via pstn for 60s", "via pstn for 60")
    assert sorted(said(office)) == ["`60` is a number, not a time", "there are no hours `opne`"]
