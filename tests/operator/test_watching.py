"""What `b2bua watch` tells of what it sees, to the letter: each thing once, whatever it sees first."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from b2bua.io.database import Database
from b2bua.io.state import DATABASE
from b2bua.operator.watching import Ended, Watch, last_row, new_records

from .flow_cases import played

pytestmark = pytest.mark.usefixtures("in_utc")

CALL: dict[str, object] = {
    "id": "6955",
    "caller": "alice",
    "callee": "200",
    "source": "192.0.2.10",
    "started": 1000.0,
    "answered": None,
    "rules": ["45:3", "49:5"],
    "legs": [
        {"number": 0, "party": "alice", "state": "Invited"},
        {"number": 1, "party": "bob", "state": "Proceeding"},
    ],
}
TALKING = CALL | {
    "answered": 1003.0,
    "legs": [
        {"number": 0, "party": "alice", "state": "Confirmed"},
        {"number": 1, "party": "bob", "state": "Confirmed"},
    ],
}


def ended(leg: int, **said: object) -> Ended:
    base: dict[str, object] = {
        "row": 1 + leg,
        "call": "6955",
        "leg": leg,
        "caller": "alice",
        "callee": "200",
        "source": "192.0.2.10",
        "target": "sip:bob@192.0.2.11" if leg else "",
        "start": 1000.0,
        "answer": 1003.0,
        "end": 1045.0,
        "cause": 200,
        "reason": "OK",
        "hung_up_by": "caller",
        "rules": ("45:3", "49:5"),
    }
    return Ended(**(base | said))  # type: ignore[arg-type]


def told(watch: Watch, views: list[dict[str, object]], records: list[Ended]) -> list[str]:
    return [" ".join(news.line("office.route").split()) for news in watch.look(views, records)]


BEGAN = "00:16:40 began 6955 alice -> 200 office.route:49"
ANSWERED = "00:16:43 answered 6955 alice -> 200 office.route:49 by bob after 0:03"
ENDED = "00:17:25 ended 6955 alice -> 200 office.route:49 talked 0:42, ended by caller"


def test_a_call_begins_is_answered_and_ends() -> None:
    watch = Watch()
    assert told(watch, [CALL], []) == [BEGAN]
    assert told(watch, [CALL], []) == []
    assert told(watch, [TALKING], []) == [ANSWERED]
    assert told(watch, [], [ended(0), ended(1)]) == []
    assert watch.open == ("6955",)
    assert told(watch, [], []) == [ENDED]
    assert watch.open == ()


def test_a_call_that_came_and_went_between_two_looks_is_told_whole() -> None:
    watch = Watch()
    assert told(watch, [], [ended(1), ended(0)]) == []
    assert told(watch, [], []) == [BEGAN, ANSWERED, ENDED]


def test_a_leg_that_is_over_does_not_end_a_call_that_goes_on() -> None:
    watch = Watch()
    assert told(watch, [TALKING], [ended(0, end=1010.0)]) == [BEGAN, ANSWERED]
    assert told(watch, [TALKING], []) == []
    assert told(watch, [TALKING], [ended(1)]) == []
    assert told(watch, [], []) == [ENDED]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"answer": None, "cause": 487, "hung_up_by": ""}, "gave up after 0:45"),
        ({"answer": None, "cause": 486, "reason": "Busy Here", "hung_up_by": ""}, "486 Busy Here"),
        ({"rules": ("more.route:7:3@abcd",), "hung_up_by": ""}, "talked 0:42"),
    ],
)
def test_how_it_ended(said: dict[str, object], text: str) -> None:
    watch = Watch()
    told(watch, [], [ended(0, **said)])
    last = told(watch, [], [])[-1]
    assert last.endswith(text)
    assert ("more.route:7" in last) == ("rules" in said)


@pytest.mark.parametrize(
    ("who", "lines"), [("ALI", 1), ("20", 1), ("bob", 1), ("192.0.2.10", 1), ("carol", 0), ("6955", 0)]
)
def test_only_those_that_are_watched(who: str, lines: int) -> None:
    assert len(told(Watch(who), [CALL], [])) == lines
    watch = Watch(who)
    told(watch, [], [ended(0), ended(1)])
    assert len(told(watch, [], [])) == 3 * lines


def test_a_name_cannot_write_to_the_terminal() -> None:
    assert told(Watch(), [CALL | {"caller": "al\x1b[2Jice"}], []) == [BEGAN.replace("alice", r"al\x1b[2Jice")]


def test_the_store_is_read_from_where_it_was_left(tmp_path: Path) -> None:
    records = played("e01-busy-then-another").stage.records
    path = tmp_path / DATABASE
    with closing(Database(path)) as database, closing(sqlite3.connect(path)) as reader:
        assert last_row(reader) == 0
        database.put_records(records[:1])
        [first] = new_records(reader, 0)
        assert (first.call, first.leg, first.cause) == (records[0].call, records[0].leg, 486)
        database.put_records(records)
        assert [each.leg for each in new_records(reader, first.row)] == [record.leg for record in records]
        assert last_row(reader) == new_records(reader, 0)[-1].row
