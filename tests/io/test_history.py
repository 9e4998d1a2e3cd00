"""How calls were decided is written behind them, survives what a store survives, and stays within its bounds."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bua.effects import Recording as Handed
from b2bua.io.database import Database
from b2bua.io.history import TIDY_SECONDS, History
from b2bua.routing.recording import Recording
from b2bua.settings import History as Bounds
from dsl.decision import Decision, Dial, Facts, Frame, Reject, Step, UserTarget
from dsl.plan.recorded import Happened, Recorded, read_recorded, read_version
from dsl.policy import Policy, load
from dsl.rehearsal import World

SCRIPT = """policy "lab"
domain lab.example
trunk pstn { uri "sip:carol:secret@gw.example" }
on register { otherwise -> reject 405 }
on call { when header "X-Team" == "red" -> reject 404 otherwise -> reject 486 }
"""
NOW = 1e9


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    path = tmp_path / "lab.route"
    path.write_text(SCRIPT, encoding="utf-8")
    return load(path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "b2bua.sqlite")
    yield database
    database.close()


def handed(policy: Policy, call: str, at: float = NOW, headers: dict[str, str] | None = None, **facts: str) -> Handed:
    said = {"source": "192.0.2.1", "transport": "udp", "dialed": "100"} | facts
    known = Facts(time=at, ambient=World(policy), **said)
    events = [Happened("call", at, Decision(Reject(404), policy.hash, ("5:11",)))]
    return Recording(call, policy, events, known, None, headers or {})


def stored(database: Database, table: str = "decisions") -> list[Recorded]:
    rows = database._connection.execute(f"SELECT document FROM {table} ORDER BY start, document")
    return [read_recorded(document) for (document,) in rows]


def kept(database: Database) -> list[str]:
    return [call.call for call in stored(database)]


def test_a_call_is_one_row_and_what_follows_is_added_to_it(policy: Policy, database: Database) -> None:
    history = History(database, Bounds())
    dial = Dial((Step((UserTarget("bob"),)),), Frame(policy.hash, 3, {"row": {"secret": "cell"}}))
    first = Happened("call", NOW, Decision(dial, policy.hash))
    facts = Facts(time=NOW, source="192.0.2.1", transport="udp", ambient=World(policy))
    history.fresh.append((Recording("c1", policy, [first], facts, None, {}), False))
    history.write(NOW)
    later = [Happened(name, NOW + 9, Decision(Reject(486), policy.hash)) for name in ("hold", "resume")]
    history.fresh.append((Recording("c1", policy, later, None, None, {}), False))
    history.write(NOW + 9)
    [call] = stored(database)
    assert [event.event for event in call.events] == ["call", "hold", "resume"]
    assert call.events[1:] == tuple(later)
    assert call.events[0].decision.action == Dial(dial.steps, Frame("", 0))
    [(document,)] = database._connection.execute("SELECT document FROM decisions")
    assert "cell" not in document


def test_the_version_is_kept_once_and_without_passwords(policy: Policy, database: Database) -> None:
    history = History(database, Bounds())
    for number in range(3):
        history.fresh.append((handed(policy, f"c{number}"), False))
    history.write(NOW)
    [(hash, document)] = database._connection.execute("SELECT hash, document FROM versions")
    text = zlib.decompress(document)
    version = read_version(text)
    assert (hash, version.hash, version.headers) == (policy.hash, policy.hash, ("x-team",))
    assert version.sources[""] == SCRIPT.replace(":secret@", ":***@")
    assert version.trunks["pstn"].uri == "sip:carol:***@gw.example"


def test_an_account_has_one_row_for_its_last_registration(policy: Policy, database: Database) -> None:
    history = History(database, Bounds())
    for at in (NOW, NOW + 1):
        history.fresh.append((handed(policy, "alice", at), True))
    history.write(NOW + 1)
    assert [call.events[0].time for call in stored(database, "registration_decisions")] == [NOW + 1]
    assert stored(database) == []


def test_what_proves_who_somebody_is_is_never_written(policy: Policy, database: Database) -> None:
    history = History(database, Bounds())
    headers = {
        "x-team": "<sip:bob:hunter2@h.example>",
        "authorization": 'Digest username="bob", response="c0ffee"',
        "proxy-authorization": "Digest c0ffee",
    }
    history.fresh.append((handed(policy, "c1", headers=headers), False))
    history.write(NOW)
    [(document,)] = database._connection.execute("SELECT document FROM decisions")
    assert "c0ffee" not in document
    assert "hunter2" not in document
    assert stored(database)[0].known.headers == {"x-team": "<sip:bob:***@h.example>"}


def test_octets_that_are_no_text_cost_nothing_else(policy: Policy, database: Database) -> None:
    history = History(database, Bounds())
    history.fresh.append((handed(policy, "c1", dialed="b\udcffb", headers={"x-team": "\udcfe"}), False))
    history.write(NOW)
    assert stored(database)[0].known.dialed == "b\ufffdb"
    assert stored(database)[0].known.headers == {"x-team": "\ufffd"}


def test_the_oldest_calls_go_where_there_are_too_many(policy: Policy, database: Database) -> None:
    history = History(database, Bounds(calls=50))
    for number in range(300):
        history.fresh.append((handed(policy, f"c{number:03}"), False))
        if number % 40 == 0:
            history.write(NOW)
    history.write(NOW)
    assert kept(database) == [f"c{number:03}" for number in range(250, 300)]


def test_what_is_too_old_goes_a_few_at_a_time(policy: Policy, database: Database) -> None:
    history = History(database, Bounds(age=100.0))
    for number in range(1000):
        history.fresh.append((handed(policy, f"old{number}"), False))
    history.write(NOW)
    for number in range(1, 10):
        history.fresh.append((handed(policy, f"new{number}", NOW + 101), False))
        history.write(NOW + 101)
        assert len(kept(database)) == max(1000 - 102 * number, 0) + number
        assert database._connection.execute("SELECT count(*) FROM versions").fetchone() == (1,)


def test_a_version_goes_when_nothing_is_left_that_it_decided(
    policy: Policy, database: Database, tmp_path: Path
) -> None:
    history = History(database, Bounds(age=100.0))
    history.fresh.append((handed(policy, "c1"), False))
    history.fresh.append((handed(policy, "alice"), True))
    history.write(NOW)
    path = tmp_path / "next.route"
    path.write_text(SCRIPT.replace("486", "487"), encoding="utf-8")
    later = NOW + TIDY_SECONDS + 1
    history.fresh.append((handed(load(path), "c2", later), False))
    history.write(later)
    assert kept(database) == ["c2"]
    assert stored(database, "registration_decisions") == []
    assert [hash for (hash,) in database._connection.execute("SELECT hash FROM versions")] == [load(path).hash]


def test_many_versions_are_known_one_after_the_other(policy: Policy, database: Database, tmp_path: Path) -> None:
    history = History(database, Bounds())
    path = tmp_path / "next.route"
    for number in range(70):
        path.write_text(SCRIPT + f"# {number}\n", encoding="utf-8")
        history.fresh.append((handed(load(path), f"c{number}"), False))
    history.write(NOW)
    assert database._connection.execute("SELECT count(*) FROM versions").fetchone() == (70,)


def test_what_a_full_disk_refuses_is_written_later(policy: Policy, database: Database) -> None:
    history = History(database, Bounds())
    (pages,) = database._connection.execute("PRAGMA page_count").fetchone()
    database._connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(200):
        history.fresh.append((handed(policy, f"c{number}"), False))
    with pytest.raises(sqlite3.Error):
        history.write(NOW)
    assert (history.waiting, stored(database)) == (200, [])
    database._connection.execute("PRAGMA max_page_count = 100000")
    history.write(NOW)
    assert (history.waiting, len(stored(database))) == (0, 200)
    assert database._connection.execute("SELECT count(*) FROM versions").fetchone() == (1,)


def test_nothing_is_kept_where_nothing_is_to_be() -> None:
    assert not History(Database.__new__(Database), Bounds(calls=0)).is_on
