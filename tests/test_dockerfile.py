"""The Dockerfile: hadolint has nothing to say, what it copies is enough to install from, what it runs is understood."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"
TEXT = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
BIN = Path(sys.executable).parent


def words(instruction: str) -> list[list[str]]:
    """The arguments of each instruction of this kind, those in JSON as they are there."""
    found = re.findall(rf"^{instruction} (.*)$", TEXT, flags=re.MULTILINE)
    return [json.loads(line) if line.startswith("[") else line.split() for line in found]


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([BIN / "hadolint", DOCKERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_copied_is_enough_to_install_from(tmp_path: Path) -> None:
    context = tmp_path / "context"
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for *sources, target in words("COPY"):
        if sources[0].startswith("--from"):
            continue
        for source in sources:
            assert source in allowed
            path = ROOT / source
            if path.is_dir():
                # As Docker does it: links stay links.
                shutil.copytree(path, context / target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (context / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, context / target / path.name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(context)]
    subprocess.run([*command, "--wheel-dir", str(tmp_path)], check=True, capture_output=True)
    [wheel] = tmp_path.glob("b2bua-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        assert packed.read("dsl/editor/language.md") == (ROOT / "docs" / "language.md").read_bytes()
    assert {"b2bua/operator/desk/process.py", "b2bua/operator/main.py", "dsl/policy.py", "dsl/grammar.json"} <= names


@pytest.mark.parametrize("wanted", [("USER", ["5060"]), ("VOLUME", ["/var/lib/b2bua"]), ("STOPSIGNAL", ["SIGTERM"])])
def test_it_runs_as_nobody_in_particular_and_keeps_its_state(wanted: tuple[str, list[str]]) -> None:
    instruction, arguments = wanted
    assert words(instruction) == [arguments]


def test_what_it_runs_is_understood(tmp_path: Path) -> None:
    [[program]], [command] = words("ENTRYPOINT"), words("CMD")
    assert program == "/opt/b2bua/bin/b2bua"
    done = subprocess.run([BIN / "b2bua", command[0], "--help"], capture_output=True, text=True, check=True)
    for option in (word for word in command if word.startswith("--")):
        assert option in done.stdout


def test_without_a_server_it_is_not_healthy(tmp_path: Path) -> None:
    found = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", TEXT, flags=re.MULTILINE)
    assert found is not None
    program, *arguments = json.loads(found[1])
    assert program == "/opt/b2bua/bin/b2bua"
    here = [str(tmp_path) if word == "/var/lib/b2bua" else word for word in arguments]
    done = subprocess.run([BIN / "b2bua", *here], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("b2bua: no server runs with the state directory ")
