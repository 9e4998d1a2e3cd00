"""The state directory is ours, and one server's at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2bua.io.failure import ServerError
from b2bua.io.state import AlreadyRunningError, StateDirectory


def test_it_is_made_for_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state"
    StateDirectory(path).close()
    assert path.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in path.iterdir()} == {"lock": 0o600, "key": 0o600}


def test_one_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    StateDirectory(tmp_path).close()
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_second_server_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first = StateDirectory(tmp_path)
    with pytest.raises(AlreadyRunningError, match=r"already running with the state directory .*; end it, or use"):
        StateDirectory(tmp_path)
    first.close()
    StateDirectory(tmp_path).close()


def test_the_key_outlives_restarts_and_a_torn_one_is_replaced(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        state = StateDirectory(tmp_path)
        keys.append(state.key)
        state.close()
    assert keys[0] == keys[1]
    assert len(keys[0]) == 32
    (tmp_path / "key").write_bytes(b"torn")
    state = StateDirectory(tmp_path)
    assert len(state.key) == 32
    state.close()


def test_a_file_in_its_place_is_said_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("")
    with pytest.raises(ServerError, match=r"cannot use .*state for the server's state: .*; name a directory of yours"):
        StateDirectory(path)
