"""`scripts/bench`: the options, who is measured in which order, and the exit code.

Exits 0 when everything ran, 1 when something could not; there is no pass or fail in the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from benchmark.failure import BenchError
from benchmark.figures import Subject
from benchmark.load import Ports
from benchmark.machine import describe
from benchmark.measure import FULL, QUICK, Bench
from benchmark.profile import PROFILERS, profile
from benchmark.servers import CACHE, B2bua, CompiledB2bua, Kamailio, Server, Sippy
from benchmark.table import Figures, render

_SERVERS: dict[str, Callable[[], Server]] = {
    "b2bua": B2bua,
    "b2bua-compiled": CompiledB2bua,
    "kamailio": Kamailio,
    "sippy": Sippy,
}
MEASUREMENTS = ("call", "rate", "memory", "register")
ALONE = "sipp"


def main() -> int:
    """Run what the command line asks for and print the table."""
    if sys.argv[1:2] in (["media"], ["setup"], ["plan"], ["language"], ["tape"]):
        return _apart(sys.argv[1], sys.argv[2:])
    options = _options()
    signal.signal(signal.SIGTERM, _terminated)
    folder = CACHE / f"run-{os.getpid()}"
    try:
        with _alone(), _folder(folder, options.keep):
            return _run(options, folder)
    except KeyboardInterrupt:
        return 130
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


def _apart(name: str, arguments: list[str]) -> int:
    """`scripts/bench media`, `setup`, `plan`, `language` and `tape`, by the interpreter that has the product."""
    python = B2bua().programs() / "python"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    with _alone():
        return subprocess.run([python, "-m", f"benchmark.{name}", *arguments], env=environment, check=False).returncode


def _terminated(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other benchmark of this checkout runs: two at once would measure each other."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another benchmark to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _folder(folder: Path, keep: bool) -> Iterator[None]:
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        if keep:
            print(f"bench: logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench",
        description="What a call costs, beside Kamailio and sippy. "
        "`bench media`: what media cost. `bench setup`: what they do to the set-up of calls. "
        "`bench plan`: what recorded decisions cost, and `b2bua plan` over them. "
        "`bench language`: what deciding costs, by policies and tables up to 100,000 rules and rows. "
        "`bench tape`: what keeping the messages of calls costs.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="short windows, for use during development")
    add("--only", action="append", choices=(ALONE, *_SERVERS), help="this server only (may be repeated)")
    add("--measure", action="append", choices=MEASUREMENTS, help="this measurement only (may be repeated)")
    add("--rate", type=int, default=100, help="calls a second for the cost of a call (default 100)")
    add("--calls", type=int, default=2000, help="how many calls to hold (default 2000)")
    add("--hold-rate", type=int, default=100, help="calls a second at which they are set up (default 100)")
    add("--register-rate", type=int, default=200, help="registrations a second (default 200)")
    add("--repeat", type=int, default=1, help="run everything so many times and show medians (default 1)")
    add("--port", type=int, default=Ports().base, help="the first of 100 ports (default 29500)")
    add("--server-core", type=int, default=1, help="the core of the server (default 1)")
    add("--sipp-core", type=int, default=0, help="the core of both SIPps (default 0)")
    add(
        "--profile",
        choices=PROFILERS,
        help="show where the server spends its time at --rate, instead of measuring",
    )
    add("--register", action="store_true", help="profile registrations instead of calls")
    add("--json", action="store_true", help="print the figures as JSON instead of a table")
    add("--keep", action="store_true", help="keep the logs of the last load")
    return parser.parse_args()


def _run(options: argparse.Namespace, folder: Path) -> int:
    os.sched_setaffinity(0, {options.sipp_core})
    windows = QUICK if options.quick else FULL
    bench = Bench(Ports(options.port), options.server_core, options.sipp_core, folder, windows, _say)
    names = options.only or ([ALONE, *_SERVERS] if options.profile is None else ["b2bua"])
    subjects = [Subject(bench, _SERVERS[name]() if name in _SERVERS else None) for name in names]
    if options.profile is not None:
        for subject in subjects:
            print(profile(subject, options.profile, options.rate, options.register))
        return 0
    everyone = {subject.name: Figures(subject.name) for subject in subjects}
    for _ in range(options.repeat):
        for subject in subjects:
            _measure(subject, everyone[subject.name], options)
    machine = describe()
    if options.json:
        print(json.dumps({"machine": machine, "servers": [one.summary() for one in everyone.values()]}, indent=2))
    else:
        print(render(machine, options.rate, list(everyone.values())))
    return int(any(one.failures for one in everyone.values()))


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _measure(subject: Subject, figures: Figures, options: argparse.Namespace) -> None:
    """One repetition of what was asked for; a measurement that cannot run leaves the others alone."""
    server = subject.server
    steps: dict[str, Callable[[], None]] = {
        "call": lambda: figures.calls.append(subject.call_at(options.rate)),
        "rate": lambda: figures.highest.append(subject.highest()),
    }
    if server is not None:
        steps["memory"] = lambda: figures.memory.append(subject.memory(options.calls, options.hold_rate))
        if server.registers:
            steps["register"] = lambda: figures.registrations.append(subject.registration(options.register_rate))
    try:
        figures.version = server.version() if server else ""
    except BenchError as error:
        figures.failures.append(str(error))
        return
    for name, step in steps.items():
        if options.measure is None or name in options.measure:
            _say(f"{subject.name}: {name}")
            try:
                step()
            except BenchError as error:
                _say(f"{subject.name}: {name}: {error}")
                figures.failures.append(f"{name}: {error}")
