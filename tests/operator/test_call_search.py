"""Past calls as an operator finds them, and that the store finds them without reading itself whole."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.effects import Record
from b2bua.io.database import Database
from b2bua.io.state import DATABASE
from b2bua.operator.call_search import Wanted, find, statement_for
from b2bua.operator.main import main

from .flow_cases import store

NOW = time.time()


def leg(call: int, number: int, **said: object) -> Record:
    base: dict[str, object] = {
        "call": f"c{call}",
        "leg": number,
        "direction": "out" if number else "in",
        "sip_call_id": f"{call}-{number}@x",
        "caller": "alice",
        "callee": "bob",
        "target": "sip:bob@192.0.2.11:5060" if number else "",
        "source": "192.0.2.10",
        "start": NOW - 6000.0 + 1000 * call,
        "answer": NOW - 5998.0 + 1000 * call,
        "end": NOW - 5990.0 + 1000 * call,
        "cause": 200,
        "reason": "OK",
        "hung_up_by": "caller",
        "policy": "p",
        "rules": ("15:3",),
    }
    return Record(**(base | said))  # type: ignore[arg-type]


BUSY = {"answer": None, "cause": 486, "reason": "Busy Here", "hung_up_by": ""}
DIALLED = {"callee": "0301234567"}
VIA = {"target": "sip:+49301234567@gw.example via pstn", "party": "+49301234567"}
PHONE = {"target": "sip:x-0x55ea@192.0.2.13:5081", "party": "dora"}
RECORDS = [
    *(leg(1, 0), leg(1, 1)),
    *(leg(2, 0, **BUSY), leg(2, 1, **BUSY)),
    *(leg(3, 0, **DIALLED), leg(3, 1, **DIALLED, **VIA)),
    leg(4, 0, caller="carol_1", answer=None, cause=487, reason="Request Terminated", hung_up_by=""),
    *(leg(5, 0, caller="", source="198.51.100.9"), leg(5, 1, **BUSY), leg(5, 2, target="sip:carol@192.0.2.12")),
    *(leg(6, 0, callee="204"), leg(6, 1, **PHONE)),
]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with closing(Database(tmp_path / DATABASE)) as database:
        database.put_records(RECORDS)
    return tmp_path


def b2bua(state: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["history", "calls", *arguments, "--state", str(state)])


def found(state: Path, *arguments: str) -> list[str]:
    return [call["call"] for call in json.loads(b2bua(state, *arguments, "--json").stdout)]


def test_the_newest_stand_last_a_line_each(state: Path) -> None:
    lines = [" ".join(line.split()[2:]) for line in b2bua(state).stdout.splitlines()]
    assert lines == [
        "DIALLED TO ENDED RULE CALL",
        "alice bob bob talked 0:08, ended by caller 15 c1",
        "alice bob bob 486 Busy Here 15 c2",
        "alice 0301234567 +49301234567 via pstn talked 0:08, ended by caller 15 c3",
        "carol_1 bob gave up after 0:10 15 c4",
        "198.51.100.9 bob carol talked 0:08, ended by caller 15 c5",
        "alice 204 dora talked 0:08, ended by caller 15 c6",
        "",
    ]
    assert b2bua(state).stdout.splitlines()[-1] == "6 calls"


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (["--limit", "2"], ["c5", "c6"]),
        (["alice"], ["c1", "c2", "c3", "c6"]),
        (["ALICE"], ["c1", "c2", "c3", "c6"]),
        (["4930123"], ["c3"]),
        (["carol"], ["c4", "c5"]),
        (["dor"], ["c6"]),
        (["l_1"], ["c4"]),
        (["%"], []),
        (["198.51.100.9"], ["c5"]),
        (["--failed"], ["c2"]),
        (["--cause", "486"], ["c2", "c5"]),
        (["--trunk", "pstn"], ["c3"]),
        (["--trunk", "stn"], []),
        (["bob", "--cause", "487"], ["c4"]),
        (["--since", "2500s"], ["c4", "c5", "c6"]),
        (["--until", "3500s"], ["c1", "c2"]),
        (["--since", "2001-01-01", "--until", "2001-01-02 03:04"], []),
    ],
)
def test_what_is_asked_for_is_found(state: Path, arguments: list[str], calls: list[str]) -> None:
    assert found(state, *arguments) == calls


def test_calls_from_a_trunk_are_by_it_too(state: Path) -> None:
    document = '{"kind":"decided","call":"c2","known":{"source":"1.2.3.4","trunk":"pstn"},"events":[]}'
    with closing(sqlite3.connect(state / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO decisions (call, start, document) VALUES ('c2', 0, ?)", (document,))
    assert found(state, "--trunk", "pstn") == ["c2", "c3"]


def test_the_rule_is_told_with_its_file(tmp_path: Path) -> None:
    store("e01-busy-then-another", tmp_path)
    assert "486 Busy Here  e01-busy-then-another.route:17  " in b2bua(tmp_path).stdout
    [call] = json.loads(b2bua(tmp_path, "--json").stdout)
    assert (call["rule"], call["rules"]) == ("e01-busy-then-another.route:17", ["16:3", "17:5"])


def test_what_cannot_be_understood_says_what_can(state: Path, tmp_path: Path) -> None:
    done = b2bua(state, "--since", "yesterday")
    assert done.exit_code == 2
    assert "yesterday is no time: write such as 90min (ago), 03:15 or '2026-11-25 03:15'" in done.stderr
    empty = b2bua(tmp_path / "nowhere")
    assert (empty.exit_code, "name its state directory with --state" in empty.stderr) == (1, True)
    assert b2bua(state, "nobody").stdout == "no such calls\n"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Ten thousand calls."""
    path = tmp_path_factory.mktemp("many") / DATABASE
    with closing(Database(path)) as database:
        database.put_records(
            [leg(call, number, caller=f"u{call % 300}") for call in range(10_000) for number in (0, 1)]
        )
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(who="u7"), Wanted(who="nobody"), Wanted(failed=True), Wanted(cause=503), Wanted(trunk="pstn")],
)
def test_a_search_goes_along_an_index_and_sorts_nothing(many: sqlite3.Connection, wanted: Wanted) -> None:
    statement, values = statement_for(wanted)
    plan = [row[3] for row in many.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert plan[0].startswith("SEARCH first USING INDEX records_by_start")
    assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step]


def test_ten_thousand_calls_take_some_steps_for_each(many: sqlite3.Connection) -> None:
    """What is found nowhere looks at every call: counted in SQLite's own steps, some ten thousand to a millisecond."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1000

    many.set_progress_handler(count, 1000)
    try:
        assert find(many, Wanted(who="nobody", cause=503)) == []
    finally:
        many.set_progress_handler(None, 0)
    assert steps < 700_000
