"""Telling a file, and whoever is at a URL, of each call that ended: at least once, in order, through every failure."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
from structlog.testing import LogCapture

from b2bua.io.database import Database
from b2bua.io.failure import ServerError
from b2bua.io.state import DATABASE
from b2bua.operator.cdr import COLUMNS
from b2bua.operator.desk.csv_file import CsvFile
from b2bua.operator.desk.cursor import Cursor
from b2bua.operator.desk.ended import PORTION, EndedCall, begun_since
from b2bua.operator.desk.feed import Feed, NotToldError
from b2bua.operator.desk.webhook import Webhook

from .measured import record

pytestmark = pytest.mark.trio


class Bench:
    """A store, and what was logged."""

    def __init__(self, folder: Path) -> None:
        self.state = folder
        self.database = Database(folder / DATABASE, notes_ends=True)
        self.logged = LogCapture()
        self.log = structlog.wrap_logger(
            None, processors=[self.logged], wrapper_class=structlog.make_filtering_bound_logger(0)
        )

    def end(self, *calls: str) -> None:
        """Let calls end: each had a caller, who heard 486."""
        changes = [{"call": call, "sip_call_id": call, "start": 5.0, "over": (call,)} for call in calls]
        self.database.put_records([replaced(change) for change in changes])

    def feed(self, tell: Any, first: int = 0) -> Feed:
        return Feed("them", self.state, first, tell, self.log, longest=1.0)

    def events(self) -> list[tuple[str, object]]:
        return [(str(entry["event"]), entry.get("why")) for entry in self.logged.entries]


def replaced(changes: dict[str, Any]) -> Any:
    import msgspec

    return msgspec.structs.replace(record(486), **changes)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.database.close()


class Listener:
    """Hears of calls; refuses while `why` is not empty."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.why = ""
        self.tries = 0
        self.tried = trio.Event()

    async def tell(self, calls: Sequence[EndedCall]) -> None:
        self.tries += 1
        if not self.why:
            self.heard += [call.call for call in calls]
        self.tried.set()
        self.tried = trio.Event()
        if self.why:
            raise NotToldError(self.why)


async def last_of(feed: Feed) -> None:
    """What a feed does when the server has ended."""
    ended = trio.Event()
    ended.set()
    with trio.fail_after(60.0):
        await feed.run(ended)


async def test_each_call_is_told_once_in_the_order_of_their_ends(bench: Bench) -> None:
    listener = Listener()
    names = [f"c{number}" for number in range(2 * PORTION + 7)]
    bench.end(*names)
    await last_of(bench.feed(listener.tell))
    assert listener.heard == names
    bench.end("late")
    await last_of(bench.feed(listener.tell))
    assert listener.heard == [*names, "late"]


async def test_what_ended_before_anybody_was_to_be_told_is_not_told(bench: Bench) -> None:
    bench.end("old")
    listener = Listener()
    first = bench.database.newest_end()
    bench.end("new")
    await last_of(bench.feed(listener.tell, first))
    # From then on what was told counts, whatever the server says at its start.
    bench.end("newer")
    await last_of(bench.feed(listener.tell, bench.database.newest_end()))
    assert listener.heard == ["new", "newer"]


async def test_a_failure_is_tried_again_and_said_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2bua.operator.desk.feed.FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr("b2bua.operator.desk.feed.LOOK_SECONDS", 0.001)
    listener, ended = Listener(), trio.Event()
    listener.why = "no"
    bench.end("one")
    feed = bench.feed(listener.tell)
    with trio.fail_after(60.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed.run, ended)
            while listener.tries < 4:
                await listener.tried.wait()
            assert feed.failing
            listener.why = ""
            while not listener.heard:
                await listener.tried.wait()
            ended.set()
    assert listener.heard == ["one"]
    assert feed.failures == listener.tries - 1
    assert not feed.failing
    assert bench.events() == [("records not told", "no"), ("records told again", None)]


async def test_a_call_without_records_of_its_own_holds_nobody_up(bench: Bench) -> None:
    bench.database.put_records([replaced({"call": "heir", "over": ("heir", "moved-away")})])
    bench.end("next")
    listener = Listener()
    await last_of(bench.feed(listener.tell))
    assert listener.heard == ["heir", "", "next"]


async def test_two_desks_do_not_tell_the_same(bench: Bench) -> None:
    bench.end("one")
    other = Cursor(bench.state / "them.told", 0)
    listener = Listener()
    await last_of(bench.feed(listener.tell))
    assert listener.heard == []
    other.close()
    await last_of(bench.feed(listener.tell))
    assert listener.heard == ["one"]
    assert bench.events() == []


# The file.


def written(path: Path) -> list[str]:
    return [row[COLUMNS.index("call")] for row in csv.reader(path.read_text(encoding="utf-8").splitlines())]


async def test_a_file_is_added_to_and_begun_anew_when_it_was_moved_away(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    feed = bench.feed(CsvFile(path).tell)
    for name in ("one", "two"):
        bench.end(name)
        await last_of(feed)
    path.rename(tmp_path / "Master.csv.1")
    bench.end("three")
    await last_of(feed)
    assert written(tmp_path / "Master.csv.1") == ["one", "two"]
    assert written(path) == ["three"]


async def test_after_a_crash_no_row_stands_there_twice(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    bench.end("one", "two")
    await last_of(bench.feed(CsvFile(path).tell))
    (bench.state / "them.told").write_text("1")
    bench.end("three")
    await last_of(bench.feed(CsvFile(path).tell))
    assert written(path) == ["one", "two", "three"]


async def test_what_fits_only_in_part_is_taken_back(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Master.csv"
    bench.end("one")
    file = CsvFile(path)
    await last_of(bench.feed(file.tell))
    bench.end("two")
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[: len(data) // 2])

    with monkeypatch.context() as patched:
        patched.setattr("b2bua.operator.desk.csv_file.os.write", full)
        await last_of(bench.feed(file.tell))
    assert written(path) == ["one"]
    assert bench.events() == [("records not told", f"{path}: No space left on device")]
    await last_of(bench.feed(file.tell))
    assert written(path) == ["one", "two"]


# The URL.


class Receiver:
    """An HTTP server that answers as `answer` says, or not at all while that is empty."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            data = b""
            while b"\r\n\r\n" not in data:
                data += await stream.receive_some()
            head, _, body = data.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
            while len(body) < int(fields["content-length"]):
                body += await stream.receive_some()
            self.got.append((fields, body))
            if not self.answer:
                await trio.sleep_forever()
            await stream.send_all(self.answer)

    def calls(self) -> list[str]:
        return [call["id"] for _, body in self.got for call in json.loads(body)["calls"]]


@pytest.fixture
async def receiver(nursery: trio.Nursery) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    receiver.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/calls"
    nursery.start_soon(partial(trio.serve_listeners, receiver.serve, [listener]))
    yield receiver
    nursery.cancel_scope.cancel()


async def test_a_delivery_has_calls_with_their_legs_and_a_signature(
    bench: Bench, receiver: Receiver, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    key.chmod(0o600)
    bench.end("one", "two")
    await last_of(bench.feed(Webhook(receiver.url, str(key)).tell))
    [(fields, body)] = receiver.got
    assert receiver.calls() == ["one", "two"]
    [leg] = json.loads(body)["calls"][0]["legs"]
    assert (leg["leg"], leg["caller"], leg["cause"], leg["rules"], leg["tags"]) == (0, "alice", 486, [], {})
    assert fields["content-type"] == "application/json"
    second, _, proof = fields["b2bua-signature"].removeprefix("t=").partition(",v1=")
    assert proof == hmac.new(b"secret", f"{second}.".encode() + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 500 Oops\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answered 302"),
        (b"nonsense\r\n\r\n", "cannot be told: "),
        (b"", "took no delivery within 0.2 s"),
    ],
)
async def test_what_a_receiver_does_not_take_it_gets_again(
    bench: Bench, receiver: Receiver, answer: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not answer:
        monkeypatch.setattr("b2bua.operator.desk.webhook.PATIENCE_SECONDS", 0.2)
    bench.end("one")
    good, receiver.answer = receiver.answer, answer
    await last_of(bench.feed(Webhook(receiver.url, "").tell))
    [(event, told)] = bench.events()
    assert event == "records not told"
    assert str(told).startswith(f"{receiver.url} {why}")
    receiver.answer = good
    monkeypatch.setattr("b2bua.operator.desk.webhook.PATIENCE_SECONDS", 20.0)
    await last_of(bench.feed(Webhook(receiver.url, "").tell))
    assert receiver.calls() == ["one", "one"]
    await last_of(bench.feed(Webhook(receiver.url, "").tell))
    assert len(receiver.got) == 2


async def test_an_answer_without_end_is_not_read(bench: Bench, receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100_000
    bench.end("one")
    await last_of(bench.feed(Webhook(receiver.url, "").tell))
    assert bench.events() == []


async def test_nobody_is_there(bench: Bench) -> None:
    bench.end("one")
    await last_of(bench.feed(Webhook("http://127.0.0.1:1/", "").tell))
    assert str(bench.events()[0][1]).startswith("http://127.0.0.1:1/ cannot be told: ")


async def test_a_secret_that_others_can_read_signs_nothing(bench: Bench, receiver: Receiver, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    key.chmod(0o644)
    bench.end("one")
    await last_of(bench.feed(Webhook(receiver.url, str(key)).tell))
    assert bench.events() == [("records not told", f"others on this machine may read {key}; run `chmod 600 {key}`")]
    assert receiver.got == []


async def test_past_calls_are_read_whoever_was_told(tmp_path: Path) -> None:
    with pytest.raises(ServerError):
        begun_since(tmp_path, 0.0)
    database = Database(tmp_path / DATABASE)
    database.put_records([replaced({"call": "b", "start": 9.0}), replaced({"call": "a", "start": 7.0})])
    database.put_records([replaced({"call": "c", "start": 1.0, "over": ("c",)})])
    assert [call.call for call in begun_since(tmp_path, 5.0)] == ["a", "b"]
    assert database.newest_end() == 0
    database.close()
