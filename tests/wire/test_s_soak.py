"""3,000 calls at 100 a second, and nothing left of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .conftest import LINGERING
from .lab import Lab
from .server import Server

EACH = 750
"""Calls of each of the four kinds."""
RATE = 25
"""Calls a second of each kind: 100 in all."""


def test_s01_three_thousand_calls_at_a_hundred_a_second_leave_nothing(lab_policy: Path, tmp_path: Path) -> None:
    with Server(lab_policy, tmp_path, traced=False) as server, Lab(server, tmp_path) as lab:
        lines = {user: lab.register(user) for user in ("bob", "carol", "dave", "erin")}
        begun = server.sizes()
        phones = [
            lab.answerer("answer", lines["carol"], calls=EACH, timeout=90, trace=False),
            lab.answerer("refuse", lines["bob"], calls=EACH, timeout=90, trace=False, status=486),
            lab.answerer("ring-until-cancelled", lines["erin"], calls=EACH, timeout=90, trace=False),
            lab.answerer("ring-until-cancelled", lines["dave"], calls=EACH, timeout=90, trace=False),
        ]
        load = partial(lab.caller, calls=EACH, rate=RATE, timeout=90, trace=False)
        callers = [
            load("call", "alice", "carol"),
            load("call-refused", "alice", "bob", status=486),
            load("call-cancelled", "alice", "erin", patience=200),
            load("call-refused", "alice", "patience", status=480),
        ]
        for sipp in (*callers, *phones):
            sipp.wait()
        server.wait_sizes(begun, LINGERING)
