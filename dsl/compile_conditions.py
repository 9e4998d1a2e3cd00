"""Conditions into functions, each with the keys by which an index may find it.

Owns what makes a condition true or false, absent values included: an absent value is equal to nothing, in nothing and
of no form. How `and`, `or` and `not` combine, and what a key may stand for, is in `compile_logic`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import assert_never

from dsl import tree
from dsl.compile_logic import Condition, Key, all_of, any_of, negated
from dsl.compile_sets import in_collection, in_networks
from dsl.compile_setup import Limit, Setup
from dsl.compile_values import Compiled, Kind, Scope, caller_number
from dsl.evaluate import Run
from dsl.networks import NetworkSet, counting_unit, parse_network
from dsl.patterns import Pattern, parse_pattern
from dsl.spoken import spoken

_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_TRUNK = Compiled(lambda run: run.facts.trunk, Kind.TEXT, "fact trunk")


class Conditions:
    """Compiles the conditions of one rule; what they bind goes into `scope`, the scope of the rule's body."""

    def __init__(self, setup: Setup, scope: Scope) -> None:
        self._setup = setup
        self._scope = scope
        self._bound: set[str] = set()

    def rule(self, condition: tree.Condition) -> Condition:
        """The condition of a whole rule: no key is left whose subject the rule itself binds on its way."""
        made = self.compiled(condition)
        keys = [chosen for chosen in made.keys if self._bound.isdisjoint(key.subject.slot for key in chosen)]
        return Condition(made.test, tuple(keys), made.pure)

    def _bind(self, name: str, kind: Kind | None) -> str:
        slot = self._scope.bind(name, kind)
        self._bound.add(slot)
        return slot

    def compiled(self, condition: tree.Condition) -> Condition:
        """The function of a condition."""
        match condition:
            case tree.And(conditions=parts):
                return all_of([self.compiled(part) for part in parts])
            case tree.Or(conditions=parts):
                return any_of([self.compiled(part) for part in parts])
            case tree.Not(condition=inner):
                return negated(self.compiled(inner))
            case tree.Compare():
                return self._compare(condition)
            case tree.In(item=item, collection=collection):
                return in_collection(self._scope.compiled(item), collection, self._setup)
            case tree.Matches(item=item, pattern=pattern):
                return self._matches(self._scope.compiled(item), parse_pattern(pattern.text))
            case tree.Is(subject=subject, state=state):
                return self._is(subject, state.text)
            case tree.Over(limit=limit):
                return _over(self._setup.limits[limit.text], self._setup)
            case tree.Within(hours=hours):
                within = self._setup.hours[hours.text].within
                return Condition(lambda run: within(run.facts.time))
            case tree.Lookup():
                return self._lookup(condition)
            case tree.FromTrunk(trunk=trunk):
                return _equal(_TRUNK, trunk.text)
            case tree.Holds(fact=fact):
                value = self._scope.compiled(fact).value
                return Condition(lambda run: value(run) is True)
            case _:
                assert_never(condition)

    def _compare(self, condition: tree.Compare) -> Condition:
        if condition.operator == "!=":
            return negated(self._equality(condition.left, condition.right))
        if condition.operator == "==":
            return self._equality(condition.left, condition.right)
        left = self._scope.compiled(condition.left).value
        right = self._scope.compiled(condition.right).value
        holds = _ORDERS[condition.operator]

        def test(run: Run) -> bool:
            one, other = left(run), right(run)
            return isinstance(one, int | float) and isinstance(other, int | float) and holds(one, other)

        return Condition(test)

    def _equality(self, left: tree.Expression, right: tree.Expression) -> Condition:
        for item, network in ((left, right), (right, left)):
            if isinstance(network, tree.Network):
                return in_networks(self._scope.compiled(item), (parse_network(network.text),))
        one, other = self._scope.compiled(left), self._scope.compiled(right)
        if one.constant is not None:
            one, other = other, one
        if other.constant is not None and one.constant is None:
            return _equal(one, other.constant)
        first, second = one.value, other.value

        def test(run: Run) -> bool:
            value = first(run)
            return value is not None and value == second(run)

        return Condition(test)

    def _matches(self, item: Compiled, pattern: Pattern) -> Condition:
        slots = [(name, self._bind(name, Kind.TEXT)) for name, _, _ in pattern.captures]
        fullmatch = _form(pattern)
        value = item.value

        def test(run: Run) -> bool:
            text = value(run)
            return isinstance(text, str) and fullmatch(text) is not None

        def capture(run: Run) -> bool:
            text = value(run)
            found = fullmatch(text) if isinstance(text, str) else None
            if found is None:
                return False
            for name, slot in slots:
                run.names[slot] = found[name]
            return True

        keys = (Key("pattern", item, pattern),)
        return Condition(capture if slots else test, (keys,))

    def _is(self, subject: tree.Expression, state: str) -> Condition:
        if state in ("up", "full") and isinstance(subject, tree.Reference):
            trunk = subject.name.text
            asks = Run.up if state == "up" else Run.full
            return Condition(lambda run: asks(run, trunk), pure=False)
        if state == "caller":
            if spoken(subject) == "holder":
                return Condition(lambda run: run.facts.holder_is_caller)
            return Condition(lambda run: run.facts.transferor_is_caller)
        if state == "known":
            return Condition(lambda run: run.facts.transferor_is_known)
        value = self._scope.compiled(subject).value
        if state == "absent":
            return Condition(lambda run: value(run) is None)
        if state == "emergency":
            is_emergency = self._setup.is_emergency

            def urgent(run: Run) -> bool:
                dialed = value(run)
                return isinstance(dialed, str) and is_emergency(dialed)

            return Condition(urgent)
        asks_user = Run.registered if state == "registered" else Run.busy

        def test(run: Run) -> bool:
            user = value(run)
            return isinstance(user, str) and user in run.directory and asks_user(run, user)

        return Condition(test, pure=False)

    def _lookup(self, condition: tree.Lookup) -> Condition:
        key = self._scope.compiled(condition.key).value
        find, plan = self._setup.tables[condition.table.text].find, self._setup.plan
        slot = None
        if condition.bound is not None:
            slot = self._bind(condition.bound.text, None)

        def test(run: Run) -> bool:
            text = key(run)
            row = find(text, plan) if isinstance(text, str) else None
            if row is None:
                return False
            if slot is not None:
                run.names[slot] = row
            return True

        return Condition(test)


def _form(pattern: Pattern) -> Callable[[str], re.Match[str] | None]:
    """The pattern's regular expression, made when it is first tried: an index leaves most of them untried."""
    made: list[Callable[[str], re.Match[str] | None]] = []

    def fullmatch(text: str) -> re.Match[str] | None:
        if not made:
            made.append(pattern.regular_expression().fullmatch)
        return made[0](text)

    return fullmatch


def _equal(item: Compiled, wanted: str | float) -> Condition:
    value = item.value
    return Condition(lambda run: value(run) == wanted, ((Key("equal", item, wanted),),))


def _over(limit: Limit, setup: Setup) -> Condition:
    """Emergency calls are over no limit and take from none."""
    name, is_emergency = limit.name, setup.is_emergency
    key = _net_of(setup) if limit.each == "net" else _KEYS[limit.each]
    return Condition(lambda run: not is_emergency(run.facts.dialed) and run.over(name, key(run)), pure=False)


def _net_of(setup: Setup) -> Callable[[Run], str]:
    names = tuple(setup.nets)
    match = NetworkSet(
        [(index, network) for index, networks in enumerate(setup.nets.values()) for network in networks]
    ).match

    def net(run: Run) -> str:
        found = match(run.facts.source)
        return names[found[0]] if found else ""

    return net


def _number_of_caller(run: Run) -> str:
    """An account without a number is counted by itself."""
    return caller_number(run) or run.facts.caller or ""


_KEYS: dict[str | None, Callable[[Run], str]] = {
    None: lambda run: "",
    "caller": lambda run: run.facts.caller or "",
    "caller.number": _number_of_caller,
    "user": lambda run: run.facts.user or run.facts.caller or "",
    "callee": lambda run: run.facts.callee or "",
    "dialed": lambda run: run.facts.dialed or "",
    "trunk": lambda run: run.facts.trunk or "",
    "source": lambda run: counting_unit(run.facts.source),
}
