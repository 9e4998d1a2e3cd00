"""That the simulated carriers' servers do fail, and that calls do go on to the next of them."""

from __future__ import annotations

from collections import Counter

from .profile import KINDS
from .world import World


def test_servers_fail_and_others_take_their_calls() -> None:
    counted: Counter[str] = Counter()
    took: Counter[str] = Counter()
    for seed in range(3 * len(KINDS)):
        world = World(seed)
        world.run()
        counted.update(world.core.counters)
        counted["turned away"] += sum(gateway.turned_away for gateway in world.gateways)
        took.update({gateway.name: len(gateway.calls) for gateway in world.gateways})
    assert counted["turned away"] > 5
    assert counted["failovers"] > 10
    assert counted["targets_passed_over"] > 3
    assert min(took["gw"], took["gw-b"], took["gw-c"]) > 0
    assert took["gw"] + took["gw-b"] > took["gw-c"]
