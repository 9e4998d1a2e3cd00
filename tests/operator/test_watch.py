"""`show` in a terminal of a given size, of a server that a thread plays: once, and again and again."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bua.operator.columns import cells
from b2bua.operator.live import screen

from .playing import Server
from .terminal import PROGRAM, Terminal, drawings
from .test_show import CALL

LONG = CALL | {"caller": "sip:somebody.with.a.long.name@a.very.long.domain.example", "tags": {}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.answer = {"result": [LONG]}
    yield server
    server.end()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(server: Server, tmp_path: Path, columns: int) -> None:
    terminal = Terminal(["show", "calls", "--state", tmp_path], columns)
    terminal.until(lambda said: "1 call, 1 talking" in said)
    assert terminal.ended() == 0
    head, row, summed, _ = terminal.said.split("\r\n")
    assert all(cells(line) <= columns for line in (head, row, summed))
    assert row.startswith("9f2c  ")
    assert ("…" in row) == (columns < 200)


def test_what_is_piped_is_whole(server: Server, tmp_path: Path) -> None:
    command = [*PROGRAM, "show", "calls", "--state", str(tmp_path)]
    environment = os.environ | {"COLUMNS": "40"}
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert str(LONG["caller"]) in printed


def test_a_watched_screen_follows_what_there_is_and_leaves_the_terminal_as_it_was(
    server: Server, tmp_path: Path
) -> None:
    terminal = Terminal(["show", "calls", "--state", tmp_path, "--watch"], 60, 10)
    before = terminal.mode
    terminal.until(lambda said: "1 call, 1 talking" in said)
    server.answer = {"result": []}
    terminal.until(lambda said: "no calls" in said)
    server.end()
    terminal.until(lambda said: "no server runs" in said)
    assert terminal.mode == before
    terminal.type("\x03")
    assert terminal.ended() == 0
    assert terminal.said.startswith("\x1b[?1049h\x1b[?25l")
    assert terminal.said.endswith("\x1b[?25h\x1b[?1049l")
    first = drawings(terminal.said)[0]
    assert first[0].startswith("b2bua show calls  ")
    assert first[0].endswith("  Ctrl-C ends")
    assert all(cells(line) <= 60 for drawn in drawings(terminal.said) for line in drawn)


def test_it_is_drawn_anew_when_the_terminal_changes(server: Server, tmp_path: Path) -> None:
    terminal = Terminal(["show", "calls", "--state", tmp_path, "--watch"], 200)
    terminal.until(lambda said: str(LONG["caller"]) in said)
    terminal.resize(50, 24)
    terminal.until(lambda said: all(cells(line) <= 50 for line in drawings(said)[-1]))
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 128 + signal.SIGTERM
    assert terminal.said.endswith("\x1b[?25h\x1b[?1049l")


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "\n".join(["HEAD", *(f"row {number}" for number in range(20)), "20 rows"])
    lines = screen("b2bua show calls", rows, 30, 8).removeprefix("\x1b[H").removesuffix("\x1b[J").split("\n")
    assert [line.removesuffix("\x1b[K") for line in lines[2:]] == [
        "HEAD",
        "row 0",
        "row 1",
        "row 2",
        "… 17 more lines",
        "20 rows",
    ]


@pytest.mark.parametrize("options", [["--watch"], ["--watch", "--json"]])
def test_only_a_terminal_is_drawn_on(server: Server, tmp_path: Path, options: list[str]) -> None:
    done = subprocess.run(
        [*PROGRAM, "show", "calls", "--state", str(tmp_path), *options], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "--watch draws on a terminal" in done.stderr
