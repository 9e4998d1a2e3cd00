"""How deep rules stand in each other, through the outcomes of dials and the subs that are done.

Owns that this ends: a sub never comes back to itself, and no way is so deep that following it, here or where decisions
are made, could fail. What is written in one block is bounded by `reading` already.
"""

from __future__ import annotations

from collections.abc import Iterator

from dsl import tree
from dsl.check.report import Report

MOST_DEEP = 60
"""So many rules may stand in each other; a sub that is done counts for one."""

_MOST_TOLD = 8


def check_depth(script: tree.Script, report: Report) -> bool:
    """Report what goes round, or too deep; whether every way can be followed all the same."""
    subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
    found = _Found(subs, report)
    for name in subs:
        found.visit(name)
    if found.round_trips:
        return sum(1 + _nesting(sub.body) for sub in subs.values()) <= MOST_DEEP
    deepest = [found.deepest(item.body) for item in script.declarations if isinstance(item, tree.On)]
    for depth, done in deepest:
        if depth > MOST_DEEP and done is not None:
            message = f"rules and subs stand {depth} deep in each other from here on"
            report.wrong(done, message, f"{MOST_DEEP} may: let fewer subs do each other")
    return all(depth <= MOST_DEEP for depth, _ in deepest)


class _Found:
    """The subs that were visited: how deep each goes. `round_trips` counts those that come back to themselves."""

    def __init__(self, subs: dict[str, tree.Sub], report: Report) -> None:
        self.round_trips = 0
        self._subs = subs
        self._report = report
        self._depths: dict[str, int] = {}

    def visit(self, name: str) -> None:
        """Visit a sub, and before it those that it does, however many do each other."""
        if name in self._depths:
            return
        way = [(name, self._done_by(name))]
        entered = {name: 0}
        while way:
            name, dos = way[-1]
            done = next(dos, None)
            if done is None:
                way.pop()
                del entered[name]
                self._depths[name] = self.deepest(self._subs[name].body)[0]
            elif done.sub.text in entered:
                self._goes_round(done, [step for step, _ in way[entered[done.sub.text] :]])
            elif done.sub.text not in self._depths:
                entered[done.sub.text] = len(way)
                way.append((done.sub.text, self._done_by(done.sub.text)))

    def _done_by(self, name: str) -> Iterator[tree.Do]:
        return (done for done, _ in _done(self._subs[name].body, 0) if done.sub.text in self._subs)

    def _goes_round(self, done: tree.Do, way: list[str]) -> None:
        self.round_trips += 1
        names = [f"`{sub}`" for sub in (*way, done.sub.text)]
        names[_MOST_TOLD:-1] = ["..."] if len(names) > _MOST_TOLD + 2 else names[_MOST_TOLD:-1]
        circle = " to ".join(names)
        self._report.wrong(done.sub, f"this goes round: {circle}", "a sub cannot come back to itself")

    def deepest(self, block: tree.Block) -> tuple[int, tree.Do | None]:
        """How deep a block goes, and by which `do`."""
        found: tuple[int, tree.Do | None] = (_nesting(block), None)
        for done, depth in _done(block, 0):
            whole = depth + 1 + self._depths.get(done.sub.text, 0)
            if whole > found[0]:
                found = whole, done
        return found


def _blocks_in(block: tree.Block) -> Iterator[tree.Block]:
    for statement in block.statements:
        match statement:
            case tree.When(body=body) | tree.AlsoWhen(body=body) | tree.Otherwise(body=body):
                yield body
            case tree.Dial(outcomes=outcomes):
                yield from (outcome.body for outcome in outcomes)
            case _:
                pass


def _nesting(block: tree.Block) -> int:
    return max((1 + _nesting(inner) for inner in _blocks_in(block)), default=0)


def _done(block: tree.Block, depth: int) -> Iterator[tuple[tree.Do, int]]:
    """Each `do` in a block, and in how many rules it stands there."""
    for statement in block.statements:
        if isinstance(statement, tree.Do):
            yield statement, depth
    for inner in _blocks_in(block):
        yield from _done(inner, depth + 1)
