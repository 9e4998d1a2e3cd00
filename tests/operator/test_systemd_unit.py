"""The systemd unit: right by systemd's own judgement, and hardened as far as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from b2bua.settings import Settings

UNIT = Path(__file__).parent.parent.parent / "examples" / "systemd" / "b2bua.service"
PROGRAM = "/opt/b2bua/bin/b2bua"


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: systemd-analyze")
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, of a program that is there."""
    text = UNIT.read_text(encoding="utf-8")
    assert PROGRAM in text
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace(PROGRAM, str(Path(sys.executable).with_name("b2bua"))), encoding="utf-8")
    return unit


def test_systemd_understands_all_of_it(analyze: str, unit: Path) -> None:
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_its_exposure_is_low(analyze: str, unit: Path) -> None:
    command = [analyze, "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"Overall exposure level for b2bua\.service: (\d+\.\d)", done.stdout)
    assert found is not None
    assert float(found[1]) <= 2.0


def test_the_server_is_given_its_grace() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)s$", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert found is not None
    assert int(found[1]) >= Settings(()).grace + 10
