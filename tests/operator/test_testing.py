"""`b2bua test` as an operator has it: what it says, which tests it runs, and with which exit code."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.operator.main import main

ROOT = Path(__file__).parents[2]
SCRIPT, COMMAND, SHOWN, *_ = (ROOT / "docs" / "test.md").read_text().split("```\n")[1::2]


def b2bua(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "examples" / "office" / "users.yaml", tmp_path)
    (tmp_path / "first.route").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_as_the_documentation_shows_it(folder: Path) -> None:
    done = b2bua(*shlex.split(COMMAND)[1:])
    assert (done.exit_code, done.stdout) == (1, SHOWN)
    assert b2bua("fmt", "--check", "first.route").exit_code == 0


def test_programs_get_what_was_expected_what_came_and_why(folder: Path) -> None:
    shown = json.loads(b2bua("test", "first.route", "--json").stdout)
    assert (shown["file"], shown["policy"], shown["passed"], shown["failed"]) == ("first.route", "first", 1, 1)
    failed, passed = shown["tests"]
    assert passed == {"title": "two calls an hour go out", "place": "29:1", "passed": True}
    assert failed["failure"] == {
        "severity": "error",
        "file": "first.route",
        "start": {"line": 26, "column": 10},
        "end": {"line": 26, "column": 20},
        "message": "instead it was: reject 480, as where nothing is said of it",
        "advice": None,
        "related": None,
        "expected": "expect reject 486",
        "came": "reject 480",
        "rule": None,
        "trace": ["on no-answer", "  so: reject 480"],
    }
    covered = shown["coverage"]
    assert (covered["rules"], covered["fired"], covered["percent"], len(covered["missed"])) == (8, 3, 37, 5)
    assert covered["missed"][-1] == {"place": "17:71", "rule": "busy"}


@pytest.mark.parametrize("only", ["two calls an hour go out", "HOUR"])
def test_some_tests_alone(folder: Path, only: str) -> None:
    done = b2bua("test", "first.route", "--only", only)
    told = ["ok      two calls an hour go out", "1 of 1 tests passed, of 2 that there are"]
    assert (done.exit_code, done.stdout.splitlines()) == (0, told)


def test_several_titles_and_all_of_them(folder: Path) -> None:
    done = b2bua("test", "first.route", "--only", "hour", "--only", "bob")
    assert done.exit_code == 1
    assert "1 of 2 tests passed" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("only", "told"),
    [
        ("two cals an hour go out", "did you mean `two calls an hour go out`?"),
        ("night", "`b2bua test` without `--only` lists all titles"),
    ],
)
def test_a_title_that_no_test_has(folder: Path, only: str, told: str) -> None:
    done = b2bua("test", "first.route", "--only", only)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"b2bua: no test has `{only}` in its title: {told}\n"


def test_a_policy_without_tests_says_so(folder: Path) -> None:
    (folder / "first.route").write_text(SCRIPT[: SCRIPT.index('test "nobody')])
    done = b2bua("test", "first.route", "--coverage")
    assert done.exit_code == 0
    assert done.stdout.startswith("the policy has no tests: write such as `test ")
    assert "0 of 8 rules fired in a test, 0 %" in done.stdout
    assert json.loads(b2bua("test", "first.route", "--json").stdout)["tests"] == []


def test_many_rules_that_no_test_reaches_are_counted(folder: Path) -> None:
    rules = "".join(f'  when dialed == "{number}" -> reject 404\n' for number in range(70000, 70012))
    text = SCRIPT.replace("  when over toll", f"{rules}  when over toll")
    (folder / "first.route").write_text(text)
    assert b2bua("test", "first.route").stdout.splitlines()[-1].endswith("20:3, 21:3, 22:3 and 7 more")


def test_where_all_rules_are_reached_nothing_is_said_of_them(folder: Path) -> None:
    (folder / "first.route").write_text(
        'policy "none"\ndomain office.example\non register { reject 405 }\non call { log "x" reject 404 }\n'
        'test "all" {\n  call from anyone to "1"\n  expect reject 404\n  register anyone\n  expect reject 405\n}\n'
    )
    assert b2bua("test", "first.route").stdout.splitlines() == ["ok      all", "1 of 1 tests passed"]
    assert "2 of 2 rules fired in a test, 100 %" in b2bua("test", "first.route", "--coverage").stdout
