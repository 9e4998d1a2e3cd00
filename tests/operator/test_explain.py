"""`b2bua explain` as an operator has it: what it says, and with which exit code."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.operator.main import main

ROOT = Path(__file__).parents[2]
OFFICE = ROOT / "examples" / "office" / "office.route"
VERSION = re.compile("version [0-9a-f]{16}")


def b2bua(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=given)


def test_a_call_is_explained() -> None:
    done = b2bua("explain", OFFICE, "call from alice to bob", "given bob answers 486")
    assert done.exit_code == 0
    head, second, *lines = done.stdout.splitlines()
    assert head == "call from alice to bob: it goes to bob for 20s (office.route:76:3)"
    assert second == "  busy: it is refused with 486 (the policy says nothing of it)"
    assert "  office.route:44:3  when not authenticated: no, alice is authenticated" in lines


def test_programs_get_all_of_it() -> None:
    shown = json.loads(b2bua("explain", OFFICE, "call from alice to 110", "--json").stdout)
    assert (shown["policy"], shown["file"], shown["live"], shown["notes"]) == (
        "small-office",
        "office.route",
        False,
        [],
    )
    (event,) = shown["events"]
    assert (event["decision"], event["by"]) == ('dial "110" via pstn', "office.route:42:3")
    assert event["tried"][1]["parts"][0] == {
        "condition": "dialed is emergency",
        "holds": True,
        "why": 'dialed is "110", an emergency number',
    }


def test_sentences_come_from_standard_input_too() -> None:
    done = b2bua("explain", OFFICE, "given bob answers 486", "-", given="# who calls\n\ncall from alice to bob\n")
    assert done.stdout.splitlines()[1].startswith("  busy: ")
    done = b2bua("explain", OFFICE, "-", given="# who calls\n\n  call from alise to bob\n")
    assert (done.exit_code, done.stderr.splitlines()) == (
        2,
        [
            "b2bua: standard input:3:13: error: there is no user `alise`",
            "  call from alise to bob",
            "            ^^^^^ did you mean `alice`?",
        ],
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("explain", OFFICE, "call form alice to bob"), 2),
        (("explain", OFFICE, "hold by alice"), 2),
        (("explain", OFFICE), 2),
        (("explain", OFFICE, "-"), 2),
        (("explain", "missing.route", "call from alice to bob"), 2),
        (("explain", OFFICE, "call from alice to bob", "--live", "--state", "/nonexistent"), 1),
    ],
)
def test_what_cannot_be_explained(arguments: tuple[str | Path, ...], code: int) -> None:
    done = b2bua(*arguments, given="")
    assert (done.exit_code, done.stdout, done.stderr != "") == (code, "", True)


def test_a_policy_with_errors_is_not_explained(tmp_path: Path) -> None:
    script = tmp_path / "lab.route"
    script.write_text('policy "lab"\non call { otherwise -> rejekt 404 }\n')
    done = b2bua("explain", script, "call from anyone to 1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "did you mean `reject`?" in done.stderr


def test_it_is_as_the_documentation_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command, shown, *_ = (ROOT / "docs" / "explain.md").read_text().split("```\n")[1::2]
    monkeypatch.chdir(OFFICE.parent)
    told = b2bua(*shlex.split(command)[1:]).stdout
    assert VERSION.sub("version x", told) == VERSION.sub("version x", shown)
