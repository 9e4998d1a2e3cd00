"""`python -m tests.sim SEED`: one run of the simulator as a ladder, and what went wrong in it."""

from __future__ import annotations

import sys

from .ladder import draw_ladder
from .report import explain
from .rules import check
from .world import World


def main(arguments: list[str]) -> int:
    """Run a seed and print all that passed; 1 when a rule did not hold, 2 for a wrong command line."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        print("usage: python -m tests.sim SEED", file=sys.stderr)
        return 2
    world = World(int(arguments[0]))
    world.run()
    print(draw_ladder(world.link.passages))
    violations = check(world)
    print(f"\nseed {world.seed}, {world.profile.kind}: {len(world.link.passages)} packets, ", end="")
    print(f"{len(world.records)} records, {len(violations)} violations")
    if violations:
        print(explain(world, violations))
    return 1 if violations else 0


sys.exit(main(sys.argv[1:]))
