"""Conditions into functions, each with the keys by which an index may find it.

Owns what makes a condition true or false, absent values included (an absent value is equal to nothing, in
nothing and of no form), and which atoms of it are necessary: where none of a key set holds, the condition
is false and evaluating it would have asked nothing. Only atoms left of the first question to the ambient
qualify, so skipping a rule never skips a limit that it would have taken.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Literal

import msgspec

from dsl import tree
from dsl.compile_setup import Limit, Setup
from dsl.compile_values import Compiled, Kind, Scope
from dsl.evaluate import Run, Test
from dsl.networks import Network, NetworkSet, counting_unit, parse_network
from dsl.patterns import Pattern, parse_pattern

MOST_KEYS = 64
"""A condition with more alternatives than this is tried without an index."""


class Key(msgspec.Struct, frozen=True):
    """An atom that an index answers: the subject's value equals, lies in, or is of the form of `operand`."""

    index: Literal["equal", "network", "pattern"]
    subject: Compiled
    operand: str | int | Network | Pattern


class Condition(msgspec.Struct, frozen=True):
    """A condition's test; its key sets, any of which may stand for it; whether it never asks the ambient."""

    test: Test
    keys: tuple[tuple[Key, ...], ...] = ()
    pure: bool = True


_ORDERS: dict[str, Callable[[int, int], bool]] = {
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

    def _bind(self, name: str, kind: Kind | None, written: bool) -> str:
        slot = self._scope.bind(name, kind, written)
        self._bound.add(slot)
        return slot

    def compiled(self, condition: tree.Condition) -> Condition:
        """The function of a condition."""
        match condition:
            case tree.And(conditions=parts):
                return _all([self.compiled(part) for part in parts])
            case tree.Or(conditions=parts):
                return _any([self.compiled(part) for part in parts])
            case tree.Not(condition=inner):
                return _negated(self.compiled(inner))
            case tree.Compare():
                return self._compare(condition)
            case tree.In(item=item, collection=collection):
                return self._in(self._scope.compiled(item), collection)
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

    def _compare(self, condition: tree.Compare) -> Condition:
        if condition.operator == "!=":
            return _negated(self._equality(condition.left, condition.right))
        if condition.operator == "==":
            return self._equality(condition.left, condition.right)
        left = self._scope.compiled(condition.left).value
        right = self._scope.compiled(condition.right).value
        holds = _ORDERS[condition.operator]

        def test(run: Run) -> bool:
            one, other = left(run), right(run)
            return isinstance(one, int) and isinstance(other, int) and holds(one, other)

        return Condition(test)

    def _equality(self, left: tree.Expression, right: tree.Expression) -> Condition:
        for item, network in ((left, right), (right, left)):
            if isinstance(network, tree.Network):
                return _in_networks(self._scope.compiled(item), (parse_network(network.text),))
        one, other = self._scope.compiled(left), self._scope.compiled(right)
        if one.kind is not other.kind and Kind.WHOLE in (one.kind, other.kind):
            one, other = _as_written(one, left), _as_written(other, right)
        if one.constant is not None:
            one, other = other, one
        if other.constant is not None and one.constant is None:
            return _equal(one, other.constant)
        first, second = one.value, other.value

        def test(run: Run) -> bool:
            value = first(run)
            return value is not None and value == second(run)

        return Condition(test)

    def _in(self, item: Compiled, collection: tree.Name | tree.Network) -> Condition:
        if isinstance(collection, tree.Network):
            return _in_networks(item, (parse_network(collection.text),))
        networks = self._setup.nets.get(collection.text)
        if networks is not None:
            return _in_networks(item, networks)
        members = self._setup.groups[collection.text]
        value = item.value
        keys = tuple(Key("equal", item, member) for member in sorted(members))
        return Condition(lambda run: value(run) in members, (keys,) if len(keys) <= MOST_KEYS else ())

    def _matches(self, item: Compiled, pattern: Pattern) -> Condition:
        slots = [(name, self._bind(name, Kind.TEXT, item.written)) for name, _, _ in pattern.captures]
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
            slot = self._bind(condition.bound.text, None, written=True)

        def test(run: Run) -> bool:
            text = key(run)
            row = find(text, plan) if isinstance(text, str) else None
            if row is None:
                return False
            if slot is not None:
                run.names[slot] = row
            return True

        return Condition(test)


def _as_written(compiled: Compiled, expression: tree.Expression) -> Compiled:
    if not isinstance(expression, tree.Integer):
        return compiled
    text = expression.text
    return Compiled(lambda run: text, Kind.TEXT, f"text {text!r}", written=True, constant=text)


def _form(pattern: Pattern) -> Callable[[str], re.Match[str] | None]:
    """The pattern's regular expression, made when it is first tried: an index leaves most of them untried."""
    made: list[Callable[[str], re.Match[str] | None]] = []

    def fullmatch(text: str) -> re.Match[str] | None:
        if not made:
            made.append(pattern.regular_expression().fullmatch)
        return made[0](text)

    return fullmatch


def _equal(item: Compiled, wanted: str | int) -> Condition:
    value = item.value
    return Condition(lambda run: value(run) == wanted, ((Key("equal", item, wanted),),))


def _in_networks(item: Compiled, networks: tuple[Network, ...]) -> Condition:
    match = NetworkSet((0, network) for network in networks).match
    value = item.value

    def test(run: Run) -> bool:
        address = value(run)
        return isinstance(address, str) and match(address) != ()

    keys = tuple(Key("network", item, network) for network in networks)
    return Condition(test, (keys,) if len(keys) <= MOST_KEYS else ())


def _negated(condition: Condition) -> Condition:
    inner = condition.test
    return Condition(lambda run: not inner(run), pure=condition.pure)


def _all(parts: list[Condition]) -> Condition:
    keys: list[tuple[Key, ...]] = []
    for part in parts:
        keys += part.keys
        if not part.pure:
            break
    tests = tuple(part.test for part in parts)
    pure = all(part.pure for part in parts)
    if len(tests) == 2:
        first, second = tests
        return Condition(lambda run: first(run) and second(run), tuple(keys), pure)

    def test(run: Run) -> bool:
        for holds in tests:  # noqa: SIM110
            if not holds(run):
                return False
        return True

    return Condition(test, tuple(keys), pure)


def _any(parts: list[Condition]) -> Condition:
    keys = tuple(key for part in parts if part.keys for key in part.keys[0])
    findable = all(part.keys for part in parts) and len(keys) <= MOST_KEYS
    tests = tuple(part.test for part in parts)
    pure = all(part.pure for part in parts)
    if len(tests) == 2:
        first, second = tests
        return Condition(lambda run: first(run) or second(run), (keys,) if findable else (), pure)

    def test(run: Run) -> bool:
        for holds in tests:  # noqa: SIM110
            if holds(run):
                return True
        return False

    return Condition(test, (keys,) if findable else (), pure)


def _over(limit: Limit, setup: Setup) -> Condition:
    """Emergency calls are over no limit and take from none."""
    name, key, is_emergency = limit.name, _KEYS[limit.each], setup.is_emergency
    return Condition(lambda run: not is_emergency(run.facts.dialed) and run.over(name, key(run)), pure=False)


_KEYS: dict[str | None, Callable[[Run], str]] = {
    None: lambda run: "",
    "caller": lambda run: run.facts.caller or "",
    "user": lambda run: run.facts.user or run.facts.caller or "",
    "callee": lambda run: run.facts.callee or "",
    "dialed": lambda run: run.facts.dialed or "",
    "trunk": lambda run: run.facts.trunk or "",
    "source": lambda run: counting_unit(run.facts.source),
}
