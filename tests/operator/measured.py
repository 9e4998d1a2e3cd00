"""A server's measures, as they come from its control socket."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from b2bua.core import PolicyView, TrunkView
from b2bua.effects import Record
from b2bua.io.histogram import Histogram
from b2bua.io.measures import Expiry, Measures, Waiting
from b2bua.io.tally import Tally


def record(cause: int = 200, *, leg: int = 0, answer: float | None = None, end: float = 0.0) -> Record:
    """A leg's record."""
    return Record(
        call="c", leg=leg, direction="out" if leg else "in", sip_call_id="1", caller="alice", callee="bob", target="",
        source="127.0.0.1", start=0.0, answer=answer, end=end, cause=cause, reason="", hung_up_by="", policy="p",
        rules=(),
    )  # fmt: skip


def measures(**changes: Any) -> dict[str, Any]:
    """A server where something of everything is known, with these changes."""
    tally, lag = Tally(), Histogram((0.01, 0.1))
    for one in (record(answer=3.0, end=63.0), record(486), record(leg=1)):
        tally.take(one)
    lag.add(0.05)
    trunk = TrunkView(
        name="pstn", uri="sip:gw.example", state="up", why="", since=0.0, registration="registered",
        registration_why="", registered_until=None, channels=2, limit=30, calls_ok=5, calls_failed=1, last_failure="",
        last_failure_at=None, latency=0.02,
    )  # fmt: skip
    sizes = ("calls", "legs", "dialogs", "transactions", "timers", "pending", "messages", "media ports", "connections")
    whole = Measures(
        version="1.0",
        pid=1_000_000_000,
        media_pid=None,
        started=1000.0,
        draining=False,
        users=2,
        bindings=3,
        sizes=dict.fromkeys(sizes, 4),
        counters={"udp_dropped": 7},
        media={"restarts": 1, "ports": 100, "in_use": 6, "relayed": 12},
        trunks=[trunk],
        policies=[PolicyView("abc", "office", "in force", 900.0, 100, 1)],
        calls=tally.counted(),
        lag=lag.shown(),
        store=Waiting(1, 0, ""),
        certificates=[Expiry("sip.pem", 5000.0)],
    )
    found: dict[str, Any] = json.loads(msgspec.json.encode(whole)) | changes
    return found
