"""Which of the servers that stand behind a name is tried first (RFC 2782, RFC 3263 section 4.2).

Pure: what was found in DNS, and an order drawn from it for each use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from b2bua.effects import Address, Target

MOST_ADDRESSES: Final = 16
"""Of all that a name stands for, as many are tried: by then the transaction's time is over."""


def ordered(targets: Sequence[Target], draw: Callable[[], float]) -> tuple[Address, ...]:
    """All addresses, best first. `draw` gives a number from 0 to 1, so that weights come true over many uses.

    It is asked only where servers of one priority have different weights to choose by.
    """
    if len(targets) == 1:
        return targets[0].addresses[:MOST_ADDRESSES]
    groups: dict[tuple[int, int], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.service, target.priority), []).append(target)
    found: dict[Address, None] = {}
    for place in sorted(groups):
        for target in _by_weight(groups[place], draw):
            found.update(dict.fromkeys(target.addresses))
    return tuple(found)[:MOST_ADDRESSES]


def _by_weight(group: list[Target], draw: Callable[[], float]) -> list[Target]:
    """RFC 2782: each next one with the chance of its weight; those of weight 0 stand first, with nearly none."""
    left = sorted(group, key=lambda target: target.weight != 0)
    chosen: list[Target] = []
    while len(left) > 1:
        mark = draw() * sum([target.weight for target in left])
        total = 0
        for target in left:
            total += target.weight
            if total >= mark:
                break
        left.remove(target)
        chosen.append(target)
    return chosen + left
