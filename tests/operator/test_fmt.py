"""`b2bua fmt` as a user has it: files, standard input, and what is told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.operator.main import main

WILD = 'policy "lab"\ndomain lab.example # where\non call { otherwise->reject 404 }\n'
GOOD = 'policy "lab"\ndomain lab.example  # where\n\non call { otherwise -> reject 404 }\n'
GOOD = GOOD.replace("\n\non", "\non")
BAD = 'policy "lab"\ndomain\n'


def fmt(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["fmt", *(str(argument) for argument in arguments)], input=given)


@pytest.fixture
def wild(tmp_path: Path) -> Path:
    path = tmp_path / "wild.route"
    path.write_text(WILD)
    return path


def test_a_file_is_formatted_in_place_and_keeps_its_mode(wild: Path) -> None:
    wild.chmod(0o640)
    done = fmt(wild)
    assert (done.exit_code, done.stdout) == (0, f"{wild} formatted\n")
    assert wild.read_text() == GOOD
    assert stat.S_IMODE(wild.stat().st_mode) == 0o640
    assert os.listdir(wild.parent) == ["wild.route"]


def test_what_is_formatted_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "good.route"
    path.write_text(GOOD)
    before = path.stat()
    done = fmt(path)
    assert (done.exit_code, done.stdout) == (0, "")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_link_stays_a_link(wild: Path) -> None:
    link = wild.parent / "link.route"
    link.symlink_to(wild.name)
    assert fmt(link).exit_code == 0
    assert link.is_symlink()
    assert wild.read_text() == GOOD


def test_standard_input_goes_to_standard_output() -> None:
    done = fmt("-", given="\ufeff" + WILD.replace("\n", "\r\n"))
    assert (done.exit_code, done.stdout) == (0, GOOD)
    broken = fmt("-", given=BAD)
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "<standard input>:2:7: error: something is missing after `domain`" in broken.stderr


def test_check_names_what_is_not_formatted_and_changes_nothing(wild: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.route"
    good.write_text(GOOD)
    done = fmt("--check", good, wild)
    assert (done.exit_code, done.stdout) == (1, f"{wild} is not formatted\n")
    assert wild.read_text() == WILD
    assert fmt("--check", good).exit_code == 0


def test_diff_shows_what_would_change(wild: Path) -> None:
    done = fmt("--diff", wild)
    assert done.exit_code == 0
    assert f"--- {wild}\n+++ {wild} formatted\n" in done.stdout
    assert "-domain lab.example # where\n" in done.stdout
    assert "+domain lab.example  # where\n" in done.stdout
    assert wild.read_text() == WILD
    assert fmt("--diff", "--check", wild).exit_code == 1


def test_diff_tells_of_ends_that_no_line_shows(tmp_path: Path) -> None:
    path = tmp_path / "ends.route"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert fmt("--diff", path).stdout == f"{path}: only line ends or the byte order mark change\n"
    path.write_text(GOOD.rstrip("\n"))
    assert "\n\\ No newline at end of file\n" in fmt("--diff", path).stdout
    path.write_text(GOOD)
    assert fmt("--diff", path).stdout == ""


def test_broken_files_are_left_alone_and_do_not_stop_the_others(wild: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.route"
    broken.write_text(BAD)
    foreign = tmp_path / "foreign.route"
    foreign.write_bytes(b'policy "x"\n# caf\xe9\n')
    missing = tmp_path / "missing.route"
    done = fmt(broken, foreign, missing, wild)
    assert (done.exit_code, done.stdout) == (1, f"{wild} formatted\n")
    assert f"{broken}:2:7: error: something is missing after `domain`" in done.stderr
    assert f"{foreign}:2:6: error: this is not UTF-8" in done.stderr
    assert f"{missing}:1:1: error: this cannot be read: No such file or directory" in done.stderr
    assert broken.read_text() == BAD
    assert wild.read_text() == GOOD


def test_a_file_that_cannot_be_replaced_stays_whole(wild: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = fmt(wild)
    assert done.exit_code == 1
    assert f"{wild}:1:1: error: this cannot be written: No space left on device" in done.stderr
    assert wild.read_text() == WILD
    assert os.listdir(wild.parent) == ["wild.route"]


def test_a_file_of_somebody_else_stays_theirs(wild: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    real = os.fstat

    def made_by_another(handle: int) -> os.stat_result:
        found = real(handle)
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:10]))

    monkeypatch.setattr(os, "fstat", made_by_another)
    assert fmt(wild).exit_code == 0
    assert given == [(wild.stat().st_uid, wild.stat().st_gid)]
