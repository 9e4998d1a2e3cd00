"""Where a server written in Python spends its time while it carries calls or registrations.

`py-spy` samples a server that runs at its own speed: shares of time are right, and nothing is counted.
`cprofile` traces every call of a function: it says how often each runs for one SIP call, and makes small
functions look dearer than they are. Both show a function's own time first.
"""

from __future__ import annotations

import collections
import marshal
import re
from dataclasses import dataclass

from benchmark.failure import BenchError
from benchmark.figures import Subject
from benchmark.load import Plan
from benchmark.measure import Carried, carry
from benchmark.process import Process
from benchmark.servers import REPOSITORY, environment

PROFILERS = ("py-spy", "cprofile")
PY_SPY = "py-spy==0.4.3"
TOP = 45

_WARM_UP = 3.0
_SECONDS = 15.0
_SAMPLES = 250
"""Samples a second: each stops the server for a moment, so not more than needed."""


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
    if subject.server is None or subject.name == "kamailio":
        raise BenchError(f"{subject.name} is not written in Python")
    plan = subject.registrations(rate, _SECONDS) if registrations else Plan(rate, int(rate * _SECONDS))
    return (_sampled if profiler == "py-spy" else _traced)(subject, plan)


def _sampled(subject: Subject, plan: Plan) -> str:
    bench = subject.bench
    samples = bench.folder / "samples.txt"
    spy = str(environment("py-spy", PY_SPY) / "bin" / "py-spy")
    with subject.running() as process:
        assert process is not None
        what = ["record", "--pid", str(process.pid), "--output", str(samples), "--format", "raw"]
        how = ["--duration", str(int(plan.seconds)), "--rate", str(_SAMPLES)]
        log = bench.folder / "py-spy.log"
        with Process([spy, *what, *how], core=bench.sipp_core, log=log, cwd=bench.folder) as watcher:
            carried = carry(bench, process, plan, _WARM_UP)
            if watcher.wait(20) != 0:
                raise BenchError(f"py-spy: {watcher.last_words()}")
    if carried.window is None:
        raise BenchError(f"no calls were carried: {carried.why}")
    each = carried.window.each
    by_function, by_line = _folded(samples.read_text(), each)
    head = _head(subject, plan, each, carried, "sampled by py-spy")
    return "\n".join([head, "", _listing(by_function), "", "lines by their own time", "", _listing(by_line)])


def _folded(text: str, each: float) -> tuple[list[Line], list[Line]]:
    """Functions and lines from py-spy's `frame;frame count`, `each` microseconds shared among them."""
    own: collections.Counter[str] = collections.Counter()
    whole: collections.Counter[str] = collections.Counter()
    lines: collections.Counter[str] = collections.Counter()
    for sample in text.splitlines():
        stack, _, count = sample.rpartition(" ")
        frames = [frame for frame in stack.split(";") if "(" in frame]
        functions = [re.sub(r":\d+\)$", ")", frame) for frame in frames]
        if frames:
            own[functions[-1]] += int(count)
            lines[frames[-1]] += int(count)
        for function in set(functions):
            whole[function] += int(count)
    share = each / max(1, sum(own.values()))
    functions_first = [Line(_short(where), n * share, whole[where] * share) for where, n in own.most_common(TOP)]
    return functions_first, [Line(_short(where), n * share, n * share) for where, n in lines.most_common(TOP // 2)]


def _traced(subject: Subject, plan: Plan) -> str:
    bench, server = subject.bench, subject.server
    assert server is not None
    result = bench.folder / "cprofile.out"
    before = [server.python(), "-m", "cProfile", "-o", str(result)]
    with server.start(bench.folder, bench.ports, bench.server_core, before) as process:
        carried = carry(bench, process, plan, _WARM_UP)
        process.stop(30)
    if not result.exists():
        raise BenchError(f"no profile was written: {process.last_words()}")
    # cProfile's file has for each function: calls without recursion, all, own time, whole time, callers.
    traced: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    traced = marshal.loads(result.read_bytes())
    each = 1.0 / max(1, carried.successful)
    lines = [
        Line(_short(f"{name} ({file}:{line})"), own * each * 1e6, whole * each * 1e6, times * each)
        for (file, line, name), (_, times, own, whole, _) in traced.items()
    ]
    lines.sort(key=lambda line: -line.own)
    total = sum(line.own for line in lines)
    head = _head(subject, plan, total, carried, "traced by cProfile, the tracing itself included")
    return f"{head}\n\n{_listing(lines[:TOP])}"


def _head(subject: Subject, plan: Plan, each: float, carried: Carried, how: str) -> str:
    return f"{subject.name} at {plan.rate} a second: {each:.0f} us each ({carried.why or 'held'}), {how}"


def _listing(lines: list[Line]) -> str:
    counted = any(line.times is not None for line in lines)
    text = [f"{'own us':>8} {'with callees':>13}" + (f" {'times':>7}" if counted else "") + "  function"]
    for line in lines:
        times = f" {line.times:7.2f}" if line.times is not None else ""
        text.append(f"{line.own:8.1f} {line.whole:13.1f}{times}  {line.where}")
    return "\n".join(text)


def _short(where: str) -> str:
    """The file from the package on, without the way to it."""
    return re.sub(r"\([^)]*?(?:site-packages/|lib/python3\.\d+/|" + re.escape(str(REPOSITORY)) + "/)", "(", where)
