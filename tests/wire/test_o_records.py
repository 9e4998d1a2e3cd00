"""Call records for billing, of a server that runs, is killed, and is told to end."""

from __future__ import annotations

import csv
import http.server
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bua.operator.cdr import COLUMNS

from .lab import Lab
from .server import B2BUA, Server

OFFICE = Path(__file__).parent.parent.parent / "examples" / "office" / "office.route"


class Receiver:
    """What a webhook's calls come to: ids in their order, with doubles."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._news = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                calls = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["calls"]
                self.send_response(204)
                self.end_headers()
                receiver.take([call["id"] for call in calls])

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/calls"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, ids: list[str]) -> None:
        with self._news:
            self.ids += ids
            self._news.notify_all()

    def wait(self, count: int) -> list[str]:
        with self._news:
            assert self._news.wait_for(lambda: len(set(self.ids)) >= count, 30.0), self.ids
            return list(self.ids)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def rows(path: Path) -> list[dict[str, str]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(path.read_text(encoding="utf-8").splitlines())]


def wait_rows(path: Path, count: int) -> list[dict[str, str]]:
    deadline = time.monotonic() + 30.0
    while len(found := rows(path)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def a_call(lab: Lab, called: str) -> str:
    phone = lab.answerer("answer", lab.register(called))
    call_id = lab.call_id()
    lab.caller("call", "alice", called, call_id=call_id, talk=1200).wait()
    phone.wait()
    return call_id


def test_calls_end_in_the_file_and_at_the_url_also_through_kill_9(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "Master.csv"
    settings = f"records: {{csv: {path}, webhook: '{receiver.url}'}}\n"
    with Server(OFFICE, tmp_path / "server", settings=settings) as server:
        with Lab(server, tmp_path) as lab:
            first = a_call(lab, "bob")
            [row] = wait_rows(path, 1)
            assert (row["src"], row["dst"], row["disposition"]) == ("alice", "bob", "ANSWERED")
            assert (row["lastapp"], row["channel"], row["billsec"]) == ("Dial", f"SIP/{first}", "1")
            a_call(lab, "carol")
            server.records(a_call(lab, "dave"), legs=2)
            server.kill()
            server.restart()
            third = wait_rows(path, 3)
            a_call(lab, "bob")
            wait_rows(path, 4)
        server.program.stop()
        ids = [row["call"] for row in rows(path)]
        assert len(ids) == len(set(ids)) == 4
        assert [row["call"] for row in third] == ids[:3]
        assert set(receiver.wait(4)) == set(ids)
        done = subprocess.run([B2BUA, "records", "--csv", "--state", str(server.state)], capture_output=True, text=True)
        assert done.stdout == path.read_text(encoding="utf-8")


def test_the_end_of_a_server_leaves_no_call_out(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    with Server(OFFICE, tmp_path / "server", settings=f"records: {{csv: {path}}}\n") as server:
        with Lab(server, tmp_path) as lab:
            a_call(lab, "bob")
        assert server.program.stop() == 0
    assert len(rows(path)) == 1


def test_a_file_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("records: {csv: nowhere/Master.csv}\n", encoding="utf-8")
    command = [B2BUA, "run", str(OFFICE), "--settings", str(settings), "--state", str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    why = "no such file or directory; see `csv` of `records`"
    said = f"b2bua: cannot write call records to {tmp_path}/nowhere/Master.csv: {why}\n"
    assert (done.returncode, done.stderr) == (1, said)
