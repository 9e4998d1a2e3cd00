"""`b2bua plan` and `b2bua history` as an operator has them: what they say, and with which exit code."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.io.database import Database
from b2bua.io.history import History
from b2bua.io.state import DATABASE
from b2bua.operator.history import FileHistory, KeptHistory, create, export
from b2bua.operator.main import main
from b2bua.operator.plan import plan
from b2bua.routing.recording import Recording
from b2bua.settings import History as Bounds
from dsl.decision import Dial, Facts, Outcome
from dsl.plan.recorded import Happened
from dsl.policy import Policy, load
from dsl.rehearsal import World

USERS = "alice: {password: a1}\nbob: {password: b1, extension: '202'}\ncarol: {password: c1}\n"
SCRIPT = """policy "lab"
domain lab.example
country +49
users staff from "users.yaml"
limit toll = 40 per 1h for each caller
trunk pstn { uri "sip:gw.example" allow `+49X(6-12)` }
on register { when not authenticated -> challenge otherwise -> accept }
on call {
  when not authenticated -> challenge
  when callee in staff -> dial callee for 20s { busy -> reject 486 }
  when dialed matches `0X(6-14)` {
    when over toll -> reject 403
    otherwise -> dial e164(dialed) via pstn for 60s
  }
  otherwise -> reject 404
}
"""
CALLS = ("bob", "202", "0301234567", "0301234568", "0301234569", "0301234560", "zoe")


def b2bua(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def decided(policy: Policy, number: int, dialed: str, at: float) -> Recording:
    """A call as a server hands it over; whoever is dialled at a desk is busy."""
    facts = Facts(
        time=at,
        source="192.0.2.1",
        transport="udp",
        ambient=World(policy),
        authenticated=True,
        caller="alice",
        dialed=dialed,
        callee=policy.callee(dialed),
    )
    decision = policy.decide("call", facts)
    events = [Happened("call", at, decision)]
    if facts.callee is not None and isinstance(decision.action, Dial):
        outcome = Outcome("busy", facts.callee, 486, True, 1)
        events.append(Happened("busy", at + 1, policy.resume(decision.action.frame, outcome, facts), outcome))
    return Recording(f"c{number}", policy, events, facts, None, {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state directory with an hour of calls, beside the policy that decided them."""
    (tmp_path / "users.yaml").write_text(USERS, encoding="utf-8")
    (tmp_path / "lab.route").write_text(SCRIPT, encoding="utf-8")
    policy = load(tmp_path / "lab.route")
    (tmp_path / "state").mkdir()
    database = Database(tmp_path / "state" / DATABASE)
    history = History(database, Bounds())
    now = time.time()
    for number, dialed in enumerate(CALLS):
        history.fresh.append((decided(policy, number, dialed, now - 3600 + 500 * number), False))
    registered = now - 900
    facts = Facts(time=registered, source="192.0.2.1", transport="udp", ambient=World(policy), caller="bob", user="bob")
    facts.authenticated = True
    told = [Happened("register", registered, policy.decide("register", facts))]
    history.fresh.append((Recording("bob", policy, told, facts, None, {}, "bob"), True))
    history.write(now)
    database.close()
    return tmp_path


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in SCRIPT
    path = folder / "new.route"
    path.write_text(SCRIPT.replace(old, new), encoding="utf-8")
    return path


def planned(folder: Path, policy: Path, *options: str | Path) -> Result:
    return b2bua("plan", policy, "--state", folder / "state", *options)


def test_the_same_policy_changes_nothing(folder: Path) -> None:
    done = planned(folder, folder / "lab.route")
    assert (done.exit_code, done.stdout.splitlines()[1:]) == (0, ["same 8, different 0, unknown 0"])


def test_lines_that_moved_and_comments_are_no_difference(folder: Path) -> None:
    done = planned(folder, changed(folder, "on call {", "# Calls.\n\non call {\n  # Each of them.\n"))
    assert done.exit_code == 0


def test_a_change_is_told_with_its_rules_and_three_calls(folder: Path) -> None:
    done = planned(folder, changed(folder, "when over toll -> reject 403", "when caller == alice -> reject 403"))
    assert done.exit_code == 1
    head, counts, _, change, was, now, *rest = done.stdout.splitlines()
    assert head.endswith("on 8 recorded calls")
    assert counts == "same 4, different 4, unknown 0"
    assert change == "4  dialled through pstn, would be rejected 403"
    assert was == f"    was {folder}/lab.route:13:5: otherwise -> dial e164(dialed) via pstn for 60s"
    assert now == f"    now {folder}/new.route:12:5: when caller == alice -> reject 403"
    assert len([line for line in rest if " alice to 030123456" in line]) == 3
    assert rest[0].endswith('alice to 0301234560: dial "+49301234560" via pstn, would be: reject 403')
    assert rest[-2:] == ["by caller: alice 4", "by trunk: pstn 4"]


def test_what_follows_a_dial_is_gone_through_while_the_dial_is_the_same(folder: Path) -> None:
    done = planned(folder, changed(folder, "{ busy -> reject 486 }", "{ busy -> dial carol }"))
    assert "2  rejected 486, would be dialled a user" in done.stdout
    assert "alice to 202 (busy): reject 486, would be: dial carol" in done.stdout
    assert "by trunk" not in done.stdout


def test_what_nobody_asked_is_unknown_and_stops_a_pipeline(folder: Path) -> None:
    policy = changed(folder, "when callee in staff ->", "when callee in staff and bob is registered ->")
    done = planned(folder, policy)
    assert (done.exit_code, done.stdout.splitlines()[1]) == (1, "same 6, different 0, unknown 2")
    assert "2  unknown, for want of `U is registered`" in done.stdout
    assert planned(folder, policy, "--allow-unknown").exit_code == 0


def test_a_default_that_decides_is_no_rule(folder: Path) -> None:
    done = planned(folder, changed(folder, "{ busy -> reject 486 }", "{ no-answer -> reject 486 }"))
    assert (done.exit_code, done.stdout.splitlines()[1]) == (0, "same 8, different 0, unknown 0")
    (folder / "lab.route").write_text(SCRIPT.replace("busy -> reject 486", "busy -> reject 600"), encoding="utf-8")
    done = planned(folder, changed(folder, "for 20s { busy -> reject 486 }", "for 30s"))
    assert "2  dialled a user for 20s, would be for 30s" in done.stdout


def test_programs_get_all_of_it(folder: Path) -> None:
    shown = json.loads(planned(folder, changed(folder, "reject 404", "reject 410"), "--json").stdout)
    assert {name: shown[name] for name in ("calls", "same", "different", "unknown")} == {
        "calls": 8,
        "same": 7,
        "different": 1,
        "unknown": 0,
    }
    [group] = shown["groups"]
    assert group["change"] == "rejected 404, would be rejected 410"
    assert (group["examples"][0]["dialed"], shown["callers"], shown["trunks"]) == ("zoe", {"alice": 1}, {})


def test_only_the_calls_since_then_count(folder: Path) -> None:
    assert "on 3 recorded calls" in planned(folder, folder / "lab.route", "--since", "20min").stdout
    assert "on 1 recorded call\n" in planned(folder, folder / "lab.route", "--since", "11min").stdout
    done = planned(folder, folder / "lab.route", "--since", "soon")
    assert done.exit_code == 2
    assert "soon is no duration: write such as 30min, 24h or 7d" in done.stderr


def test_a_broken_policy_is_told_as_check_tells_it(folder: Path) -> None:
    policy = changed(folder, "dial e164(dialed) via pstn", "dial e164(dialed) via pst")
    done = planned(folder, policy)
    assert done.exit_code == 1
    assert done.stderr == b2bua("check", policy).stderr
    assert ": error: " in done.stderr


def test_an_exported_file_says_the_same_elsewhere(folder: Path) -> None:
    policy = changed(folder, "reject 404", "reject 410")
    file = folder / "calls.jsonl"
    done = b2bua("history", "export", file, "--state", folder / "state")
    assert done.stdout == f"{file}: 8 calls, by 1 version\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert planned(folder, policy, "--against", file).stdout == planned(folder, policy).stdout
    assert "on 1 recorded call" in planned(folder, policy, "--against", file, "--since", "11min").stdout
    again = b2bua("history", "export", file, "--state", folder / "state")
    assert (again.exit_code, again.stderr) == (1, f"b2bua: cannot write {file}: file exists\n")
    assert b2bua("history", "export", "-", "--state", folder / "state").stdout_bytes == file.read_bytes()


def test_a_file_of_something_else_is_told_by_its_line(folder: Path) -> None:
    file = folder / "calls.jsonl"
    with create(file) as out:
        export(KeptHistory(folder / "state", 0.0), out)
        out.write(b'{"kind": "decided"}\n')
    done = planned(folder, folder / "lab.route", "--against", file)
    assert done.exit_code == 1
    assert f"{file}:10: this is no recorded call: " in done.stderr


def test_a_store_that_is_not_there_or_not_ours_is_told(folder: Path) -> None:
    done = b2bua("plan", folder / "lab.route", "--state", folder / "elsewhere")
    assert done.exit_code == 1
    assert "no server has kept anything in" in done.stderr
    with sqlite3.connect(folder / "state" / DATABASE) as older:
        older.execute("PRAGMA user_version = 2")
    older.close()
    assert "is of another b2bua; run this one's server on it first" in planned(folder, folder / "lab.route").stderr


def test_the_newest_decisions_are_listed(folder: Path) -> None:
    lines = b2bua("history", "list", "--state", folder / "state", "--last", "7").stdout.splitlines()
    assert lines[0].split() == ["TIME", "EVENT", "CALLER", "DIALLED", "DECISION", "RULES", "VERSION"]
    assert [line.split()[2:5] for line in lines[-2:]] == [["register", "bob", "bob"], ["call", "alice", "zoe"]]
    assert "busy" in "".join(lines)
    assert b2bua("history", "list", "--state", folder / "state", "--since", "1ms").stdout == "no decisions\n"


def test_progress_is_told_now_and_then(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2bua.operator.plan._EVERY", 3)
    told: list[tuple[int, int]] = []
    policy = load(folder / "lab.route")
    plan(policy, KeptHistory(folder / "state", 0.0), lambda done, total: told.append((done, total)))
    assert told == [(3, 8), (6, 8)]
    file = folder / "calls.jsonl"
    with create(file) as out:
        export(KeptHistory(folder / "state", 0.0), out)
    assert FileHistory(file, 0.0).count() == 9
