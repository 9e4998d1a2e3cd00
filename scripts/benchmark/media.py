"""`scripts/bench media`: how many listeners and how many relayed calls the media process carries on one core.

Owns the search. The process is started as the server starts it, on its own core, and told what to do in its own words;
the phones are in this process, on the other core. Listeners are carried when 99 % of their packets are less than 5 ms
late and none is missing, calls when no packet of either way is lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from b2bua.effects import MediaPlan, MediaPort, Playing
from b2bua.io.media import protocol
from b2bua.io.media.memory import stored
from b2bua.io.media.protocol import Bound, Command, Learn, Open, Plans, Ready
from benchmark.failure import BenchError
from benchmark.machine import describe
from benchmark.media_load import Heard, Load, Phone, part
from benchmark.process import Cpu, Process, core_busy
from benchmark.servers import CACHE

HOST = "127.0.0.3"
FIRST_PORT = 20_000
LATE_SECONDS = 0.005
KEPT = 0.99
FULL = 0.97
"""The part of this process's core from which the phones are taken for what could do no more."""
_READY_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
_QUIET = 0.15
_QUIET_SECONDS = 30.0


class MediaProcess:
    """The process that is measured. `ports` are those that it has bound."""

    def __init__(self, core: int, pairs: int, folder: Path) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_READY_SECONDS)
        with theirs:
            argv = [sys.executable, "-P", "-m", "b2bua.io.media.process", str(theirs.fileno())]
            self.process = Process(argv, core=core, log=folder / "media.log", cwd=folder, descriptor=theirs.fileno())
        self.ports: list[MediaPort] = []
        self.say(Open((HOST,), FIRST_PORT, FIRST_PORT + 2 * pairs - 1, 3600.0))
        while True:
            event = protocol.event(self._control.recv(protocol.MESSAGE_OCTETS))
            if isinstance(event, Bound):
                self.ports += event.ports
            elif isinstance(event, Ready):
                break
        if len(self.ports) < pairs:
            raise BenchError(f"only {len(self.ports)} of {pairs} ports could be bound")

    def say(self, command: Command, *memory: int) -> None:
        """Tell it something."""
        socket.send_fds(self._control, [protocol.encode(command)], memory)

    def plan(self, plans: list[tuple[int, MediaPlan | None]]) -> None:
        """Let ports do that."""
        for first in range(0, len(plans), protocol.PLANS):
            self.say(Plans(plans[first : first + protocol.PLANS]))

    def stop(self) -> None:
        """End it."""
        self._control.close()
        self.process.stop()


@dataclass(frozen=True)
class Carried:
    """One load and what it took. `own` is this process's part of its core, `others` what somebody else took of the
    measured process's core, both from 0 to 1.
    """

    listeners: int
    calls: int
    seconds: float
    heard: Heard
    cpu: Cpu
    own: float
    others: float

    @property
    def packets(self) -> int:
        """That the process sent."""
        return len(self.heard.lateness) + len(self.heard.delays)

    @property
    def wanting(self) -> str:
        """Why this was too much; empty when it was carried."""
        reasons = []
        lateness = self.heard.lateness
        expected = int(self.listeners * (self.seconds / 0.02 - 2))
        if len(lateness) < expected:
            reasons.append(f"{expected - len(lateness)} of {expected} packets of sound missing")
        elif part(lateness, KEPT) >= LATE_SECONDS:
            reasons.append(f"99 % within {1e3 * part(lateness, KEPT):.1f} ms only")
        if self.heard.lost:
            reasons.append(f"{self.heard.lost} of {self.heard.said} relayed packets lost")
        turns = self.heard.said + self.heard.missed
        if self.heard.missed > turns // 100:
            reasons.append(f"the phones were too late for {self.heard.missed} of {turns} packets")
        if reasons and self.own > FULL:
            reasons.append("the phones' core was full")
        return "; ".join(reasons)

    def summary(self) -> dict[str, object]:
        """The figures: seconds in milliseconds, and the cost of a packet in microseconds."""
        late, delays = self.heard.lateness, self.heard.delays
        return {
            "listeners": self.listeners,
            "calls": self.calls,
            "core": round(self.cpu.total / self.seconds, 3),
            "us_per_packet": round(1e6 * self.cpu.total / max(1, self.packets), 2),
            "late_ms": {share: round(1e3 * part(late, float(share)), 2) for share in ("0.5", "0.99", "0.999")},
            "delay_ms": {share: round(1e3 * part(delays, float(share)), 2) for share in ("0.5", "0.99", "0.999")},
            "lost": self.heard.lost,
            "phones_core": round(self.own, 3),
            "others": round(self.others, 3),
            "wanting": self.wanting,
        }


class MediaBench:
    """Where it runs, and for how long. `say` tells what is being done."""

    def __init__(self, core: int, own_core: int, seconds: float, folder: Path, say: Callable[[str], None]) -> None:
        self._core, self._own_core = core, own_core
        self._seconds = seconds
        self._folder = folder
        self._say = say

    def carry(self, listeners: int, calls: int) -> Carried:
        """Put one load on a process started for it."""
        self._wait_until_quiet()
        with self._loaded(listeners, calls) as (process, load):
            seen: list[tuple[float, Cpu, float, float]] = []

            def look() -> None:
                seen.append((time.monotonic(), process.cpu(), time.process_time(), core_busy(self._core)))

            heard = load.run(_SETTLE_SECONDS, self._seconds, look, look)
        (began, cpu, own, busy), (ended, cpu_after, own_after, busy_after) = seen
        seconds = ended - began
        used = cpu_after - cpu
        others = max(0.0, (busy_after - busy - used.total) / seconds)
        carried = Carried(listeners, calls, seconds, heard, used, (own_after - own) / seconds, others)
        self._say(f"{listeners} listeners, {calls} calls: {carried.wanting or 'carried'}; {carried.summary()}")
        return carried

    @contextlib.contextmanager
    def _loaded(self, listeners: int, calls: int) -> Iterator[tuple[Process, Load]]:
        media = MediaProcess(self._core, listeners + 2 * calls, self._folder)
        try:
            payloads = [bytes([number % 256]) * 160 for number in range(500)]
            media.say(Learn("music", "PCMU"), stored("music", payloads))
            hearing: list[Phone] = []
            talking: dict[Phone, tuple[str, int]] = {}
            plans: list[tuple[int, MediaPlan | None]] = []
            for port in media.ports[:listeners]:
                phone = Phone()
                hearing.append(phone)
                plans.append((port.id, MediaPlan(phone.at, None, play=Playing(port.id, "music", "PCMU", 0, True))))
            pairs = iter(media.ports[listeners:])
            for one, two in zip(pairs, pairs, strict=True):
                for port, other in ((one, two), (two, one)):
                    phone = Phone()
                    talking[phone] = (port.host, port.port)
                    plans.append((port.id, MediaPlan(phone.at, None, to=other.id)))
            load = Load(hearing, talking)
            media.plan(plans)
            try:
                yield media.process, load
            finally:
                load.close()
        finally:
            media.stop()

    def _wait_until_quiet(self) -> None:
        deadline = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < deadline:
            before = [core_busy(core) for core in (self._core, self._own_core)]
            time.sleep(0.5)
            after = [core_busy(core) for core in (self._core, self._own_core)]
            if all(end - start < _QUIET * 0.5 for start, end in zip(before, after, strict=True)):
                return

    def highest(self, first: int, load: Callable[[int], tuple[int, int]]) -> Carried:
        """The highest number that is carried, to a tenth. A failure is believed when it is seen again."""
        best: Carried | None = None
        low, high, number = 0, 0, first
        while True:
            carried = self.carry(*load(number))
            if carried.wanting:
                carried = self.carry(*load(number))
            if carried.wanting:
                high = number
            else:
                low, best = number, carried
            if high and high - low <= max(1, high // 10):
                break
            number = (low + high) // 2 if high else number * 3 // 2
        if best is None:
            raise BenchError("not even one was carried")
        return best


def main() -> int:
    """Run what the command line asks for, and print the figures."""
    parser = argparse.ArgumentParser(prog="bench media", description="What the media process carries on one core.")
    add = parser.add_argument
    add("--listeners", type=int, help="carry so many listeners to music, instead of searching")
    add("--calls", type=int, help="carry so many relayed calls, instead of searching; goes with --listeners")
    add("--seconds", type=float, default=10.0, help="how long each load lasts (default 10)")
    add("--server-core", type=int, default=1, help="the core of the media process (default 1)")
    add("--phone-core", type=int, default=0, help="the core of the phones (default 0)")
    add("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.phone_core})
    with contextlib.suppress(PermissionError):
        # The phones stand for other machines: what else is going on here does not make them slow.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = CACHE / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        bench = MediaBench(options.server_core, options.phone_core, options.seconds, folder, _say)
        if options.listeners is not None or options.calls is not None:
            results = {"load": bench.carry(options.listeners or 0, options.calls or 0)}
        else:
            results = {
                "listeners": bench.highest(1_000, lambda number: (number, 0)),
                "calls": bench.highest(300, lambda number: (0, number)),
            }
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
    figures = {name: carried.summary() for name, carried in results.items()}
    if options.json:
        print(json.dumps({"machine": describe(), **figures}, indent=2))
    else:
        print("  ".join(f"{key} {value}" for key, value in describe().items()))
        for name, row in figures.items():
            print(f"{name}: " + "  ".join(f"{key} {value}" for key, value in row.items() if value != ""))
    return int(any(carried.wanting for carried in results.values()))


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
