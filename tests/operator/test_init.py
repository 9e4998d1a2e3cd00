"""`b2bua init`: what it writes is good, runs as it says, and its commented lines are good too."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.operator.main import main
from b2bua.operator.settings_file import read_settings
from b2bua.operator.users_text import digests
from dsl.policy import load

from .ports import free_port
from .terminal import PROGRAM


def b2bua(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def begun(folder: Path, *options: str) -> dict[str, list[list[str]]]:
    done = b2bua("init", folder, "--listen", f"127.0.0.1:{free_port()}", "--json", *options)
    assert done.exit_code == 0, done.stderr
    shown: dict[str, list[list[str]]] = json.loads(done.stdout)
    return shown


def test_what_is_written_passes_its_own_checks_and_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "pbx"
    accounts = begun(folder)["accounts"]
    assert b2bua("check", folder / "office.route").exit_code == 0
    assert b2bua("test", folder / "office.route").exit_code == 0
    assert b2bua("fmt", "--check", folder / "office.route").exit_code == 0
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    credentials = load(folder / "office.route").directory.credentials
    for name, _, password in accounts:
        assert credentials[name].md5 == digests(name, "pbx.home.arpa", password)["md5"]
        assert password not in (folder / "users.yaml").read_text()
    assert len({password for _, _, password in accounts}) == 3


def test_its_commented_lines_can_be_used_as_they_stand(tmp_path: Path) -> None:
    begun(tmp_path)
    policy, settings = tmp_path / "office.route", tmp_path / "settings.yaml"
    text = re.sub(r"^( *)# ((?:country|emergency|trunk|limit|when|  |\}).*)$", r"\1\2", policy.read_text(), flags=re.M)
    policy.write_text(text.replace("  b2bua ", "#  b2bua ").replace("##", "#"))
    assert b2bua("check", policy).exit_code == 1
    (tmp_path / "secrets.yaml").write_text(re.sub("# carrier", "carrier", (tmp_path / "secrets.yaml").read_text()))
    done = b2bua("check", policy)
    assert (done.exit_code, done.stderr) == (0, "")
    assert load(policy).trunks["carrier"].registers
    settings.write_text(settings.read_text().replace("# advertise_in", "advertise_in"))
    assert len(read_settings(settings).advertise_in) == 2


def test_it_runs_as_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    port = free_port()
    done = b2bua("init", folder, "--listen", f"127.0.0.1:{port}", "--media", "28560", "28579")
    assert f"in a phone enter as server (registrar, proxy, domain) 127.0.0.1, as port {port}" in done.stdout.lower()
    (change, command) = re.findall(r"^  (.*)$", done.stdout, re.MULTILINE)
    assert shlex.split(change) == ["cd", str(folder)]
    arguments = shlex.split(command)[1:]
    with subprocess.Popen(
        [*PROGRAM, *arguments, "--log-json"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if '"ready"' in line:
                break
        shown = b2bua("show", "users", "--state", folder / "state").stdout
        server.send_signal(signal.SIGTERM)
        said += server.stdout.read()
    assert server.returncode == 0, said
    assert shown.splitlines()[-1] == "3 users, 0 registered"
    assert re.search(r"^alice +201 ", shown, re.MULTILINE)


@pytest.mark.parametrize("what", ["a folder with something in it", "a file"])
def test_nothing_is_overwritten(tmp_path: Path, what: str) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    folder = tmp_path if what.startswith("a folder") else there
    done = b2bua("init", folder)
    assert (done.exit_code, done.stderr) == (
        1,
        f"b2bua: {folder} is not empty; name a folder that is, or one that is not there yet\n",
    )
    assert (list(tmp_path.iterdir()), there.read_text()) == ([there], "mine")


@pytest.mark.parametrize(
    "options", [("--listen", "5060"), ("--listen", "pbx:5060"), ("--domain", "a b"), ("--domain", 'x"y')]
)
def test_what_is_not_understood_is_2_and_writes_nothing(tmp_path: Path, options: tuple[str, str]) -> None:
    assert b2bua("init", tmp_path / "pbx", *options).exit_code == 2
    assert not (tmp_path / "pbx").exists()
