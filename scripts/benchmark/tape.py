"""`scripts/bench tape`: what it costs a call that its messages are kept.

The same load on the same server, with different settings in turn, several times: a shared machine is never twice the
same, so that neighbours are compared, and medians shown. Nearly all of it is done by the store's thread, whose
processor time is therefore shown by itself: it is far less disturbed than that of the whole.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sqlite3
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.failure import BenchError
from benchmark.load import Plan, Ports
from benchmark.machine import describe
from benchmark.measure import Bench, Windows, carry
from benchmark.servers import CACHE, B2bua

SETTINGS = {
    "kept of no call": "{octets: off}",
    "kept of every call": "{octets: 500MB, all_below: 100000}",
    "kept as by default": "{octets: 500MB}",
    "kept of failed calls alone": "{octets: 500MB, all_below: 1, sample: off}",
}
WARM_UP_SECONDS = 2.0
_QUIET_SECONDS = 10.0


@dataclass
class Row:
    """One of the settings: microseconds of a call, of the whole server and of its threads beside the event loop."""

    name: str
    whole: list[float] = field(default_factory=list)
    threads: list[float] = field(default_factory=list)
    stored: int = 0
    octets: int = 0


def measure(bench: Bench, plan: Plan, rounds: int) -> list[Row]:
    """Each of the settings in turn, so many times."""
    rows = [Row(name) for name in SETTINGS]
    for number in range(rounds):
        for row in rows:
            bench.say(f"round {number + 1} of {rounds}: {row.name}")
            _load(bench, plan, row)
    return rows


def _load(bench: Bench, plan: Plan, row: Row) -> None:
    further = f"history: {{messages: {SETTINGS[row.name]}}}"
    with B2bua(further=further).start(bench.folder, bench.ports, bench.server_core) as server:
        bench.wait_until_quiet(_QUIET_SECONDS)
        before = server.other_threads()
        carried = carry(bench, server, plan, WARM_UP_SECONDS)
        if carried.window is None or carried.failed:
            raise BenchError(f"{plan.rate} calls a second were not carried: {carried.why}")
        row.whole.append(carried.window.each)
        row.threads.append(1e6 * (server.other_threads() - before) / carried.successful)
    row.stored, row.octets = _stored(bench.folder / "state")


def _stored(state: Path) -> tuple[int, int]:
    """How many calls have their messages in the store, and the octets that one takes."""
    with contextlib.closing(sqlite3.connect(f"file:{state / 'b2bua.sqlite'}?mode=ro", uri=True)) as store:
        count, octets = store.execute("SELECT count(*), coalesce(avg(octets), 0) FROM tapes").fetchone()
    return int(count), round(octets)


def render(rows: Sequence[Row]) -> str:
    """The table: medians, and what each row has more than the first."""
    lines = [("messages", "us of a call", "more", "in threads", "more", "calls stored", "octets each")]
    first = rows[0]
    for row in rows:
        values = []
        for name in ("whole", "threads"):
            here, there = (statistics.median(getattr(one, name)) for one in (row, first))
            values += [f"{here:.0f}", "-" if row is first else f"{here - there:+.0f}"]
        lines.append((row.name, *values, str(row.stored), str(row.octets)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
    )


def main() -> int:
    """Run what the command line asks for, and print the figures."""
    options = _options()
    os.sched_setaffinity(0, {options.sipp_core})
    folder = CACHE / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    whole = WARM_UP_SECONDS + options.seconds
    windows = Windows(WARM_UP_SECONDS, options.seconds, whole, whole, 0.0, 0)
    bench = Bench(Ports(options.port), options.server_core, options.sipp_core, folder, windows, _say)
    try:
        rows = measure(bench, Plan(options.rate, int(options.rate * whole)), options.rounds)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
    if options.json:
        figures = [{"name": row.name, "whole_us": row.whole, "threads_us": row.threads} for row in rows]
        print(json.dumps({"machine": describe(), "rate": options.rate, "rows": figures}, indent=2))
    else:
        print("  ".join(f"{key} {value}" for key, value in describe().items()))
        print(f"{options.rate} calls a second, medians of {options.rounds} rounds\n")
        print(render(rows))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench tape", description="What it costs that calls' messages are kept.")
    add = parser.add_argument
    add("--rate", type=int, default=100, help="calls a second (default 100)")
    add("--seconds", type=float, default=10.0, help="for how long, each time (default 10)")
    add("--rounds", type=int, default=5, help="how often (default 5)")
    add("--port", type=int, default=Ports().base, help="the first of 100 ports (default 29500)")
    add("--server-core", type=int, default=1, help="the core of the server (default 1)")
    add("--sipp-core", type=int, default=0, help="the core of the SIPps (default 0)")
    add("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
