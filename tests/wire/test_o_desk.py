"""The desk as it runs: scraped by promtool, killed, stuck, and calls go on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ports import block
from .program import Program, WireError
from .server import B2BUA, Server

POLICY = """policy "desk"
domain example.test
on register { otherwise -> reject 403 }
on call { otherwise -> reject 486 }
"""
INVITE = """\
INVITE sip:bob@example.test SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{number};rport\r
From: <sip:alice@example.test>;tag=1\r
To: <sip:bob@example.test>\r
Call-ID: {number}\r
CSeq: 1 INVITE\r
Contact: <sip:alice@127.0.0.1:{port}>\r
Max-Forwards: 70\r
Content-Length: 0\r
\r
"""


class Watched:
    """A server with a desk, at `port`."""

    def __init__(self, folder: Path) -> None:
        policy = folder / "desk.route"
        policy.write_text(POLICY, encoding="utf-8")
        self.port = block(1)
        self.server = Server(policy, folder, settings=f"http: {{listen: 127.0.0.1:{self.port}}}\n")

    def get(self, path: str) -> tuple[int, str]:
        """Status and body, once the desk takes connections."""
        deadline = time.monotonic() + 20.0
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()
            except OSError:
                # A desk that has just been started, or killed.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def value(self, sample: str) -> float:
        """One sample of /metrics."""
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.get("/metrics")[1], flags=re.MULTILINE)
        assert found is not None, sample
        return float(found[1])

    def desk(self) -> int:
        """The desk's process id."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"b2bua.operator.desk.process" in command and parent == self.server.program.pid:
                return int(folder.name)
        raise WireError("there is no desk")

    def call(self, number: int) -> bytes:
        """The final response to a call: the server is alive."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(5.0)
            phone.connect((self.server.udp.host, self.server.udp.port))
            phone.send(INVITE.format(port=phone.getsockname()[1], number=number).encode())
            while (answer := phone.recv(65_535)).startswith(b"SIP/2.0 1"):
                pass
            return answer


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    with watched.server:
        yield watched


def test_a_server_is_scraped(watched: Watched) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: promtool")
    assert watched.call(1).startswith(b"SIP/2.0 486")
    status, text = watched.get("/metrics")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (status, done.returncode, done.stdout + done.stderr) == (200, 0, "")
    assert watched.value('b2bua_calls_ended_total{outcome="busy"}') == 1.0
    assert watched.value('b2bua_process_resident_memory_bytes{process="server"}') > 1_000_000
    assert watched.get("/healthz") == (200, '{"healthy":true,"why":[]}')
    assert watched.get("/readyz") == (200, '{"ready":true,"why":[]}')


def test_a_server_that_stands_still_is_unhealthy_and_then_well_again(watched: Watched) -> None:
    watched.get("/healthz")
    pid = watched.server.program.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        deadline = time.monotonic() + 20.0
        while watched.get("/healthz")[0] == 200:
            assert time.monotonic() < deadline
    finally:
        os.kill(pid, signal.SIGCONT)
    while watched.get("/healthz")[0] != 200:
        assert time.monotonic() < deadline


def test_a_desk_that_is_killed_is_started_again_and_calls_notice_nothing(watched: Watched) -> None:
    watched.get("/healthz")
    os.kill(watched.desk(), signal.SIGKILL)
    assert watched.call(2).startswith(b"SIP/2.0 486")
    watched.server.program.wait_line('desk lost why="it has ended"', 10.0)
    assert watched.get("/healthz")[0] == 200


def test_readers_that_never_read_cost_nothing(watched: Watched) -> None:
    watched.get("/healthz")
    stuck = [socket.create_connection(("127.0.0.1", watched.port)) for _ in range(50)]
    try:
        for reader in stuck:
            reader.send(b"GET /metrics HTTP/1.1\r\nHost: desk\r\n\r\n" * 50)
        for number in range(20):
            assert watched.call(100 + number).startswith(b"SIP/2.0 486")
        assert watched.get("/healthz")[0] == 200
    finally:
        for reader in stuck:
            reader.close()


def test_nonsense_kills_no_desk(watched: Watched) -> None:
    watched.get("/healthz")
    pid = watched.desk()
    upgrade = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    for nonsense in (
        b"\0" * 4096,
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"x" * 999,
        upgrade,
    ):
        with socket.create_connection(("127.0.0.1", watched.port)) as peer:
            peer.send(nonsense)
    assert watched.get("/healthz")[0] == 200
    assert watched.desk() == pid


def test_the_desk_ends_with_its_server(watched: Watched) -> None:
    assert watched.get("/readyz")[0] == 200
    pid = watched.desk()
    watched.server.program.stop()
    assert watched.server.program.code == 0
    assert not Path(f"/proc/{pid}").exists()
    assert "Traceback" not in "\n".join(watched.server.program.lines())


def test_a_port_that_is_taken_is_said_in_a_sentence(watched: Watched, tmp_path: Path) -> None:
    settings = tmp_path / "second.yaml"
    settings.write_text(f"media: {{first_port: 0, last_port: 0}}\nhttp: {{listen: 127.0.0.1:{watched.port}}}\n")
    command = [B2BUA, "run", str(watched.server.policy), "--settings", str(settings)]
    command += [f"--listen=udp:127.0.0.1:{block(1)}", "--state", str(tmp_path / "second")]
    with Program(command, tmp_path / "second.log") as second:
        assert second.wait(20.0) == 1
        assert second.lines()[-1] == (
            f"b2bua: cannot listen on tcp:127.0.0.1:{watched.port}: Address already in use; "
            "another program has this port: end it, or listen elsewhere with `http`"
        )
