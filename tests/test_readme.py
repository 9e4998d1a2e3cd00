"""What the README shows is so: its script, the mistake that it speaks of, its settings."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from b2bua.operator.settings_file import read_settings
from dsl import tester
from dsl.diagnostics import PolicyError
from dsl.policy import load

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
[SCRIPT] = [block for block in BLOCKS if block.startswith("policy ")]
[MISTAKE] = [block for block in BLOCKS if ": error: " in block]
[SETTINGS] = [block for block in BLOCKS if block.startswith("listen: ")]
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


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    assert read_settings(path).timers.t1 == 0.5
