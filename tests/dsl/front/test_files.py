"""Which files a load has asked for, also when it failed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dsl.diagnostics import PolicyError
from dsl.files import Files, signature
from dsl.policy import load

SCRIPT = """policy "files"
domain files.example
include "trunks.route"
users staff from "users.yaml"
hours open = mon-fri 08:00-18:00 except "holidays.yaml"
table dids from "dids.csv" key number
on register { otherwise -> reject 405 }
on call {
  when source in 10.0.0.0/8 and lookup dids dialed as d and within open -> dial d.user
  otherwise -> reject 404
}
"""
TRUNKS = 'trunk pstn { uri "sip:192.0.2.1" login "we" secret "gate" }\n'


def folder_of(tmp_path: Path) -> Path:
    (tmp_path / "main.route").write_text(SCRIPT)
    (tmp_path / "trunks.route").write_text(TRUNKS)
    (tmp_path / "users.yaml").write_text("alice: {password: a}\n")
    (tmp_path / "holidays.yaml").write_text("- 12-24\n")
    (tmp_path / "dids.csv").write_text("number,user\n1,alice\n")
    (tmp_path / "secrets.yaml").write_text("gate: {password: p}\n")
    (tmp_path / "secrets.yaml").chmod(0o600)
    return tmp_path


ALL = {"main.route", "trunks.route", "users.yaml", "holidays.yaml", "dids.csv", "secrets.yaml"}


def test_every_file_is_noted_as_it_was(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    files = Files()
    load(folder / "main.route", files)
    assert {path.name for path in files.seen} == ALL
    assert files.seen == {path: signature(path) for path in files.seen}


def test_a_load_that_fails_has_noted_what_it_asked_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "dids.csv").unlink()
    files = Files()
    with pytest.raises(PolicyError):
        load(folder / "main.route", files)
    assert {path.name for path in files.seen} == ALL
    assert files.seen[folder / "dids.csv"] is None


def test_a_script_that_cannot_be_parsed_is_noted_with_what_it_includes(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "trunks.route").write_text("trunk {\n")
    files = Files()
    with pytest.raises(PolicyError):
        load(folder / "main.route", files)
    assert {path.name for path in files.seen} == {"main.route", "trunks.route"}


def test_a_file_that_takes_the_place_of_another_is_another(tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("same")
    before = signature(file)
    other.write_text("same")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)
    assert signature(file) != before
    file.unlink()
    assert signature(file) is None
