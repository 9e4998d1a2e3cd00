"""Groups whose members are called one after the other: in which order, this time.

Owns the order alone. Where a turn or a draw comes from is for the ambient, what a step calls for `compile_dialing`.
"""

from __future__ import annotations

from dsl.tree import Way
from dsl.values import Frozen


class HuntGroup(Frozen):
    """The members of a group in the order of the script, and how they are called. `weights`: of the way `weight`."""

    name: str
    members: tuple[str, ...]
    way: Way
    weights: tuple[int, ...] = ()

    def turned(self, turn: int) -> tuple[int, ...]:
        """The numbers of the members in turn: `turn` says how often the group was called before."""
        size = len(self.members)
        return tuple([(turn + number) % size for number in range(size)])

    def drawn(self, draw: float) -> tuple[int, ...]:
        """The numbers of the members by chance, each place among those that are left; `draw` is at least 0, below 1.

        What a draw is beyond the choice that it makes is a draw again, so that one is enough for all places.
        """
        left = list(range(len(self.members)))
        order: list[int] = []
        while left:
            at = draw * sum([self.weights[number] for number in left])
            place = 0
            while at >= self.weights[left[place]]:
                at -= self.weights[left[place]]
                place += 1
            order.append(left.pop(place))
            draw = at / self.weights[order[-1]]
        return tuple(order)

    def draw_of(self, member: str) -> float:
        """A draw that puts this member first."""
        number = self.members.index(member)
        before = sum(self.weights[:number])
        return (before + self.weights[number] / 2) / sum(self.weights)
