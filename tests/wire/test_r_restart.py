"""What outlives the process: kill -9 at any moment loses no registration whose 200 was sent."""

from __future__ import annotations

from pathlib import Path

from .lab import Lab
from .server import Server


def test_r01_a_registration_survives_kill_9(lab_policy: Path, tmp_path: Path) -> None:
    with Server(lab_policy, tmp_path) as server, Lab(server, tmp_path) as lab:
        line = lab.register("bob")
        server.kill()
        server.restart()
        phone = lab.answerer("answer", line)
        lab.caller("call", "alice", "bob").wait()
        phone.wait()


def test_r02_call_records_survive_kill_9(lab_policy: Path, tmp_path: Path) -> None:
    with Server(lab_policy, tmp_path) as server, Lab(server, tmp_path) as lab:
        phone = lab.answerer("answer", lab.register("bob"))
        call_id = lab.call_id()
        lab.caller("call", "alice", "bob", call_id=call_id).wait()
        phone.wait()
        before = server.records(call_id, legs=2)
        server.kill()
        server.restart()
        assert server.records(call_id, legs=2) == before
