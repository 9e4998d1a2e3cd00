"""What a failed run tells its reader: the seed, what did not hold, and the ladder of the calls concerned."""

from __future__ import annotations

from collections import defaultdict

from .ladder import draw_ladder
from .world import Violation, World

_SHOWN = 12


def explain(world: World, violations: list[Violation]) -> str:
    """The whole of it, as text."""
    lines = [f"seed {world.seed} ({world.profile.kind}): {len(violations)} rules did not hold"]
    lines += [f"  {violation}" for violation in violations[:_SHOWN]]
    if len(violations) > _SHOWN:
        lines.append(f"  and {len(violations) - _SHOWN} more")
    first = next((violation for violation in violations if violation.call_id), None)
    if first is not None:
        legs = _legs_of(world, first.call_id)
        lines += ["the ladder of the first call concerned:", draw_ladder(world.link.passages, legs)]
    lines.append(f"run it alone: python -m tests.sim {world.seed}")
    return "\n".join(lines)


def _legs_of(world: World, call_id: str) -> set[str]:
    """The Call-IDs of all legs of that call, as the records have them."""
    groups: dict[str, set[str]] = defaultdict(set)
    for record in world.records:
        groups[record.call].add(record.sip_call_id)
    return {call_id}.union(*(group for group in groups.values() if call_id in group))
