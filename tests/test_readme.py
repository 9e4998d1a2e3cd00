"""What the README and docs/ show is so: scripts, mistakes, settings, and that no setting is left out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from b2bua.operator.settings_file import DEFAULT_LISTEN, read_settings
from b2bua.settings import Settings
from dsl import tester
from dsl.diagnostics import PolicyError
from dsl.policy import load

ROOT = Path(__file__).resolve().parent.parent


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _blocks(name: str, begins: str) -> list[str]:
    blocks = re.findall(r"^```\w*\n(.*?)^```", _text(name), flags=re.MULTILINE | re.DOTALL)
    return [block for block in blocks if begins in block]


[SCRIPT] = _blocks("README.md", 'policy    "')
[MISTAKE] = _blocks("README.md", ": error: ")
[LADDER] = _blocks("README.md", "* office.route:")
[TRUNK] = _blocks("docs/trunks.md", "trunk pstn {")
SETTINGS = [block for name in ("README.md", "docs/settings.md") for block in _blocks(name, "listen: ")]
DEFAULTS = _blocks("docs/settings.md", "listen: ")[0]
FIRST_RULE = "  when not authenticated           -> challenge\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "examples" / "office" / "users.yaml", tmp_path)
    return tmp_path


def test_the_first_script_is_right_and_passes_its_own_tests(folder: Path) -> None:
    script = folder / "first.route"
    script.write_text(SCRIPT, encoding="utf-8")
    results = tester.run(load(script))
    assert results
    assert all(result.passed for result in results)


def test_the_mistake_is_told_as_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert FIRST_RULE in SCRIPT
    Path("bad.route").write_text(SCRIPT.replace(FIRST_RULE, ""), encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        load("bad.route")
    assert "\n".join(str(problem) for problem in error.value.problems) == MISTAKE.rstrip("\n")


def test_the_ladder_is_one_that_is_drawn() -> None:
    assert _text("tests/operator/ladders/office-bob.txt") == LADDER


@pytest.mark.parametrize("text", SETTINGS)
def test_the_settings_can_be_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_settings(path).timers.t1 == 0.5


def test_the_defaults_are_those_that_hold(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(DEFAULTS, encoding="utf-8")
    assert read_settings(path) == Settings(DEFAULT_LISTEN)


def _keys(kind: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        yield field.name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _keys(field.type)


def test_no_setting_is_left_out() -> None:
    text = _text("docs/settings.md")
    assert [key for key in _keys(Settings) if not re.search(rf"\b{key}\b", text)] == []


def test_the_trunk_is_right(folder: Path) -> None:
    (folder / "secrets.yaml").write_text("pstn: {password: a secret}\n", encoding="utf-8")
    (folder / "secrets.yaml").chmod(0o600)
    script = folder / "trunk.route"
    script.write_text(SCRIPT.partition("trunk pstn {")[0] + TRUNK + SCRIPT.partition("}\n")[2], encoding="utf-8")
    trunk = load(script).trunks["pstn"]
    assert trunk.registers
    assert trunk.check == 30.0


def test_no_word_of_a_trunk_is_left_out() -> None:
    grammar = _text("dsl/grammar.lark")
    said = grammar.partition("// What a trunk says")[2].partition("// Rules")[0]
    terminals = set(re.findall(r"_([A-Z_]+)", said)) - {"COMMA", "WORD"}
    words = [
        found[1]
        for name in terminals
        if (found := re.search(rf'^_{name}(?:\.\d+)?: "([a-z-]+)"', grammar, re.MULTILINE))
    ]
    assert len(words) > 10
    assert [word for word in words if not re.search(rf"\b{word}\b", _text("docs/trunks.md"))] == []
