"""One load on one server, judged: whether it was held, what each call cost, and who could do no more.

Owns what counts as held and as steady. Costs are processor seconds of the server and all its children, read
from /proc, over the calls that ended in the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark.failure import BenchError
from benchmark.load import FAR, OFFICE, Load, Plan, Ports, Row
from benchmark.process import Cpu, Process, core_busy

LATE = 0.25
"""Seconds: calls that last that much longer than ringing and talk are waiting in a queue that grows."""
KEPT = 0.98
"""The part of the asked rate that must have been begun."""
QUIET = 0.1
"""The part of a core that is always at work for somebody."""
_LOOK = 0.5
SIPP_FULL = 0.93
"""The part of its core from which SIPp is taken for the one that could not do more."""


@dataclass(frozen=True)
class Windows:
    """How long things last, in seconds.

    RFC 3261's longest timers run 32: what finished transactions cost, in time and in memory, shows only after
    that.
    """

    warm_up: float
    steady: float
    step: float
    hold: float
    settle: float
    retries: int

    @property
    def whole(self) -> float:
        """Warm-up and steady part together."""
        return self.warm_up + self.steady


FULL = Windows(warm_up=35.0, steady=25.0, step=5.0, hold=60.0, settle=40.0, retries=1)
QUICK = Windows(warm_up=2.0, steady=8.0, step=3.0, hold=10.0, settle=40.0, retries=0)


@dataclass(frozen=True)
class Window:
    """A steady piece of a load: what ended in it, and who used how much of which core meanwhile.

    `others` is the part of the server's core that was neither idle nor the server's: somebody else's work.
    """

    calls: int
    seconds: float
    server: Cpu
    sipp: Cpu
    others: float

    @property
    def each(self) -> float:
        """Microseconds of the server's processor time for one call."""
        return 1e6 * self.server.total / self.calls

    @property
    def each_system(self) -> float:
        """The kernel's part of that."""
        return 1e6 * self.server.system / self.calls


@dataclass(frozen=True)
class Carried:
    """What became of one load. `why` says why it was not held, and is empty when it was."""

    rate: int
    successful: int
    failed: int
    again_caller: int
    again_called: int
    window: Window | None
    why: str
    limit: str

    @property
    def held(self) -> bool:
        """Whether the rate was kept, no call failed, and no queue grew."""
        return not self.why


@dataclass(frozen=True)
class _Snapshot:
    row: Row
    moment: float
    server: Cpu
    sipp: Cpu
    busy: float


@dataclass(frozen=True)
class Bench:
    """Where everything runs: the cores, the ports, the folder, and a way to say what is being done."""

    ports: Ports
    server_core: int
    sipp_core: int
    folder: Path
    windows: Windows
    say: Callable[[str], None]

    def target(self, server: Process | None) -> str:
        """Where the caller sends: the server, or the called SIPp itself."""
        return f"{FAR}:{self.ports.called}" if server is None else f"{OFFICE}:{self.ports.server}"

    def wait_until_quiet(self, seconds: float = 30.0) -> None:
        """Wait until nobody is at work on either core, or for that long."""
        cores = (self.server_core, self.sipp_core)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = [core_busy(core) for core in cores]
            time.sleep(_LOOK)
            if all(core_busy(core) - busy < QUIET * _LOOK for core, busy in zip(cores, before, strict=True)):
                break

    def load(self, server: Process | None, plan: Plan) -> Load:
        """A load on a server."""
        return Load(plan, self.target(server), self.ports, self.sipp_core, self.folder)


def carry(
    bench: Bench, server: Process | None, plan: Plan, warm_up: float, opens: Callable[[], None] = lambda: None
) -> Carried:
    """Put one load on a server and judge it. The steady window opens after `warm_up` seconds: `opens` is called."""
    steady: list[_Snapshot] = []
    with bench.load(server, plan) as load:
        for row in load.rows():
            if row.created < plan.count and row.elapsed >= warm_up:
                if not steady:
                    opens()
                own = server.cpu() if server else Cpu()
                steady.append(
                    _Snapshot(row, time.monotonic(), own, load.cpu(), core_busy(bench.server_core)),
                )
            if server is not None and server.exit_code() is not None:
                raise BenchError(f"the server ended with {server.exit_code()}: {server.last_words()}")
        load.wait_for_called()
        caller, called = load.last("caller"), load.last("called")
        complaint = load.complaint()
    window = _window(steady)
    failed = max(caller.failed, called.failed + called.current)
    why = _why(plan, caller, failed, complaint, steady)
    limit = _limit(window, bench) if why else ""
    return Carried(
        plan.rate,
        caller.successful,
        failed,
        caller.retransmissions,
        called.retransmissions,
        window,
        why,
        limit,
    )


def _window(steady: list[_Snapshot]) -> Window | None:
    if len(steady) < 2:
        return None
    first, last = steady[0], steady[-1]
    calls = last.row.successful - first.row.successful
    if calls <= 0:
        return None
    seconds = last.moment - first.moment
    server = last.server - first.server
    others = max(0.0, (last.busy - first.busy - server.total) / seconds)
    return Window(calls, seconds, server, last.sipp - first.sipp, others)


def _why(plan: Plan, caller: Row, failed: int, complaint: str, steady: list[_Snapshot]) -> str:
    if failed or caller.successful < plan.count:
        lost = failed or plan.count - caller.successful
        return "; ".join(filter(None, [f"{lost} of {plan.count} failed", caller.reasons, complaint]))
    if not steady:
        return "it took too short a time to be judged" if plan.seconds < 2 else "the rate was not kept from the start"
    last = steady[-1].row
    begun = last.created / (last.elapsed * plan.rate)
    if begun < KEPT:
        return f"only {begun:.0%} of the rate was begun"
    longest = plan.rate * (plan.ringing + plan.talk + LATE) + 10
    if plan.users is None and last.current > longest:
        return f"calls queued: {last.current} were open at once"
    return ""


def _limit(window: Window | None, bench: Bench) -> str:
    if window is None:
        return "unknown"
    sipp, server = (cpu.total / window.seconds for cpu in (window.sipp, window.server))
    if sipp >= SIPP_FULL and server < SIPP_FULL:
        return "sipp"
    return "server" if server + window.others >= SIPP_FULL else "losses"
