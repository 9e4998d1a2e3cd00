"""`scripts/bench plan`: what keeping a decision costs, and how long `b2bua plan` takes over many.

Calls to the office, made up from a seed, are decided by its policy, written as the store's thread writes them, and
planned against the same policy by the command as an operator has it. The policy's own time is not in the figures of
writing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from b2bua.io.database import Database
from b2bua.io.history import History
from b2bua.io.state import DATABASE
from b2bua.routing.recording import Recording
from b2bua.settings import History as Bounds
from dsl.decision import Dial, Facts, Outcome
from dsl.plan.recorded import Happened
from dsl.policy import Policy, load
from dsl.rehearsal import World

OFFICE = Path(__file__).parents[2] / "examples" / "office" / "office.route"
CALLERS = ("alice", "bob", "carol", "dave")
DIALED = ("bob", "202", "carol", "frank", "support", "*43", "zoe")
BUSY = 0.2
"""The part of dials that end in busy, and so have a second decision."""

_SECONDS_EACH = 0.5


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="bench plan", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000, help="how many recorded calls (default 100,000)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.calls)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:<36}{value:>12,.1f}")
    return 0


def measure(folder: Path, calls: int) -> dict[str, float]:
    """Write so many calls into a state directory, and plan them."""
    policy = load(OFFICE)
    recordings = made(policy, calls)
    database = Database(folder / DATABASE)
    history = History(database, Bounds(calls=calls))
    history.fresh.extend((recording, False) for recording in recordings)
    begun = time.thread_time()
    history.write(time.time())
    writing = time.thread_time() - begun
    database.close()
    size = (folder / DATABASE).stat().st_size
    command = [Path(sys.executable).with_name("b2bua"), "plan", OFFICE, "--state", folder, "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    planning = time.perf_counter() - begun
    shown = json.loads(done.stdout)
    if shown["same"] != calls:
        raise SystemExit(f"bench: of {calls} calls, {shown['same']} were decided alike again")
    return {
        "recorded calls": calls,
        "octets on disk, a call": size / calls,
        "us to write, a call (store's thread)": 1e6 * writing / calls,
        "s to plan them all, as a process": planning,
    }


def made(policy: Policy, calls: int) -> list[Recording]:
    """Calls of the last hours, as the engine hands them over."""
    random = Random(calls)
    begun = time.time() - calls * _SECONDS_EACH
    return [_call(policy, random, number, begun + number * _SECONDS_EACH) for number in range(calls)]


def _call(policy: Policy, random: Random, number: int, at: float) -> Recording:
    caller = random.choice(CALLERS)
    dialed = random.choice((*DIALED, f"0301234{random.randrange(1000):03}"))
    facts = Facts(
        time=at,
        source="127.0.0.1",
        transport="udp",
        ambient=World(policy),
        authenticated=True,
        caller=caller,
        claimed=caller,
        dialed=dialed,
        callee=policy.callee(dialed),
    )
    decision = policy.decide("call", facts)
    events = [Happened("call", at, decision)]
    if isinstance(decision.action, Dial) and random.random() < BUSY:
        outcome = Outcome("busy", "bob", 486, True, 1)
        facts.time = at + 4.0
        events.append(Happened("busy", facts.time, policy.resume(decision.action.frame, outcome, facts), outcome))
    return Recording(f"{int(at):08x}{random.getrandbits(64):016x}", policy, events, facts, None, {})


if __name__ == "__main__":
    sys.exit(main())
