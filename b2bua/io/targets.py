"""Which of the servers that stand behind a name is tried first (RFC 2782, RFC 3263 section 4.2).

Pure: what was found in DNS, and an order drawn from it for each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

from b2bua.effects import Address

MOST_ADDRESSES = 16
"""Of all that a name stands for, as many are tried: by then Timer B is over."""


class Target(NamedTuple):
    """One server: where its service stands among the name's services, its SRV fields, and where it is."""

    service: int
    priority: int
    weight: int
    addresses: tuple[Address, ...]


def ordered(targets: Iterable[Target], draw: Callable[[], float]) -> tuple[Address, ...]:
    """All addresses, best first. `draw` gives a number from 0 to 1, so that weights come true over many calls."""
    found: dict[Address, None] = {}
    for _, group in groupby(sorted(targets), key=lambda target: (target.service, target.priority)):
        for target in _by_weight(list(group), draw):
            found.update(dict.fromkeys(target.addresses))
    return tuple(found)[:MOST_ADDRESSES]


def _by_weight(group: list[Target], draw: Callable[[], float]) -> Iterable[Target]:
    """RFC 2782: each next one with the chance of its weight; those of weight 0 stand first, with nearly none."""
    left = sorted(group, key=lambda target: target.weight != 0)
    while left:
        mark = draw() * sum(target.weight for target in left)
        total = 0
        for target in left:
            total += target.weight
            if total >= mark:
                break
        left.remove(target)
        yield target
