"""How many steps a decision takes: one for each term of a condition that is tried, and one for all else that is done.

Owns the count, as it can be told from what is written. A rule counts with its whole condition, wherever `and` and `or`
stop. The budget itself is `evaluate`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

from dsl import tree


def terms(condition: tree.Condition) -> int:
    """How many things a condition asks."""
    match condition:
        case tree.And(conditions=parts) | tree.Or(conditions=parts):
            return sum(map(terms, parts))
        case tree.Not(condition=part):
            return terms(part)
        case _:
            return 1


def steps(statement: tree.Statement) -> int:
    """What it takes to try a statement, without what follows in its body."""
    return terms(statement.condition) if isinstance(statement, tree.When | tree.AlsoWhen) else 1


def most_steps(script: tree.Script) -> int:
    """What the longest way to a decision takes, where no index spares any rule. No sub may come back to itself."""
    subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
    longest = _Longest(subs)
    blocks = [item.body for item in script.declarations if isinstance(item, tree.On | tree.Sub)]
    # The outcomes of a dial are decided by themselves.
    blocks += [outcome.body for block in blocks for outcome in _outcomes(block)]
    return max(map(longest.through, blocks), default=0)


def _outcomes(block: tree.Block) -> Iterator[tree.Outcome]:
    for statement in block.statements:
        match statement:
            case tree.When(body=body) | tree.AlsoWhen(body=body) | tree.Otherwise(body=body):
                yield from _outcomes(body)
            case tree.Dial(outcomes=outcomes):
                for outcome in outcomes:
                    yield outcome
                    yield from _outcomes(outcome.body)
            case _:
                pass


class _Longest:
    def __init__(self, subs: dict[str, tree.Sub]) -> None:
        self._subs = subs
        self._through: dict[str, int] = {}

    def through(self, block: tree.Block) -> int:
        """The longest way through a block."""
        passed = longest = 0
        for statement in block.statements:
            passed += steps(statement)
            match statement:
                case tree.When(body=body) | tree.Otherwise(body=body):
                    longest = max(longest, passed + self.through(body))
                case tree.AlsoWhen(body=body):
                    passed += self.through(body)
                case tree.Do(sub=sub):
                    longest = max(longest, passed + self._sub(sub.text))
                case _:
                    pass
        return max(longest, passed)

    def _sub(self, name: str) -> int:
        if name not in self._through:
            self._through[name] = self.through(self._subs[name].body)
        return self._through[name]
