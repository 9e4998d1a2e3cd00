"""Calls as a collector of HEP has them: sngrep takes the packets apart, tshark reads what it has kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Lab
from .ports import block, bound
from .program import Program
from .server import Server

OFFICE = Path(__file__).parent.parent.parent / "examples" / "office" / "office.route"
FIELDS = ("frame.time_epoch", "ip.src", "udp.srcport", "ip.dst", "udp.dstport", "sip.Call-ID", "sip.Request-Line",
          "sip.Status-Line")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if missing := [tool for tool in ("sngrep", "tshark") if shutil.which(tool) is None]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not installed: {', '.join(missing)}")


class Collector:
    """sngrep, which listens at `port` and writes what comes into `file`."""

    def __init__(self, folder: Path) -> None:
        self.port = block(1)
        self.file = folder / "collected.pcap"
        address = f"udp:127.0.0.1:{self.port}"
        command = ["sngrep", "-F", "-N", "-q", "-L", address, "-O", str(self.file)]
        self.program = Program(command, folder / "sngrep.log")
        deadline = time.monotonic() + 10.0
        while not bound("127.0.0.1", self.port, "udp"):
            assert time.monotonic() < deadline, self.program.tail()
            time.sleep(0.02)

    def messages(self) -> list[list[str]]:
        """All that came, in the order of its coming: the values of FIELDS."""
        self.program.stop(sent=signal.SIGINT)
        command = ["tshark", "-r", str(self.file), "-d", "udp.port==1-65535,sip", "-T", "fields"]
        for field in FIELDS:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[tuple[Lab, Collector]]:
    collector = Collector(tmp_path)
    settings = f"hep: {{to: 127.0.0.1:{collector.port}}}\n"
    with (
        collector.program,
        Server(OFFICE, tmp_path / "server", settings=settings) as server,
        Lab(server, tmp_path) as lab,
    ):
        yield lab, collector


def test_both_legs_of_a_call_are_collected_as_they_went(collected: tuple[Lab, Collector]) -> None:
    lab, collector = collected
    began = time.time()
    phone = lab.answerer("answer", lab.register("bob"), ring=100)
    call_id = lab.call_id()
    caller = lab.caller("call", "alice", "bob", call_id=call_id, talk=100)
    caller.wait()
    phone.wait()
    lab.server.records(call_id, legs=2)
    traced = [json.loads(line) for line in lab.server.trace.read_text(encoding="utf-8").splitlines()]
    status = lab.server.show("status")
    assert isinstance(status, dict)
    counters = status["counters"]
    assert counters.get("hep_lost", 0) == 0
    assert counters["hep_sent"] == len(traced)
    found = collector.messages()
    assert len(found) == len(traced) >= 20
    us = ["127.0.0.1", str(lab.server.udp.port)]
    for line, (at, *way, dialog, request, answer) in zip(traced, found, strict=True):
        source, target = (way[:2], way[2:]) if line["dir"] == "out" else (way[2:], way[:2])
        assert source == us
        assert ":".join(target) == line["remote"]
        assert abs(float(at) - line["t"]) < 0.001
        assert began <= float(at) <= time.time()
        assert (request or answer) == line["data"].partition("\r\n")[0]
        assert f"Call-ID: {dialog}\r\n" in line["data"]
    assert {row[5] for row in found} >= {call_id, phone.received("INVITE ")[0].header("Call-ID")}


def test_a_collector_that_is_not_there_costs_no_call(tmp_path: Path) -> None:
    settings = f"hep: {{to: 127.0.0.1:{block(1)}}}\n"
    with Server(OFFICE, tmp_path / "server", settings=settings) as server, Lab(server, tmp_path) as lab:
        phone = lab.answerer("answer", lab.register("bob"))
        caller = lab.caller("call", "alice", "bob")
        caller.wait()
        phone.wait()
