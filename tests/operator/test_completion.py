"""Tab in the shells themselves: commands, and the names of a server that a thread plays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from b2bua.operator.main import main

from .playing import Server
from .terminal import Terminal

BINARIES = Path(sys.executable).parent
CALLS = [{"id": "9f2c77aa"}, {"id": "9f2d0000"}, {"id": "77aa9f2c"}]
USERS = [{"name": "alice"}, {"name": "alan"}, {"name": "bob"}]


def shell(name: str) -> str:
    """A shell's path: Debian has it, and scripts/clients installs it."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: scripts/clients does it")
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{BINARIES}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir()
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder / "state")
    server.by_request = {"show-calls": CALLS, "show-users": USERS}
    yield server
    server.end()


def pressed(terminal: Terminal, line: str, until: str) -> None:
    """Type a line, press Tab, and wait for what it becomes."""
    terminal.type(f"{line}\t")
    terminal.until(lambda said: until in said)
    terminal.type("\x15")


def test_bash_completes_commands_and_what_the_server_has(server: Server) -> None:
    terminal = Terminal(["--norc", "--noprofile", "-i"], 120, program=[shell("bash")])
    terminal.type('PS1="> "; eval "$(b2bua completion bash)"; echo is"there"\n')
    terminal.until(lambda said: "isthere" in said)
    pressed(terminal, "b2bua doc", "b2bua doctor")
    pressed(terminal, "b2bua hangup 77", "b2bua hangup 77aa9f2c")
    pressed(terminal, "b2bua show user b", "b2bua show user bob")
    terminal.type("b2bua show call 9\t")
    # It rings the bell on the way.
    terminal.until(lambda said: "b2bua show call 9f2" in said.replace("\a", ""))
    terminal.type("\t\t")
    terminal.until(lambda said: "9f2c77aa" in said and "9f2d0000" in said)
    terminal.type("\x15exit\n")
    assert terminal.ended() == 0


def test_zsh_completes_commands_and_what_the_server_has(server: Server, folder: Path) -> None:
    terminal = Terminal(["-f", "-i"], 120, program=[shell("zsh")])
    terminal.type('PS1="> "; autoload -U compinit; compinit -u -D; eval "$(b2bua completion zsh)"; echo is"there"\n')
    terminal.until(lambda said: "isthere" in said)
    pressed(terminal, "b2bua hangup 77", "77aa9f2c")
    pressed(terminal, "b2bua show user b", "bob")
    terminal.type("\x15exit\n")
    assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("b2bua doc", ["doctor"]),
        ("b2bua hangup 9f", ["9f2c77aa", "9f2d0000"]),
        ("b2bua show user al", ["alan", "alice"]),
    ],
)
def test_fish_completes_commands_and_what_the_server_has(
    server: Server, folder: Path, line: str, offered: list[str]
) -> None:
    command = [shell("fish"), "--no-config", "-c", f"b2bua completion fish | source; complete -C '{line}'"]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"HOME": str(folder), "TERM": "dumb"}
    )
    assert [part.partition("\t")[0] for part in ran.stdout.split("\n") if part] == offered


@pytest.mark.parametrize("runs", [True, False])
def test_nothing_is_offered_and_nobody_waits_where_no_server_answers(folder: Path, runs: bool) -> None:
    silent = Server(folder / "state") if runs else None
    if silent is not None:
        silent.answers = False
    began = time.monotonic()
    environment = os.environ | {"_B2BUA_COMPLETE": "bash_complete", "COMP_WORDS": "b2bua hangup ", "COMP_CWORD": "2"}
    ran = subprocess.run(["b2bua"], env=environment, capture_output=True, text=True, check=True)
    assert (ran.stdout.strip(), ran.stderr) == ("", "")
    assert time.monotonic() - began < 20
    if silent is not None:
        silent.end()


@pytest.mark.parametrize(
    ("name", "first", "hint"),
    [
        ("bash", "# To install: ~/.bashrc: eval", "complete -o nosort"),
        ("zsh", "#compdef b2bua", "# To install: ~/.zshrc, behind compinit: eval"),
        ("fish", "# To install: b2bua completion fish > ", "complete --no-files --command b2bua"),
    ],
)
def test_it_says_how_it_is_installed(name: str, first: str, hint: str) -> None:
    done = CliRunner().invoke(main, ["completion", name])
    assert done.exit_code == 0
    assert done.stdout.startswith(first)
    assert hint in done.stdout
