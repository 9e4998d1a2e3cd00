"""`scripts/bench language`: what deciding costs however long the policy is, and what it takes to have a policy.

Made-up policies and tables (`policies`) of 10 to 100,000 rules and rows are parsed, checked, compiled and asked, in one
process and without phones. Their times are of the processor, that of a decision with what reading its clock takes.
`check` and `plan` are measured as an operator runs them, by the clock on the wall.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmark import plan
from benchmark.policies import SHAPES, USERS, Kind, Shape, csv_of, facts_of, policy_of, policy_with, row_call, yaml_of
from dsl.check import check
from dsl.compile_files import load_setup
from dsl.decision import Facts
from dsl.diagnostics import PolicyError
from dsl.include import read_script
from dsl.numbers import NumberPlan
from dsl.policy import Policy, load
from dsl.rehearsal import World
from dsl.tables import load_table

SIZES = (10, 1_000, 100_000)
KINDS: tuple[Kind, ...] = ("number", "prefix", "text")
PLACES = ("first", "middle", "last", "any", "none")

_WARM_UP = 50
_PROCESSES = 5
_FEW_ROWS = 10_000
"""YAML keeps the place of everything, for its problems, and nobody writes more of it than this by hand."""


@dataclass
class Section:
    """Figures of one sort: what they mean, and lines of a name and a cell for each column."""

    title: str
    means: str
    columns: tuple[str, ...]
    lines: list[tuple[str, ...]] = field(default_factory=list)

    def rendered(self) -> str:
        """For a terminal."""
        table = [("", *self.columns), *self.lines]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        rows = ["  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]) for first, *rest in table]
        return "\n".join([f"{self.title}: {self.means}", *(f"  {row}" for row in rows), ""])


def main() -> int:
    """Measure, and print each section when it is there."""
    options = _options()
    sizes = tuple(size for size in SIZES if size <= options.most)
    made: list[Section] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "users.yaml").write_text(USERS)
        for section in measured(folder, sizes, options.decisions, options.calls):
            made.append(section)
            if not options.json:
                print(section.rendered(), flush=True)
    if options.json:
        print(json.dumps([asdict(section) for section in made], indent=2))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench language", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--most", type=int, default=max(SIZES), help="leave out policies and tables of more rules or rows than this")
    add("--decisions", type=int, default=5_000, help="how many decisions are timed for each figure (default 5,000)")
    add("--calls", type=int, default=10_000, help="how many recorded calls are planned (default 10,000)")
    add("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


def measured(folder: Path, sizes: tuple[int, ...], decisions: int, calls: int) -> Iterator[Section]:
    """Every section, one after the other."""
    yield from _rules(folder, sizes, decisions)
    yield _lookups(folder, sizes, decisions)
    yield _tables(folder, sizes)
    yield _commands(folder, calls)


def _rules(folder: Path, sizes: tuple[int, ...], decisions: int) -> Iterator[Section]:
    percentiles = f"median/99th percentile of {decisions:,} calls, in us, that match the first rule, the middle one"
    deciding = Section("deciding by rules", f"{percentiles}, the last, any one, and none", PLACES)
    reading = Section(
        "reading rules",
        "s of the processor to parse, check (types and proofs) and compile a policy, and us a rule for all three",
        ("parse", "check", "compile", "us a rule"),
    )
    for shape in SHAPES:
        for rules in sizes:
            name = f"{rules:>7,} {shape.name}"
            policy, seconds = _policy(folder, shape, rules)
            each = 1e6 * sum(seconds) / rules
            reading.lines.append((name, *(f"{one:.2f}" for one in seconds), f"{each:.0f}"))
            deciding.lines.append((name, *_decided(policy, shape.call, rules, decisions)))
    yield deciding
    yield reading


def _policy(folder: Path, shape: Shape, rules: int) -> tuple[Policy, tuple[float, float, float]]:
    """A policy, and the seconds that each step to it took."""
    path = folder / "made.route"
    path.write_text(policy_of(shape, rules))
    begun = time.process_time()
    script = read_script(path)
    parsed = time.process_time()
    loaded = load_setup(script, path, [])
    checked = check(script, loaded.setup)
    if checked.problems:
        raise PolicyError(checked.problems[:3])
    proved = time.process_time()
    policy = Policy(script, path, loaded.setup, loaded.version, checked.warnings)
    return policy, (parsed - begun, proved - parsed, time.process_time() - proved)


def _lookups(folder: Path, sizes: tuple[int, ...], decisions: int) -> Section:
    means = f"the same of {decisions:,} calls that are looked up, and find the first row, the middle one and so on"
    section = Section("deciding by tables", means, PLACES)
    for kind in KINDS:
        for rows in sizes:
            (folder / "rows.csv").write_text(csv_of(kind, rows))
            (folder / "lookup.route").write_text(policy_with("rows.csv", kind))
            policy = load(folder / "lookup.route")
            section.lines.append((f"{rows:>7,} by {kind}", *_decided(policy, row_call(kind), rows, decisions)))
    return section


def _decided(policy: Policy, call: Callable[[int], tuple[str, str]], size: int, decisions: int) -> list[str]:
    """Median and 99th percentile of deciding calls that find each place of so many rules or rows."""
    random = Random(size)
    world = World(policy)
    numbers: dict[str, Callable[[int], int]] = {
        "first": lambda _: 0,
        "middle": lambda _: size // 2,
        "last": lambda _: size - 1,
        "any": lambda _: random.randrange(size),
        "none": lambda number: -1 - number,
    }
    gc.collect()
    gc.freeze()
    cells = []
    for place in PLACES:
        asked = [facts_of(policy, world, *call(numbers[place](n))) for n in range(decisions + _WARM_UP)]
        times = sorted(_timed(policy, asked)[_WARM_UP:])
        cells.append(f"{statistics.median(times) / 1e3:.1f}/{times[len(times) * 99 // 100] / 1e3:.1f}")
    return cells


def _timed(policy: Policy, asked: Iterable[Facts]) -> list[int]:
    """Nanoseconds of the processor for each decision."""
    decide, clock = policy.decide, time.thread_time_ns
    times = []
    for facts in asked:
        begun = clock()
        decide("call", facts)
        times.append(clock() - begun)
    return times


def _tables(folder: Path, sizes: tuple[int, ...]) -> Section:
    section = Section(
        "loading tables",
        "s of the processor to read a table of three columns, as it is read with a policy, and octets of memory a row",
        ("seconds", "octets a row"),
    )
    plan = NumberPlan("49", "00", "0")
    for kind in KINDS:
        for ending, made in (("csv", csv_of), ("yaml", yaml_of)):
            for rows in sizes if ending == "csv" else (min(max(sizes), _FEW_ROWS),):
                path = folder / f"loaded.{ending}"
                path.write_text(made(kind, rows))
                begun = time.process_time()
                load_table(path, kind, plan, [])
                seconds = time.process_time() - begun
                tracemalloc.start()
                table = load_table(path, kind, plan, [])
                gc.collect()
                octets = tracemalloc.get_traced_memory()[0] / len(table)
                tracemalloc.stop()
                section.lines.append((f"{rows:>7,} by {kind}, {ending}", f"{seconds:.3f}", f"{octets:.0f}"))
    return section


def _commands(folder: Path, calls: int) -> Section:
    section = Section("commands", "s on the clock for the whole process, as an operator runs it", ("seconds",))
    command = [Path(sys.executable).with_name("b2bua"), "check", plan.OFFICE]
    times = []
    for _ in range(_PROCESSES):
        begun = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    section.lines.append((f"b2bua check of the office (median of {_PROCESSES})", f"{statistics.median(times):.2f}"))
    planned = plan.measure(folder, calls)["s to plan them all, as a process"]
    section.lines.append((f"b2bua plan of {calls:,} recorded calls", f"{planned:.2f}"))
    return section


if __name__ == "__main__":
    sys.exit(main())
