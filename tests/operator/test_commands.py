"""The command line as a user has it: what it says, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.operator.accounts import shown_accounts
from b2bua.operator.main import main
from b2bua.settings import Listener, Settings
from dsl.policy import load

OFFICE = Path(__file__).parents[2] / "examples" / "office" / "office.route"
LOOPBACK = Settings((Listener("UDP", "127.0.0.1", 5060),))
NETWORK = Settings((*LOOPBACK.listen, Listener("UDP", "192.0.2.1", 5060)))


def b2bua(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def script(folder: Path, text: str) -> Path:
    path = folder / "lab.route"
    path.write_text(text)
    return path


GOOD = """policy "lab"
domain lab.example
on register { otherwise -> reject 405 }
on call { otherwise -> reject 404 }
"""
TESTED = (
    GOOD
    + """
test "nobody is here" { call from "sip:x@y.example" to "1"
  expect reject 404 }
test "somebody is" { call from "sip:x@y.example" to "1"
  expect reject 486 }
"""
)


def test_a_good_policy_is_told_with_what_holds_where_it_is_silent(tmp_path: Path) -> None:
    done = b2bua("check", script(tmp_path, GOOD))
    assert done.exit_code == 0
    assert "policy lab, version " in done.stdout
    assert "on busy: reject 486" in done.stdout


def test_a_bad_policy_is_refused_with_every_problem(tmp_path: Path) -> None:
    path = script(tmp_path, GOOD.replace("404", "9404").replace("405", "9405"))
    done = b2bua("check", path)
    assert done.exit_code == 1
    assert done.stderr.count(": error: ") == 2
    assert done.stdout == ""
    shown = json.loads(b2bua("check", path, "--json").stdout)
    assert (shown["policy"], len(shown["problems"])) == (None, 2)
    assert shown["problems"][0] == {
        "severity": "error",
        "file": str(path),
        "start": {"line": 3, "column": 35},
        "end": {"line": 3, "column": 39},
        "message": "`9405` cannot stand here",
        "advice": "a refusal has a status from 400 to 699, such as `403` or `404`",
        "related": None,
    }


def test_an_editor_gets_the_good_news_as_json(tmp_path: Path) -> None:
    done = b2bua("check", script(tmp_path, GOOD), "--json")
    shown = json.loads(done.stdout)
    assert (done.exit_code, shown["policy"], shown["problems"]) == (0, "lab", [])


def test_a_file_that_is_not_utf8_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lab.route"
    path.write_bytes(GOOD.encode() + b"# caf\xe9\n")
    done = b2bua("check", path)
    assert done.exit_code == 1
    assert f"{path}:5:6: error: this is not UTF-8" in done.stderr


def test_tests_pass_and_fail_with_their_place(tmp_path: Path) -> None:
    done = b2bua("test", script(tmp_path, TESTED))
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "ok      nobody is here"
    assert lines[1] == "FAILED  somebody is"
    assert "lab.route:9:" in lines[2]
    assert "1 of 2 tests passed" in lines
    shown = json.loads(b2bua("test", script(tmp_path, TESTED), "--json").stdout)
    assert (shown["passed"], shown["failed"]) == (1, 1)


def test_the_offices_tests_pass() -> None:
    done = b2bua("test", OFFICE)
    assert (done.exit_code, "FAILED" in done.stdout) == (0, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "missing.route"),
        ("show", "everything"),
        ("run", OFFICE, "--listen", "5060"),
        ("run", OFFICE, "--settings", "missing.yaml"),
        ("dance",),
    ],
)
def test_what_is_not_understood_is_2(arguments: tuple[str, ...]) -> None:
    assert b2bua(*arguments).exit_code == 2


@pytest.mark.parametrize("command", [("show", "calls"), ("show", "status"), ("reload",), ("hangup", "x")])
def test_without_a_server_there_is_nothing_to_ask(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = b2bua(*command, "--state", tmp_path)
    assert done.exit_code == 1
    assert done.stderr == f"b2bua: no server runs with the state directory {tmp_path}; say which with --state\n"


def test_a_server_does_not_start_with_bad_settings(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("grase: 30s\n")
    done = b2bua("run", OFFICE, "--settings", settings, "--state", tmp_path / "state")
    assert (done.exit_code, done.stderr.splitlines()[0].endswith("`grase` is unknown here")) == (1, True)
    done = b2bua("run", OFFICE, "--listen", "udp:0.0.0.0:5060", "--state", tmp_path / "state")
    assert (done.exit_code, "or set `advertise`" in done.stderr) == (1, True)


def test_passwords_are_shown_to_a_terminal_of_this_machine_only() -> None:
    policy = load(OFFICE)
    assert "wonderland" in shown_accounts(policy, LOOPBACK, terminal=True)
    for settings, terminal in ((LOOPBACK, False), (NETWORK, True), (NETWORK, False)):
        shown = shown_accounts(policy, settings, terminal)
        assert "wonderland" not in shown
        assert f"see {OFFICE.parent / 'users.yaml'}" in shown
        assert "sip:alice@" in shown


def test_checking_needs_nothing_of_the_server() -> None:
    """`check` runs at each save of an editor."""
    loaded = "import sys; import b2bua.operator.main, b2bua.operator.policy_file; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"trio", "dns", "structlog", "sqlite3"} & set(modules)


def test_a_server_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    state = tmp_path / "state"
    command = [sys.executable, "-c", "from b2bua.operator.main import main; main()", "run", str(OFFICE)]
    options = ["--listen", f"udp:127.0.0.1:{port}", "--state", str(state), "--log-json"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if '"ready"' in line:
                break
        assert said[0] == f"b2bua 0.1.0 listens on udp:127.0.0.1:{port}\n"
        assert json.loads(b2bua("show", "registrations", "--json", "--state", state).stdout) == []
        assert b2bua("show", "calls", "--state", state).stdout == "no calls\n"
        assert json.loads(b2bua("show", "status", "--json", "--state", state).stdout)["pid"] == server.pid
        assert "nothing has changed" in b2bua("reload", "--state", state).stdout
        assert "in force" in b2bua("show", "policies", "--state", state).stdout
        assert b2bua("rollback", "--state", state).stderr.startswith("b2bua: no version before ")
        refused = b2bua("hangup", "x", "--state", state)
        assert (refused.exit_code, refused.stderr) == (
            1,
            "b2bua: there is no call x; `b2bua show calls` lists them\n",
        )
        os.kill(server.pid, signal.SIGTERM)
        said += server.stdout.readlines()
        assert server.wait(10) == 0
    assert json.loads(said[-1])["event"] == "ended"


@pytest.mark.parametrize("command", ["check", "test"])
def test_what_is_no_script_is_told_of_in_one_sentence(tmp_path: Path, command: str) -> None:
    script(tmp_path, GOOD).rename(tmp_path / "office.route")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.route")
    for argument, sentence in [
        ("ofice.route", f"there is no file {tmp_path}/ofice.route: did you mean {tmp_path}/office.route?"),
        ("nosuch", f"there is no file {tmp_path}/nosuch"),
        ("", f"{tmp_path} is a folder: name the script in it; it has office.route and pipe.route"),
        ("empty", f"{tmp_path}/empty is a folder: name the script in it"),
        ("pipe.route", f"{tmp_path}/pipe.route is no file that holds a script"),
    ]:
        done = b2bua(command, tmp_path / argument)
        assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"b2bua: {sentence}\n")


def test_a_script_that_must_not_be_read_is_told_of_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script(tmp_path, GOOD)
    # Root may read everything, whatever its mode says.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    done = b2bua("check", path)
    assert (done.exit_code, done.stderr) == (2, f"b2bua: {path} cannot be read: its mode does not let you\n")


def test_several_scripts_are_checked_at_once(tmp_path: Path) -> None:
    good = script(tmp_path, GOOD)
    bad = tmp_path / "bad.route"
    bad.write_text(GOOD.replace("otherwise", "othrwise"))
    done = b2bua("check", good, bad, OFFICE)
    assert done.exit_code == 1
    assert f"{bad}:" in done.stderr
    assert [line.partition(": policy")[0] for line in done.stdout.splitlines() if "no errors" in line] == [
        str(good),
        str(OFFICE),
    ]
    shown = json.loads(b2bua("check", good, bad, "--json").stdout)
    assert [(item["file"], item["policy"] is None) for item in shown] == [(str(good), False), (str(bad), True)]
