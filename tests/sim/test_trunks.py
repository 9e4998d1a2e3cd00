"""That the simulated trunk is registered and left, goes down and comes back, and that its calls are what tells."""

from __future__ import annotations

from collections import Counter
from random import Random

from .profile import KINDS
from .registering import plan_absence
from .world import CALLS_UNTIL, World


def test_trunks_are_registered_and_go_down_and_come_back() -> None:
    counted: Counter[str] = Counter()
    logged: Counter[str] = Counter()
    accepted = left = 0
    for seed in range(2 * len(KINDS)):
        world = World(seed, registers=True)
        main = [gateway for gateway in world.gateways if not gateway.name.startswith("gw2")]
        plan_absence(world.clock, Random(seed), main, CALLS_UNTIL)
        world.run()
        counted.update(world.core.counters)
        said = [log.event for log in world.logs if log.event in ("trunk down", "trunk up")]
        logged.update(said)
        for name in ("pstn", "backup"):
            mine = [log.event for log in world.logs if log.fields.get("trunk") == name and log.event in said]
            # One line for each change.
            assert mine == ["trunk down", "trunk up"] * (len(mine) // 2) + ["trunk down"] * (len(mine) % 2)
        accepted += sum(gateway.accepted for gateway in world.gateways)
        left += sum(gateway.left for gateway in world.gateways)
    assert accepted > 10 * len(KINDS)
    assert left > len(KINDS)
    assert counted["trunk_checks"] > 50 * len(KINDS)
    assert counted["trunk_registrations_refused"] == 0
    assert logged["trunk down"] > 5
    assert logged["trunk up"] > 5
