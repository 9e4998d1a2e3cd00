"""What is stored outlives us, and a disk that refuses costs no call."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from b2bua.effects import Failed, Record, StoreBindings, Stored
from b2bua.io import heard as heard_module
from b2bua.io import store as store_module
from b2bua.io import tapes as tapes_module
from b2bua.io.database import Database, Decided, StoredTape
from b2bua.io.failure import ServerError
from b2bua.io.store import Store
from b2bua.io.tally import Tally
from b2bua.routing.recording import Recording
from b2bua.settings import History as Bounds
from b2bua.settings import Messages
from b2bua.tape import Kept, pack, unpack
from dsl.decision import Decision, Facts, Reject
from dsl.plan.recorded import Happened
from dsl.policy import load
from dsl.rehearsal import World

from .edge import Edge
from .patience import in_time
from .taping import record as record_of
from .taping import taped

RECORD = Record(
    call="c1",
    leg=0,
    direction="in",
    sip_call_id="x@y",
    caller="alice",
    callee="bob",
    target="",
    source="127.0.0.1",
    start=1000.0,
    answer=None,
    end=1002.5,
    cause=486,
    reason="Busy Here",
    hung_up_by="",
    policy="abc",
    rules=("12:3", "14:5"),
    tags={"team": "desk", "said": '"good day"'},
)


def leg_over(call: str, call_id: str, leg: int = 0, *, ends: bool = True) -> Record:
    return msgspec.structs.replace(record_of(call, call_id, leg=leg, ends=ends), start=time.time())


class Watched(Database):
    """Tells when records were written, or refused: `writes` holds how many, None for a refusal."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.token = trio.lowlevel.current_trio_token()
        self.writes: list[int | None] = []
        self.news = trio.Event()

    def put_records(self, records: Sequence[Record]) -> None:
        done: int | None = None
        try:
            super().put_records(records)
            done = len(records)
        finally:
            self.token.run_sync_soon(self._note, done)

    def put_tapes(self, tapes: Sequence[StoredTape]) -> None:
        super().put_tapes(tapes)
        self.token.run_sync_soon(self._note, len(tapes))

    def _note(self, done: int | None) -> None:
        self.writes.append(done)
        self.news.set()

    async def until(self, *, written: int = 0, refusals: int = 0) -> None:
        with in_time():
            while sum(filter(None, self.writes)) < written or self.writes.count(None) < refusals:
                self.news = trio.Event()
                await self.news.wait()


class Bench:
    """A store that runs, its file, and a reader's view of it."""

    def __init__(self, edge: Edge, path: Path) -> None:
        self.edge = edge
        self.path = path
        self.database = Watched(path)
        self.store = Store(self.database, edge.shell, Bounds(), 86_400.0, Tally())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return reader.execute(query).fetchall()
        finally:
            reader.close()

    def let_grow(self, pages: int) -> None:
        """As if the disk had room for so many pages more."""
        (used,) = self.database._connection.execute("PRAGMA page_count").fetchone()
        self.database._connection.execute(f"PRAGMA max_page_count = {used + pages}")

    async def records(self, count: int) -> list[tuple[Any, ...]]:
        await self.database.until(written=count)
        return self.rows("SELECT call, leg, cause FROM records ORDER BY call, leg")


@pytest.fixture
async def bench(
    edge: Edge, tmp_path: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    monkeypatch.setattr(store_module, "COALESCE_SECONDS", 0.02)
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(store_module, "LISTEN_SECONDS", 0.02)
    monkeypatch.setattr(tapes_module, "LINGER_SECONDS", 0.05)
    bench = Bench(edge, tmp_path / "b2bua.sqlite")
    bench.store.start()
    nursery.start_soon(edge.shell.clock.run)
    await wait_all_tasks_blocked()
    yield bench
    if bench.store._thread.is_alive():
        await bench.store.stop()
    bench.database.close()


async def test_bindings_are_durable_when_they_are_answered(bench: Bench) -> None:
    bench.store.bindings(StoreBindings(1, "alice", b'[{"a": 1}]'))
    bench.store.bindings(StoreBindings(2, "bob", b"[]"))
    assert await bench.edge.core.had(2) == [("answered", 1, Stored()), ("answered", 2, Stored())]
    assert bench.rows("SELECT aor, document FROM bindings ORDER BY aor") == [("alice", '[{"a": 1}]'), ("bob", "[]")]


async def test_the_last_of_an_address_counts_and_none_removes_it(bench: Bench) -> None:
    for id, document in enumerate((b"[1]", None, b"[2]"), 1):
        bench.store.bindings(StoreBindings(id, "alice", document))
    bench.store.bindings(StoreBindings(4, "bob", None))
    await bench.edge.core.had(4)
    assert bench.rows("SELECT aor, document FROM bindings") == [("alice", "[2]")]
    bench.store.bindings(StoreBindings(5, "alice", None))
    await bench.edge.core.had(5)
    assert bench.rows("SELECT aor FROM bindings") == []


async def test_a_restart_finds_the_bindings(bench: Bench) -> None:
    rows = {f"user{number}": b"[%d]" % number for number in range(300)}
    for id, (aor, document) in enumerate(rows.items()):
        bench.store.bindings(StoreBindings(id, aor, document))
    await bench.edge.core.had(300)
    again = Database(bench.path)
    assert dict(again.bindings()) == rows
    again.close()


async def test_a_record_is_written_with_all_its_fields(bench: Bench) -> None:
    answered = msgspec.structs.replace(RECORD, call="c2", answer=1001.0, hung_up_by="caller", cause=200)
    for record in (RECORD, answered):
        bench.store.record(record)
    await bench.records(2)
    reader = sqlite3.connect(bench.path)
    reader.row_factory = sqlite3.Row
    rows = [dict(row) for row in reader.execute("SELECT * FROM records ORDER BY call")]
    reader.close()
    for row in rows:
        row["rules"] = tuple(json.loads(row["rules"]))
        row["tags"] = json.loads(row["tags"])
    written = [msgspec.structs.asdict(record) for record in (RECORD, answered)]
    for fields in written:
        del fields["over"]
    assert rows == written


async def test_writing_a_record_twice_changes_nothing(bench: Bench) -> None:
    for leg in (0, 0, 1):
        bench.store.record(msgspec.structs.replace(RECORD, leg=leg))
    await bench.store.stop()
    assert bench.rows("SELECT call, leg, cause FROM records") == [("c1", 0, 486), ("c1", 1, 486)]


async def test_octets_that_are_no_text_do_not_hold_up_the_others(bench: Bench) -> None:
    bench.store.record(msgspec.structs.replace(RECORD, callee="caf\udce9", tags={"dialed": "caf\udce9"}))
    bench.store.record(msgspec.structs.replace(RECORD, leg=1, tags={}))
    await bench.records(2)
    assert bench.rows("SELECT callee, tags FROM records ORDER BY leg") == [
        ("caf\ufffd", '{"dialed":"caf\ufffd"}'),
        ("bob", "{}"),
    ]


async def test_stopping_writes_everything(bench: Bench) -> None:
    for number in range(1000):
        bench.store.record(msgspec.structs.replace(RECORD, call=f"c{number}"))
        bench.store.bindings(StoreBindings(number, f"user{number}", b"[]"))
    await bench.store.stop()
    assert bench.rows("SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM bindings)") == [(1000, 1000)]


async def test_a_full_disk_fails_bindings_and_keeps_records_for_later(bench: Bench) -> None:
    bench.let_grow(0)
    bench.store.bindings(StoreBindings(1, "alice", b'["%s"]' % (b"x" * 20_000)))
    (answer,) = await bench.edge.core.had(1)
    assert answer == ("answered", 1, Failed("the store refused it: database or disk is full"))
    records = [msgspec.structs.replace(RECORD, call=f"c{number:04}", reason="x" * 200) for number in range(200)]
    for record in records:
        bench.store.record(record)
    await bench.database.until(refusals=2)
    assert bench.rows("SELECT call FROM records") == []
    bench.let_grow(1000)
    assert len(await bench.records(200)) == 200
    assert bench.edge.events()[:3] == ["bindings not stored", *["call records not stored"] * 2]
    bench.store.bindings(StoreBindings(2, "alice", b"[]"))
    assert (await bench.edge.core.had(2))[1] == ("answered", 2, Stored())


async def test_records_that_cannot_be_kept_are_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "RECORDS_KEPT", 2)
    bench.let_grow(0)
    for number in range(5):
        bench.store.record(msgspec.structs.replace(RECORD, call=f"c{number}", reason="x" * 9000))
    assert bench.edge.shell.counters["records_lost"] == 3
    bench.let_grow(1000)
    assert [row[0] for row in await bench.records(2)] == ["c0", "c1"]


async def test_bindings_that_come_after_the_end_are_not_left_waiting(bench: Bench) -> None:
    await bench.store.stop()
    bench.store.bindings(StoreBindings(1, "alice", b"[]"))
    assert await bench.edge.core.had(1) == [("answered", 1, Failed("the store has ended"))]


async def test_a_trunk_that_is_switched_off_is_so_after_a_restart(bench: Bench) -> None:
    for trunk in ("pstn", "backup", "pstn"):
        await bench.store.switch(trunk, disabled=True)
    await bench.store.switch("backup", disabled=False)
    assert bench.rows("SELECT trunk FROM disabled_trunks") == [("pstn",)]
    await bench.store.stop()
    assert bench.database.disabled_trunks() == ["pstn"]


async def test_a_switch_that_cannot_be_remembered_is_refused(bench: Bench) -> None:
    bench.database._connection.execute("DROP TABLE disabled_trunks")
    with pytest.raises(ServerError, match="the store refused it: no such table"):
        await bench.store.switch("pstn", disabled=True)


def test_a_store_of_the_version_before_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "b2bua.sqlite"
    Database(path).close()
    with sqlite3.connect(path) as older:
        older.executescript(
            "DROP TABLE disabled_trunks; ALTER TABLE records DROP COLUMN transferred_by; "
            "ALTER TABLE records DROP COLUMN tags; ALTER TABLE records DROP COLUMN joined; "
            "ALTER TABLE records DROP COLUMN party; DROP TABLE decisions; "
            "DROP TABLE registration_decisions; DROP TABLE versions; DROP TABLE tapes; DROP TABLE ended; "
            "PRAGMA user_version = 1"
        )
        older.execute("INSERT INTO bindings VALUES ('alice', '[]')")
    older.close()
    database = Database(path)
    assert (database.bindings(), database.disabled_trunks()) == ([("alice", b"[]")], [])
    database.close()


async def test_the_messages_of_a_call_are_a_row_soon_after_its_end(bench: Bench) -> None:
    assert bench.store.tape is not None
    now = time.time()
    for message in (taped("a", wall=now), taped("b", wall=now + 0.1), taped("a", "SIP/2.0 200 OK", now + 0.2)):
        bench.store.tape(message)
    bench.store.record(leg_over("c1", "a", ends=False))
    bench.store.record(leg_over("c1", "b", leg=1))
    bench.store.tape(taped("b", "SIP/2.0 200 OK", now + 0.3))
    await bench.database.until(written=3)
    [(call, messages)] = bench.rows("SELECT call, messages FROM tapes")
    assert (call, [kept.wall for kept in unpack(messages)]) == ("c1", [now, now + 0.1, now + 0.2, now + 0.3])
    assert bench.store.sizes() == {"tapes": 0, "tape octets": 0}


async def test_what_is_not_yet_over_is_told(bench: Bench) -> None:
    assert bench.store.tape is not None
    for call_id in "ab":
        bench.store.tape(taped(call_id, wall=time.time()))
    messages, left_out = await bench.store.so_far("c1", ("a",))
    assert ([kept.data for kept in messages], left_out) == ([taped("a")[3]], 0)
    assert bench.store.sizes()["tapes"] == 2


async def test_stopping_writes_the_messages_of_calls_that_are_over(bench: Bench) -> None:
    assert bench.store.tape is not None
    bench.store.tape(taped("a", wall=time.time()))
    bench.store.tape(taped("still talks", wall=time.time()))
    bench.store.record(leg_over("c1", "a"))
    await bench.store.stop()
    assert bench.rows("SELECT call FROM tapes") == [("c1",)]


async def test_messages_that_the_disk_refuses_are_written_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    put = bench.database.put_tapes

    def refused_once(tapes: Sequence[StoredTape]) -> None:
        tries.append(len(tapes))
        if len(tries) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        put(tapes)

    monkeypatch.setattr(bench.database, "put_tapes", refused_once)
    assert bench.store.tape is not None
    bench.store.tape(taped("a", wall=time.time()))
    bench.store.record(leg_over("c1", "a"))
    await bench.database.until(written=2)
    assert tries == [1, 1]
    assert "messages not stored" in bench.edge.events()


async def test_tapes_that_had_no_room_are_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_module, "MOST", 1)
    assert bench.store.tape is not None
    bench.store.tape(taped("a", wall=time.time()))
    await bench.store.stop()
    await wait_all_tasks_blocked()
    assert bench.edge.shell.counters["tapes_lost"] == 1
    assert bench.store.sizes()["tapes"] == 0


async def test_where_no_messages_are_kept_those_of_before_go(edge: Edge, tmp_path: Path) -> None:
    database = Watched(tmp_path / "b2bua.sqlite")
    database.put_tapes([StoredTape("c1", 1.0, 0, pack([]))])
    store = Store(database, edge.shell, Bounds(messages=Messages(octets=0)), 86_400.0, Tally())
    assert store.tape is None
    store.start()
    store.record(leg_over("c2", "a"))
    await store.stop()
    assert database._connection.execute("SELECT count(*) FROM tapes").fetchone() == (0,)
    database.close()


def test_more_of_a_tape_is_put_behind_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "b2bua.sqlite")
    parts = [[Kept(wall, True, "UDP", "::1", 5060, "::1", 5080, b"\x00\xff\xc3")] for wall in (2.0, 1.0, 3.0)]
    for part in parts:
        database.put_tapes([StoredTape("c1", 1.0, 2, pack(part))])
    query = "SELECT messages, octets, left_out, upto FROM tapes"
    [(messages, octets, left_out, upto)] = database._connection.execute(query).fetchall()
    assert [kept.wall for kept in unpack(messages)] == [1.0, 2.0, 3.0]
    assert (octets, left_out, upto) == (len(messages), 6, len(pack(parts[0])))
    database.close()


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    Database(tmp_path / "b2bua.sqlite").close()
    assert (tmp_path / "b2bua.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "b2bua.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ServerError, match=r"is of a newer b2bua \(version 99, this one knows 9\)"):
        Database(path)


def test_a_file_that_is_no_database_is_said_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "b2bua.sqlite"
    path.write_text("this is no database, and it is long enough to be taken for one" * 100)
    with pytest.raises(ServerError, match=r"cannot open the store .*: file is not a database; .* move the file away"):
        Database(path)


@pytest.fixture
def decided(tmp_path: Path) -> Recording:
    path = tmp_path / "lab.route"
    path.write_text(
        'policy "lab"\ndomain lab.example\non register { otherwise -> reject 405 }\n'
        "on call { otherwise -> reject 404 }\n"
    )
    policy = load(path)
    now = time.time()
    facts = Facts(time=now, source="192.0.2.1", transport="udp", ambient=World(policy))
    return Recording("c1", policy, [Happened("call", now, Decision(Reject(404), policy.hash))], facts, None, {})


async def test_how_a_call_was_decided_is_written_by_the_same_thread(bench: Bench, decided: Recording) -> None:
    bench.store.remember(decided, registration=False)
    await bench.store.stop()
    assert bench.rows("SELECT call, start FROM decisions") == [("c1", decided.since)]


async def test_decisions_wait_for_a_disk_within_a_bound(
    bench: Bench, decided: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "KEPT", 0)
    bench.store.remember(decided, registration=False)
    assert bench.edge.shell.counters["decisions_lost"] == 1


async def test_decisions_that_the_disk_refuses_are_written_later(
    bench: Bench, decided: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    put = bench.database.put_decisions

    def refused_once(rows: Sequence[Decided], versions: Mapping[str, bytes]) -> None:
        tries.append(len(rows))
        if len(tries) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        put(rows, versions)
        bench.database.token.run_sync_soon(bench.database._note, len(rows))

    monkeypatch.setattr(bench.database, "put_decisions", refused_once)
    bench.store.remember(decided, registration=False)
    await bench.database.until(written=1)
    assert tries == [1, 1]
    assert bench.rows("SELECT call FROM decisions") == [("c1",)]
    assert "decisions not stored" in bench.edge.events()
