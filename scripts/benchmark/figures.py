"""The figures of one server: each measurement run from start to end, on a server started for it.

Owns the search for the highest rate. A server that has been overloaded is started anew before the next try,
since what it has not finished would weigh on that.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmark.failure import BenchError
from benchmark.load import Plan
from benchmark.measure import Bench, Carried, carry
from benchmark.process import Process, pause_until
from benchmark.servers import PASSWORD, USERS, Server

GROWTH = 1.25
FINE = 0.05
"""The search ends when the highest rate held and the lowest not held are this close."""
PART = 0.8
DISTURBED = 0.1
"""The part of the server's core that others may use before a failure is laid at their door."""
HIGHEST = 20_000
_PATIENCE = 3
_REST = 1.0


@dataclass(frozen=True)
class Highest:
    """The highest rate, why no more, and what happened while 80 % of it was held."""

    rate: int
    why: str
    limit: str
    held: Carried


@dataclass(frozen=True)
class Memory:
    """Octets of the server before, and with that many calls held long after they were set up."""

    before: int
    after: int
    calls: int

    @property
    def each(self) -> float:
        """Octets of a held call."""
        return (self.after - self.before) / self.calls


class Subject:
    """One server under measurement, or none at all: then the two SIPps talk to each other."""

    def __init__(self, bench: Bench, server: Server | None) -> None:
        self.bench = bench
        self.server = server
        self.name = server.name if server else "sipp alone"

    @contextlib.contextmanager
    def running(self) -> Iterator[Process | None]:
        """The server, started."""
        if self.server is None:
            yield None
        else:
            with self.server.start(self.bench.folder, self.bench.ports, self.bench.server_core) as process:
                yield process

    def call_at(self, rate: int) -> Carried:
        """Processor time of a call at a given rate."""
        windows = self.bench.windows
        with self.running() as process:
            self.bench.wait_until_quiet()
            carried = carry(self.bench, process, _calls(rate, windows.whole), windows.warm_up)
        if carried.window is None or carried.failed:
            raise BenchError(f"{rate} calls a second were not carried: {carried.why}")
        return carried

    def highest(self) -> Highest:
        """The highest rate held for a short while, and then 80 % of it for long."""
        best, worst, last = 0, HIGHEST, None
        rate = self.server.first_rate if self.server else 2000
        with contextlib.ExitStack() as stack:
            process = stack.enter_context(self.running())
            while best == 0 or (worst - best) / best > FINE:
                carried = self._step(process, rate)
                self.bench.say(f"{self.name}: {rate} calls a second: {carried.why or 'held'}")
                if carried.held:
                    best = rate
                else:
                    worst, last = rate, carried
                    stack.close()
                    process = stack.enter_context(self.running())
                if worst <= 5:
                    raise BenchError(f"not even {worst} calls a second were held: {carried.why}")
                rate = _next(best, worst, last is not None)
        if last is None:
            raise BenchError(f"{best} calls a second were held: raise HIGHEST")
        return Highest(best, last.why, last.limit, self._held(best))

    def _step(self, process: Process | None, rate: int) -> Carried:
        """One short load; a failure is believed when it is seen again, for the machine is shared."""
        return self._again(lambda: carry(self.bench, process, _calls(rate, self.bench.windows.step), 1.0))

    def _again(self, load: Callable[[], Carried]) -> Carried:
        """Repeat a load that was not held, a few times while others are at work on the server's core."""
        for tries in itertools.count(1):
            self.bench.wait_until_quiet()
            carried = load()
            disturbed = carried.window is not None and carried.window.others > DISTURBED
            if carried.held or tries > (_PATIENCE if disturbed else self.bench.windows.retries):
                break
            self.bench.say(f"{self.name}: {carried.rate} a second, again: {carried.why}")
        return carried

    def _held(self, best: int) -> Carried:
        """80 % of the highest rate for long, or the first lower rate that is held so long."""
        windows = self.bench.windows
        rate = int(best * PART)
        carried = None
        while rate > best // 4:
            with self.running() as process:
                plan, warm_up = _calls(rate, windows.hold), min(windows.warm_up, windows.hold / 2)
                carried = self._again(functools.partial(carry, self.bench, process, plan, warm_up))
            self.bench.say(f"{self.name}: {rate} calls a second for {windows.hold:.0f} s: {carried.why or 'held'}")
            if carried.held:
                return carried
            rate = int(rate * 0.9)
        raise BenchError(f"no rate was held for {windows.hold:.0f} s: {carried.why if carried else 'none tried'}")

    def memory(self, calls: int, rate: int) -> Memory:
        """Memory of a held call, so long after the last set-up that nothing but calls is left."""
        bench = self.bench
        settle = bench.windows.settle
        with self.running() as process:
            if process is None:
                raise BenchError("SIPp alone has no memory to weigh")
            carry(bench, process, _calls(10, 2.0), 0.0)
            time.sleep(_REST)
            before = process.memory()
            plan = Plan(rate, calls, talk=calls / rate + settle + 10)
            with bench.load(process, plan) as load:
                for row in load.rows():
                    if row.created >= calls:
                        break
                pause_until(time.monotonic() + settle)
                after = process.memory()
                caller, called = load.last("caller"), load.last("called")
            held = min(caller.current, called.current)
            if held < calls or process.exit_code() is not None:
                why = load.complaint() or process.last_words()
                raise BenchError(f"only {held} of {calls} calls were still held: {why}")
        return Memory(before, after, calls)

    def registration(self, rate: int) -> Carried:
        """Processor time of a REGISTER with its challenge."""
        windows = self.bench.windows
        with self.running() as process:
            self.bench.wait_until_quiet()
            carried = carry(self.bench, process, self.registrations(rate, windows.whole), windows.warm_up)
        if carried.window is None or carried.failed:
            raise BenchError(f"{rate} registrations a second were not carried: {carried.why}")
        return carried

    def registrations(self, rate: int, seconds: float) -> Plan:
        """A load of registrations by all users in turn."""
        users = self.bench.folder / "users.csv"
        lines = [f"u{n};[authentication username=u{n} password={PASSWORD}]" for n in range(USERS)]
        users.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
        return Plan(rate, int(rate * seconds), users=users)


def _calls(rate: int, seconds: float) -> Plan:
    return Plan(rate, int(rate * seconds))


def _next(best: int, worst: int, known: bool) -> int:
    """The next rate to try: up by a quarter until one is not held, then the middle."""
    if not known:
        return min(int(best * GROWTH), HIGHEST)
    return (best + worst) // 2 if best else worst // 2
