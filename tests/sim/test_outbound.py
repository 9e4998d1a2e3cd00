"""The simulator's phone with two flows is called by one at a time, and by the other when that has failed (RFC 5626)."""

from __future__ import annotations

from .outbound import PhoneFlow
from .profile import KINDS
from .world import World


def test_flows_fail_and_the_other_is_tried() -> None:
    rung_again, contacts = 0, set()
    for turn in range(4):
        world = World(KINDS.index("streams") + turn * len(KINDS))
        world.run()
        flows = [phone for phone in world.phones if isinstance(phone, PhoneFlow)]
        rung_again += flows[0].instance.rung_again
        contacts |= {binding.contact for binding in world.core.registrations(world.wall) if binding.user == "dave"}
    assert rung_again
    assert all("10.0.0.7" in contact for contact in contacts)
