"""What a walk asks of the present moment: once each, and noted; the limits that it takes from, and whose turn it is.

Owns the names under which answers are recorded, as decisions carry them.
"""

from __future__ import annotations

from collections.abc import Callable

from dsl.compile_setup import Limit, Setup
from dsl.decision import Ambient, Facts
from dsl.networks import counting_unit
from dsl.walk.membership import in_networks


class Questions:
    """`asked` are the answers by name, `takes` the limits that were found to have room, with their keys, `turns` the
    groups that were called in turn.
    """

    def __init__(self, facts: Facts, setup: Setup) -> None:
        self._facts = facts
        self._setup = setup
        self._ambient: Ambient = facts.ambient
        self.asked: dict[str, object] = {}
        self.takes: list[tuple[str, str]] = []
        self.turns: dict[str, int] = {}
        self._draws: dict[str, float] = {}

    def _answer(self, name: str, ask: Callable[[], bool]) -> bool:
        if name not in self.asked:
            self.asked[name] = ask()
        return self.asked[name] is True

    def of_user(self, state: str, user: str) -> bool:
        """Whether a user is `registered` or `busy`."""
        ask = self._ambient.registered if state == "registered" else self._ambient.busy
        return self._answer(f"{state} {user}", lambda: ask(user))

    def of_trunk(self, state: str, trunk: str) -> bool:
        """Whether a trunk is `up` or `full`."""
        ask = self._ambient.up if state == "up" else self._ambient.full
        return self._answer(f"{state} {trunk}", lambda: ask(trunk))

    def over(self, limit: Limit) -> bool:
        """Whether one more would pass this limit; if not, this walk takes one."""
        key = self.key(limit)
        name = f"over {limit.name} {key}" if key else f"over {limit.name}"
        over = self._answer(name, lambda: self._ambient.over(limit.name, key))
        if not over and (limit.name, key) not in self.takes:
            self.takes.append((limit.name, key))
        return over

    def turn(self, group: str) -> int:
        """How often a group was called in turn before; this walk calls it once more."""
        if group not in self.turns:
            self.turns[group] = self._ambient.turn(group)
            self.asked[f"turn {group}"] = self.turns[group]
        return self.turns[group]

    def draw(self, group: str) -> float:
        """What chance says of a group's order."""
        if group not in self._draws:
            self._draws[group] = self._ambient.draw(group)
            self.asked[f"draw {group}"] = self._draws[group]
        return self._draws[group]

    def key(self, limit: Limit) -> str:
        """For whom a limit counts here: empty where it counts for all together, or where nobody is there."""
        facts = self._facts
        match limit.each:
            case None:
                return ""
            case "source":
                return counting_unit(facts.source)
            case "net":
                nets = self._setup.nets.items()
                return next((name for name, networks in nets if in_networks(facts.source, networks)), "")
            case "user":
                return facts.user or facts.caller or ""
            case "caller.number":
                user = self._setup.directory.users.get(facts.caller or "")
                number = facts.caller_number if user is None else user.number
                return number or facts.caller or ""
            case each:
                return getattr(facts, each) or ""
