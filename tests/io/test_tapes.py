"""A call's messages are one row when it is over, within their bounds, and nothing of them stays in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bua.io import tapes as tapes_module
from b2bua.io.database import Database
from b2bua.io.shell import Taped
from b2bua.io.tapes import DROP_SECONDS, LINGER_SECONDS, Tapes
from b2bua.settings import Messages
from b2bua.tape import Kept, unpack

from .taping import record, taped

INVITE = "INVITE sip:b@h SIP/2.0"
RINGING = "SIP/2.0 180 Ringing"
OK = "SIP/2.0 200 OK"
BYE = "BYE sip:b@h SIP/2.0"
EMPTY = {"tapes": 0, "tape octets": 0}


class Bench:
    """Tapes, the store that they are written to, and a clock."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.now = 1000.0
        self.tapes = self.begin()

    def begin(self, **bounds: float) -> Tapes:
        self.tapes = Tapes(self.database, Messages(**bounds), 86_400.0)  # type: ignore[arg-type]
        return self.tapes

    def hear(self, *messages: Taped) -> None:
        self.tapes.heard.fresh.extend(messages)
        self.tapes.heard.listen()

    def write(self, after: float = LINGER_SECONDS) -> None:
        self.now += after
        self.tapes.close(self.now, self.now)
        self.tapes.write(self.now)

    def call(self, name: str, *, by: str = "caller", joined: str = "") -> None:
        """A whole call with two legs, of which the thread knows all."""
        self.hear(taped(name, wall=self.now), taped(f"{name}-b", wall=self.now + 0.1))
        for leg, key in enumerate((name, f"{name}-b")):
            one = record(name, key, leg=leg, by=by, ends=leg == 1, joined=joined)
            self.tapes.tie(one, self.now)

    def rows(self, columns: str = "call") -> list[tuple[object, ...]]:
        return self.database._connection.execute(f"SELECT {columns} FROM tapes ORDER BY rowid").fetchall()

    def stored(self, call: str) -> list[Kept]:
        query = "SELECT messages FROM tapes WHERE call = ?"
        (row,) = self.database._connection.execute(query, (call,)).fetchone()
        return unpack(row)

    def told(self, call: str) -> list[bytes]:
        return [kept.data.split(b" ", 1)[0] for kept in self.stored(call)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "b2bua.sqlite")
    yield bench
    bench.database.close()


def test_both_legs_are_one_row_in_the_order_of_time(bench: Bench) -> None:
    bench.hear(
        taped("a", wall=1.0), taped("b", wall=1.2), taped("b", OK, 1.4), taped("a", OK, 1.5), taped("a", BYE, 9.0)
    )
    bench.tapes.tie(record("c1", "a", ends=False), bench.now)
    bench.tapes.tie(record("c1", "b", leg=1), bench.now)
    bench.hear(taped("b", BYE, 9.1), taped("b", OK, 9.2))
    bench.write(LINGER_SECONDS - 0.1)
    assert bench.rows() == []
    bench.write(0.2)
    [(call, start, octets, left_out)] = bench.rows("call, start, octets, left_out")
    assert (call, start, left_out) == ("c1", 0.0, 0)
    assert [kept.wall for kept in bench.stored("c1")] == [1.0, 1.2, 1.4, 1.5, 9.0, 9.1, 9.2]
    assert bench.stored("c1")[2] == Kept(1.4, True, "UDP", "127.0.0.1", 5060, "192.0.2.1", 5080, taped("b", OK)[3])
    assert bench.rows("length(messages)") == [(octets,)]
    assert bench.tapes.sizes() == EMPTY


def test_a_challenge_is_part_of_the_call_that_follows_it(bench: Bench) -> None:
    answer = b'Authorization: Digest username="bob", response="c0ffee"\r\nCall-ID'
    wall, sent, flow, data = taped("a")
    bench.hear(taped("a"), taped("a", "SIP/2.0 401 Unauthorized"), (wall, sent, flow, data.replace(b"Call-ID", answer)))
    bench.tapes.tie(record("c1", "a"), bench.now)
    bench.write()
    assert bench.told("c1") == [b"INVITE", b"SIP/2.0", b"INVITE"]
    assert b'response="******"' in bench.stored("c1")[2].data


def test_what_comes_after_the_row_begins_nothing(bench: Bench) -> None:
    bench.call("c1")
    bench.write()
    bench.hear(taped("c1", OK), taped("c1", BYE))
    bench.write()
    assert bench.rows() == [("c1",)]
    assert bench.tapes.sizes() == EMPTY


def test_a_leg_that_rang_in_vain_waits_for_the_call(bench: Bench) -> None:
    bench.hear(*(taped(key, start) for key in ("a", "loser", "winner") for start in (INVITE, RINGING)))
    bench.tapes.tie(record("c1", "loser", leg=1, by="", ends=False), bench.now)
    bench.write(100.0)
    assert bench.rows() == []
    bench.tapes.tie(record("c1", "a", ends=False), bench.now)
    bench.tapes.tie(record("c1", "winner", leg=2), bench.now)
    bench.write()
    assert len(bench.stored("c1")) == 6


def test_a_leg_that_went_on_in_another_call_is_added_to_the_one_that_it_began_in(bench: Bench) -> None:
    bench.hear(taped("a", wall=1.0), taped("b", wall=2.0), taped("b", OK, 2.1))
    bench.tapes.tie(record("c1", "a", joined="c2"), bench.now)
    bench.write()
    bench.hear(taped("b", BYE, 3.0))
    bench.tapes.tie(record("c1", "b", leg=1, joined="c2"), bench.now)
    bench.write()
    assert [kept.wall for kept in bench.stored("c1")] == [1.0, 2.0, 2.1, 3.0]
    assert bench.rows("octets = length(messages)") == [(1,)]
    assert bench.tapes.sizes() == EMPTY


def test_two_calls_that_share_a_call_id_both_have_its_messages(bench: Bench) -> None:
    bench.hear(taped("a"), taped("shared"))
    bench.tapes.tie(record("c1", "a", ends=False), bench.now)
    bench.tapes.tie(record("c1", "shared", leg=1), bench.now)
    bench.tapes.tie(record("c2", "shared"), bench.now + 0.5)
    bench.write()
    bench.write()
    assert (len(bench.stored("c1")), len(bench.stored("c2"))) == (2, 1)
    assert bench.tapes.sizes() == EMPTY


def test_a_record_of_a_call_from_before_the_start_is_no_row(bench: Bench) -> None:
    bench.tapes.tie(record("c1", "a"), bench.now)
    bench.write()
    assert bench.rows() == []


def test_octets_that_are_no_text_name_a_leg_too(bench: Bench) -> None:
    wall, sent, flow, data = taped("odd")
    bench.hear((wall, sent, flow, data.replace(b"odd", b"o\xffd")))
    bench.tapes.tie(record("c1", "o\udcffd"), bench.now)
    bench.write()
    assert b"o\xffd" in bench.stored("c1")[0].data


def test_above_a_rate_calls_that_failed_are_kept_and_one_in_so_many_others(bench: Bench) -> None:
    bench.begin(all_below=5, sample=10)
    for number in range(105):
        bench.call(f"good{number}")
    for number in range(20):
        bench.call(f"failed{number}", by="")
        bench.call(f"cut{number}", by="system")
        bench.call(f"transferred{number}", joined="c9")
    bench.write()
    names = [str(call) for (call,) in bench.rows()]
    assert [name for name in names if name.startswith("good")] == [
        *(f"good{number}" for number in range(5)),
        *(f"good{number}" for number in range(14, 105, 10)),
    ]
    assert len(names) == 15 + 60
    assert bench.tapes.sizes() == EMPTY


def test_the_rate_is_of_a_second(bench: Bench) -> None:
    bench.begin(all_below=5, sample=0)
    for number in range(10):
        bench.call(f"first{number}")
    bench.write()
    for number in range(10):
        bench.call(f"second{number}")
    bench.write()
    assert len(bench.rows()) == 10


def test_the_oldest_octets_go(bench: Bench) -> None:
    bench.call("one")
    bench.write()
    [(size,)] = bench.rows("octets")
    assert isinstance(size, int)
    bench.begin(octets=10 * size + size // 2, all_below=1000)
    for number in range(30):
        bench.call(f"c{number:02}")
        if number % 7 == 0:
            bench.write()
    bench.write()
    left = [str(call) for (call,) in bench.rows()]
    assert left == [f"c{number}" for number in range(30 - len(left), 30)]
    assert 9 <= len(left) <= 11


def test_what_is_too_old_goes_a_few_at_a_time(bench: Bench) -> None:
    bench.begin(age=100.0, all_below=1000)
    rows = [(f"old{number}", 0.0, 1, number, 0, b"x") for number in range(500)]
    bench.database._connection.executemany("INSERT INTO tapes VALUES (?, ?, ?, ?, ?, ?)", rows)
    for number in range(1, 6):
        bench.now = 2000.0 + number
        bench.tapes.heard.fresh.append(taped("x"))
        bench.tapes.heard.listen()
        one = record(f"new{number}", "x")
        bench.tapes.tie(one, bench.now)
        bench.tapes._calls[one.call].start = bench.now
        bench.write()
        assert len(bench.rows()) == max(500 - 102 * number, 0) + number


def test_what_is_too_old_goes_also_where_nobody_calls(bench: Bench) -> None:
    bench.begin(age=100.0)
    rows = [(f"old{number}", 0.0, 1, number, 0, b"x") for number in range(150)]
    bench.database._connection.executemany("INSERT INTO tapes VALUES (?, ?, ?, ?, ?, ?)", rows)
    bench.write()
    assert len(bench.rows()) == 50
    bench.write(DROP_SECONDS - 1.0)
    assert len(bench.rows()) == 50
    bench.write(2.0)
    assert bench.rows() == []


def test_what_a_full_disk_refuses_is_written_later_within_a_bound(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pages,) = bench.database._connection.execute("PRAGMA page_count").fetchone()
    bench.database._connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(100):
        bench.call(f"c{number:02}", by="")
    with pytest.raises(sqlite3.Error):
        bench.write()
    assert bench.tapes.waiting == 100
    assert bench.tapes.sizes()["tape octets"] > 0
    monkeypatch.setattr(tapes_module, "MOST", bench.tapes.sizes()["tape octets"] // 2)
    bench.database._connection.execute("PRAGMA max_page_count = 100000")
    bench.write()
    assert 40 <= len(bench.rows()) <= 60
    assert bench.tapes.lost() == 100 - len(bench.rows())
    assert (bench.tapes.lost(), bench.tapes.sizes()) == (0, EMPTY)


def test_three_thousand_calls_leave_nothing_in_memory(bench: Bench) -> None:
    for number in range(3000):
        bench.call(f"c{number}", by="caller" if number % 3 else "")
        bench.write(0.01)
    bench.write()
    assert bench.tapes.sizes() == EMPTY
    assert bench.tapes._calls == {}
    assert len(bench.tapes._over) == 0


def test_a_call_in_progress_is_told_so_far(bench: Bench) -> None:
    bench.tapes.heard.fresh.extend([taped("b", wall=2.0), taped("lost", wall=1.5), taped("a", wall=1.0)])
    messages, left_out = bench.tapes.so_far("c1", ("a", "b"))
    assert ([kept.wall for kept in messages], left_out) == ([1.0, 2.0], 0)
    bench.tapes.tie(record("c1", "lost", leg=1, by="", ends=False), bench.now)
    messages, _ = bench.tapes.so_far("c1", ("a", "b", "unknown"))
    assert [kept.wall for kept in messages] == [1.0, 1.5, 2.0]
    assert bench.tapes.so_far("c2", ()) == ([], 0)


def test_at_the_end_everything_is_closed(bench: Bench) -> None:
    bench.call("c1")
    bench.tapes.close(bench.now, bench.now, everything=True)
    bench.tapes.write(bench.now)
    assert bench.rows() == [("c1",)]


def test_what_is_known_of_a_call_whose_tapes_are_gone_goes_too(bench: Bench) -> None:
    bench.hear(taped("a"))
    bench.tapes.tie(record("c1", "a", ends=False), bench.now)
    bench.tapes.heard.forget(b"a")
    bench.write(100.0)
    assert bench.tapes._calls == {}
