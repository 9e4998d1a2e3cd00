"""`scripts/bench setup`: how long callers wait for an answer, while the server carries no media and while it does.

Owns the order of the four loads, the reading of the times, and the table. The server runs as its users start it, with
its media process, on a core of its own. SIPp calls at a steady rate from the other core, and the called SIPp answers at
once: what is measured is from the INVITE to its 200, as the caller sent and read them. Then calls with media are set up
by the same server and held: listeners to music, and relayed calls that talk both ways (see `held`); and it is measured
again. Both times SIPp calls SIPp without the server too, which is what SIPp and the core that it shares with the phones
have of the figures; SIPp comes before the phones there, where that is allowed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.failure import BenchError
from benchmark.held import Held, Media
from benchmark.load import MESSAGES, NUMBER, Plan, Ports
from benchmark.machine import describe
from benchmark.measure import Bench, Carried, Windows, carry
from benchmark.media_load import part
from benchmark.process import Process
from benchmark.servers import CACHE, B2bua

RELAYED = "+4931123456"
"""The number of a timed call whose media the server relays; those of NUMBER go past it."""
WARM_UP_SECONDS = 2.0
LEFT = 0.99
"""The part of music and talk that has to arrive for the load to have been there."""

_SPARE_PAIRS = 200
_BETWEEN_SECONDS = 30.0
"""What a load takes beside its calls, at the most: waiting for a quiet machine, and for SIPp to end."""
_QUIET_SECONDS = 10.0
_SHARES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Row:
    """One load of timed calls: who carried it, with what media beside it, and how long each answer took in seconds.

    `waits` are sorted, and without those of the warm-up. `media` is None where there were none.
    """

    name: str
    carried: Carried
    waits: list[float]
    media: Media | None

    @property
    def core(self) -> float | None:
        """The part of its core that the server had, its media process included; None where it carried no calls."""
        window = self.carried.window
        return window.server.total / window.seconds if window is not None and window.server.total else None

    @property
    def wanting(self) -> str:
        """What makes these figures doubtful; empty when nothing does."""
        reasons = [self.carried.why]
        if self.media is not None:
            reasons += [
                f"only {share:.1%} of the {what}"
                for what, share in (
                    ("music arrived", self.media.music),
                    ("talk was relayed", self.media.relayed),
                    ("talk was sent, the phones had no time for more", self.media.spoken),
                )
                if share is not None and share < LEFT
            ]
        return "; ".join(filter(None, reasons))

    def summary(self) -> dict[str, object]:
        """The figures: answers in milliseconds, parts from 0 to 1."""
        waits = {str(share): round(1e3 * part(self.waits, share), 3) for share in _SHARES}
        others = self.carried.window.others if self.carried.window is not None else None
        media = self.media
        return {
            "name": self.name,
            "calls": len(self.waits),
            "failed": self.carried.failed,
            "answer_ms": waits | {"worst": round(1e3 * max(self.waits, default=0.0), 3)},
            "server_core": self.core,
            "others": others,
            "media": None
            if media is None
            else {"music": media.music, "relayed": media.relayed, "spoken": media.spoken},
            "wanting": self.wanting,
        }


def answers(messages: Path, warm_up: float) -> list[float]:
    """How long each call waited for its 200, in seconds and sorted; not those begun within `warm_up` of the first."""
    asked: dict[str, float] = {}
    answered: dict[str, float] = {}
    for line in messages.read_text().splitlines():
        _, _, at, way, call, sequence, first = line.split("\t", 6)
        if way == "S" and first.startswith("INVITE "):
            asked.setdefault(call, float(at))
        elif way == "R" and first.startswith("SIP/2.0 200 ") and sequence.endswith(" INVITE"):
            answered.setdefault(call, float(at))
    began = min(asked.values(), default=0.0) + warm_up
    return sorted(at - asked[call] for call, at in answered.items() if asked[call] >= began)


class SetupBench:
    """Where it runs, and what the timed calls are."""

    def __init__(self, bench: Bench, plan: Plan) -> None:
        self._bench = bench
        self._plan = plan

    def rows(self, listeners: int, calls: int) -> Iterator[Row]:
        """Each row as it is measured: without media, then with so much of it."""
        bench = self._bench
        pairs = listeners + 2 * calls + _SPARE_PAIRS
        with B2bua("setup.route", pairs).start(bench.folder, bench.ports, bench.server_core) as server:
            bench.wait_until_quiet(_QUIET_SECONDS)
            yield self._row("SIPp alone", None, None)
            yield self._row("b2bua", server, None)
            bench.say(f"setting up {listeners} listeners and {calls} relayed calls")
            seconds = 2 * (self._plan.seconds + _BETWEEN_SECONDS)
            with Held(listeners, calls, bench.ports, bench.sipp_core, bench.folder / "held", seconds) as held:
                yield self._row("SIPp alone", None, held)
                yield self._row("b2bua", server, held)

    def _row(self, name: str, server: Process | None, held: Held | None) -> Row:
        self._bench.say(f"{name}, {'with' if held else 'without'} media: {self._plan.seconds:.0f} s")
        first = held.count() if held else None
        carried = carry(self._bench, server, self._plan, WARM_UP_SECONDS)
        media = held.between(first, held.count()) if held and first else None
        return Row(name, carried, answers(self._bench.folder / MESSAGES, WARM_UP_SECONDS), media)


def render(rows: Sequence[Row]) -> str:
    """The table, and below it what is wanting."""
    headings = ("", "calls", "failed", "median ms", "90 % ms", "99 % ms", "worst ms", "server's core", "others on it")
    lines: list[tuple[str, ...]] = [headings]
    for row in rows:
        waits = [part(row.waits, share) for share in _SHARES] + [max(row.waits, default=0.0)]
        name = f"{row.name}, {'without' if row.media is None else 'with'} media"
        core = "-" if row.core is None else f"{row.core:.0%}"
        shown = [f"{1e3 * wait:.2f}" for wait in waits]
        window = row.carried.window
        others = f"{window.others:.0%}" if window is not None and row.core is not None else "-"
        lines.append((name, str(len(row.waits)), str(row.carried.failed), *shown, core, others))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
    return "\n".join([*text, *(f"{row.name}: {row.wanting}" for row in rows if row.wanting)])


def main() -> int:
    """Run what the command line asks for, and print the figures."""
    options = _options()
    os.sched_setaffinity(0, {options.sipp_core})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = CACHE / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    whole = WARM_UP_SECONDS + options.seconds
    windows = Windows(WARM_UP_SECONDS, options.seconds, whole, whole, 0.0, 0)
    bench = Bench(Ports(options.port), options.server_core, options.sipp_core, folder, windows, _say)
    number = RELAYED if options.relayed else NUMBER
    plan = Plan(options.rate, int(options.rate * whole), number=number, timed=True)
    try:
        rows = list(SetupBench(bench, plan).rows(options.listeners, options.calls))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            _say(f"logs are in {folder}")
        else:
            shutil.rmtree(folder)
    asked = {"rate": plan.rate, "relayed": options.relayed, "listeners": options.listeners, "calls": options.calls}
    if options.json:
        print(json.dumps({"machine": describe(), **asked, "rows": [row.summary() for row in rows]}, indent=2))
    else:
        print("  ".join(f"{key} {value}" for key, value in describe().items()))
        print(f"From INVITE to answer; media: {options.listeners} listeners, {options.calls} relayed calls\n")
        print(render(rows))
    return int(any(row.wanting for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench setup", description="How long callers wait, without media and with.")
    add = parser.add_argument
    add("--rate", type=int, default=50, help="timed calls a second (default 50)")
    add("--seconds", type=float, default=30.0, help="for how long, four times (default 30)")
    add("--listeners", type=int, default=1000, help="calls that hear music meanwhile (default 1000)")
    add("--calls", type=int, default=300, help="relayed calls that talk meanwhile (default 300)")
    add(
        "--relayed", action="store_true", help="relay the media of the timed calls too, instead of letting them go past"
    )
    add("--port", type=int, default=Ports().base, help="the first of 100 ports (default 29500)")
    add("--server-core", type=int, default=1, help="the core of the server and its media process (default 1)")
    add("--sipp-core", type=int, default=0, help="the core of the SIPps and the phones (default 0)")
    add("--json", action="store_true", help="print the figures as JSON instead of a table")
    add("--keep", action="store_true", help="keep the logs of the last load")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
