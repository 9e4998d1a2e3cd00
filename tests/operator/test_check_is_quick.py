"""`check` runs at each save of an editor: what it imports is counted, since no test can hold a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from b2bua.operator.policy_file import load_policy
from dsl import grammar_tables

OFFICE = Path(__file__).parents[2] / "examples" / "office" / "office.route"

PROGRAM = """
import sys
from b2bua.operator.main import main
main(["check", sys.argv[1]], standalone_mode=False)
print("imported", *sorted(sys.modules))
"""

SLOW = {
    "asyncio",
    "av",
    "cryptography",
    "dns",
    "lark",
    "numpy",
    "soundfile",
    "soxr",
    "sqlite3",
    "ssl",
    "structlog",
    "trio",
}
"""What serves calls, decodes sounds or makes the grammar's tables."""

MOST_OTHERS = 165
"""Modules of neither `dsl` nor `b2bua`."""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, str(OFFICE)], capture_output=True, text=True, check=True)
    return set(ran.stdout.splitlines()[-1].split()[1:])


def test_check_imports_nothing_that_it_does_not_need(imported: set[str]) -> None:
    assert imported & SLOW == set()
    assert {name for name in imported if name.startswith("b2bua.")} <= {
        "b2bua.operator",
        "b2bua.operator.check_command",
        "b2bua.operator.main",
        "b2bua.operator.options",
        "b2bua.operator.policy_file",
        "b2bua.operator.reading",
        "b2bua.operator.script_argument",
    }


def test_check_imports_no_more_modules_of_others_than_it_did(imported: set[str]) -> None:
    assert len([name for name in imported if name.partition(".")[0] not in ("b2bua", "dsl")]) <= MOST_OTHERS


def test_tables_that_had_to_be_made_anew_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_policy(OFFICE)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(grammar_tables, "TABLES", tmp_path / "grammar.json")
    load_policy(OFFICE)
    assert capsys.readouterr().err == (
        "b2bua: the tables of the language's grammar are missing or old, so that each start takes a second longer:"
        " install b2bua again\n"
    )
