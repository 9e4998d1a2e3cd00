"""Where a server written in Python spends its time while it carries calls or registrations.

`py-spy` samples a server that runs at its own speed: shares of time are right, and nothing is counted.
`cprofile` traces every call of a function: it says how often each runs for one SIP call, and makes small
functions look dearer than they are. Both show a function's own time first.
"""

from __future__ import annotations

import collections
import contextlib
import marshal
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

from benchmark.failure import BenchError
from benchmark.figures import Subject
from benchmark.load import Plan
from benchmark.measure import Bench, Carried, carry
from benchmark.process import Cpu, Process
from benchmark.servers import REPOSITORY, environment

PROFILERS = ("py-spy", "cprofile")
PY_SPY = "py-spy==0.4.3"
TOP = 45

_SECONDS = 20.0
_SAMPLES = 100
"""Samples a second: each stops the server for a moment, so not more than needed."""


_WAITING = ("EpollIOManager.get_events", "poll ", "<method 'poll' of")
_Function: TypeAlias = tuple[str, int, str]
"""File, line and name, as cProfile writes them."""


@dataclass(frozen=True)
class Line:
    """One function or line: microseconds for one SIP call, of its own and with all that it calls.

    `times` is how often it ran for one SIP call, None where that was not counted.
    """

    where: str
    own: float
    whole: float
    times: float | None = None


def profile(subject: Subject, profiler: str, rate: int, registrations: bool) -> str:
    """Run the server under a load with a profiler and return the functions that cost most, as text."""
    if subject.server is None or not subject.server.interpreted:
        raise BenchError(f"{subject.name} is not interpreted: a profiler of Python sees nothing of it")
    seconds = subject.bench.windows.warm_up + _SECONDS
    plan = subject.registrations(rate, seconds) if registrations else Plan(rate, int(rate * seconds))
    return (_sampled if profiler == "py-spy" else _traced)(subject, plan)


def _sampled(subject: Subject, plan: Plan) -> str:
    bench = subject.bench
    samples = bench.folder / "samples.txt"
    with subject.running() as process, contextlib.ExitStack() as watching:
        assert process is not None
        began: list[tuple[Process, Cpu, Cpu]] = []

        def opens() -> None:
            watcher = watching.enter_context(_py_spy(bench, process, samples))
            began.append((watcher, process.thread_cpu(), process.cpu()))

        carried = carry(bench, process, plan, bench.windows.warm_up, opens)
        if carried.window is None:
            raise BenchError(f"no calls were carried: {carried.why}")
        watcher, thread, everything = began[0]
        if watcher.wait(20) != 0:
            raise BenchError(f"py-spy: {watcher.last_words()}")
        loop = (process.thread_cpu() - thread).total / (process.cpu() - everything).total
    each = loop * carried.window.each
    others = carried.window.each - each
    head = _head(subject, plan, each, carried, f"and {others:.0f} us in other threads; sampled by py-spy")
    text = samples.read_text()
    views = [_listing(_shared(text, each, name)[:most]) for name, most in _VIEWS]
    return "\n\n".join([head, *views])


def _py_spy(bench: Bench, process: Process, samples: Path) -> Process:
    spy = str(environment("py-spy", PY_SPY) / "bin" / "py-spy")
    what = ["record", "--pid", str(process.pid), "--output", str(samples), "--format", "raw", "--threads"]
    how = ["--duration", str(int(_SECONDS) - 2), "--rate", str(_SAMPLES)]
    return Process([spy, *what, *how], core=bench.sipp_core, log=bench.folder / "py-spy.log", cwd=bench.folder)


def _short(where: str) -> str:
    """The file from the package on, without the way to it."""
    return re.sub(r"\([^)]*?(?:site-packages/|lib/python3\.\d+/|" + re.escape(str(REPOSITORY)) + "/)", "(", where)


def _function(frame: str) -> str:
    return re.sub(r":\d+\)$", ")", _short(frame))


def _folder(frame: str) -> str:
    file = frame[frame.rindex("(") + 1 :]
    folder = str(PurePath(_short(f"({file}")[1:]).parent)
    return "the standard library" if folder == "." else folder


_VIEWS: tuple[tuple[Callable[[str], str], int], ...] = ((_folder, 20), (_function, TOP), (_short, 25))
"""What samples are summed up by, and how many sums are shown."""


def _shared(text: str, each: float, name: Callable[[str], str]) -> list[Line]:
    """Share `each` microseconds among what py-spy saw, in lines of `thread;frame;frame count`, dearest first.

    Frames of the same `name` are one. Only the main thread counts, and not where it waits for the kernel: to py-spy,
    who waits may be at work.
    """
    own: collections.Counter[str] = collections.Counter()
    whole: collections.Counter[str] = collections.Counter()
    for sample in text.splitlines():
        stack, _, count = sample.rpartition(" ")
        thread, *frames = stack.split(";")
        if "MainThread" not in thread or not frames or frames[-1].startswith(_WAITING):
            continue
        names = [name(frame) for frame in frames]
        own[names[-1]] += int(count)
        for each_name in set(names):
            whole[each_name] += int(count)
    share = each / max(1, sum(own.values()))
    return [Line(where, n * share, whole[where] * share) for where, n in own.most_common()]


def _traced(subject: Subject, plan: Plan) -> str:
    start_up, _ = _trace(subject, None)
    whole, carried = _trace(subject, plan)
    assert carried is not None
    each = 1.0 / max(1, carried.successful)
    lines = []
    for function, (times, own, with_callees) in whole.items():
        file, line, name = function
        if name.startswith(_WAITING):
            continue
        times_0, own_0, with_callees_0 = start_up.get(function, (0, 0.0, 0.0))
        costs = (1e6 * each * (own - own_0), 1e6 * each * (with_callees - with_callees_0))
        lines.append(Line(_short(f"{name} ({file}:{line})"), *costs, each * (times - times_0)))
    lines.sort(key=lambda line: -line.own)
    total = sum(line.own for line in lines)
    head = _head(subject, plan, total, carried, "traced by cProfile, the tracing itself included")
    return f"{head}\n\n{_listing(lines[:TOP])}"


def _trace(subject: Subject, plan: Plan | None) -> tuple[dict[_Function, tuple[int, float, float]], Carried | None]:
    """How often each function ran, its own seconds and those with what it called: under a load, or starting up."""
    bench, server = subject.bench, subject.server
    assert server is not None
    result = bench.folder / "cprofile.out"
    result.unlink(missing_ok=True)
    with server.start(bench.folder, bench.ports, bench.server_core, result) as process:
        carried = carry(bench, process, plan, bench.windows.warm_up) if plan is not None else None
        process.stop(30)
    if not result.exists():
        raise BenchError(f"no profile was written: {process.last_words()}")
    # cProfile's file has for each function: calls without recursion, all, own time, whole time, callers.
    traced: dict[_Function, tuple[int, int, float, float, object]] = marshal.loads(result.read_bytes())
    return {function: costs[1:4] for function, costs in traced.items()}, carried


def _head(subject: Subject, plan: Plan, each: float, carried: Carried, how: str) -> str:
    return f"{subject.name} at {plan.rate} a second: {each:.0f} us each ({carried.why or 'held'}), {how}"


def _listing(lines: list[Line]) -> str:
    counted = any(line.times is not None for line in lines)
    text = [f"{'own us':>8} {'with callees':>13}" + (f" {'times':>7}" if counted else "") + "  where"]
    for line in lines:
        times = f" {line.times:7.2f}" if line.times is not None else ""
        text.append(f"{line.own:8.1f} {line.whole:13.1f}{times}  {line.where}")
    return "\n".join(text)
