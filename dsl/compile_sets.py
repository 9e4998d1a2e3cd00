"""`in` into functions: groups, nets, numbers, ranges, and sets of all of these.

Owns gathering what a set is made of, so that it is asked as a whole: one dictionary for what is equal, one index for
networks, one for forms and ranges of digits. Absent values are in nothing.
"""

from __future__ import annotations

from dsl import tree
from dsl.compile_logic import MOST_KEYS, Condition, Key, any_of
from dsl.compile_numbers import Written, amount, written
from dsl.compile_setup import Setup
from dsl.compile_values import Compiled, Kind
from dsl.evaluate import Run, Test
from dsl.networks import Network, NetworkSet, parse_network
from dsl.number_sets import NumberSet, digits_between
from dsl.numbers import NumberPlan
from dsl.patterns import Pattern, PatternSet, parse_pattern


def in_collection(item: Compiled, collection: tree.Collection, setup: Setup) -> Condition:
    """The condition that a value is in a group, net, range or set."""
    members = _Members(item, setup)
    if isinstance(collection, tree.Set):
        for element in collection.elements:
            members.add(element)
    else:
        members.add(collection)
    return members.condition()


def in_networks(item: Compiled, networks: tuple[Network, ...]) -> Condition:
    """The condition that an address is in one of these networks."""
    match = NetworkSet((0, network) for network in networks).match
    value = item.value

    def test(run: Run) -> bool:
        address = value(run)
        return isinstance(address, str) and match(address) != ()

    return _found(test, [Key("network", item, network) for network in networks])


class _Members:
    def __init__(self, item: Compiled, setup: Setup) -> None:
        self._item = item
        self._setup = setup
        self._equal: set[str | float] = set()
        self._networks: list[Network] = []
        self._forms: list[Pattern] = []
        self._spans: list[tuple[float, float]] = []
        self._sets: list[NumberSet] = []

    def add(self, element: tree.Element) -> None:
        """Take in one element."""
        match element:
            case tree.Name():
                self._name(element)
            case tree.Network(text=text):
                self._networks.append(parse_network(text))
            case tree.Text(value=text):
                self._equal.add(text)
            case tree.Pattern(text=text):
                self._forms.append(parse_pattern(text))
            case tree.Range(low=low, high=high):
                self._range(low, high)
            case _:
                self._equal.add(amount(element) or 0 if self._item.kind is Kind.WHOLE else element.text)

    def _name(self, name: tree.Name) -> None:
        setup, text = self._setup, name.text
        if name.quoted:
            self._equal.add(text)
        elif text in setup.nets:
            self._networks += setup.nets[text]
        elif text in setup.numbers:
            self._sets.append(setup.numbers[text])
        elif text in setup.groups:
            self._equal |= setup.groups[text]
        else:
            self._equal.add(text)

    def _range(self, low: Written, high: Written) -> None:
        if self._item.kind is Kind.WHOLE:
            self._spans.append((amount(low) or 0, amount(high) or 0))
        else:
            self._forms += digits_between(written(low), written(high))

    def condition(self) -> Condition:
        """All of it as one condition."""
        item = self._item
        parts: list[Condition] = []
        if self._equal:
            parts.append(_one_of(item, frozenset(self._equal)))
        if self._networks:
            parts.append(in_networks(item, tuple(self._networks)))
        if self._forms:
            parts.append(_of_forms(item, self._forms))
        if self._spans:
            parts.append(_between(item, tuple(self._spans)))
        parts += [_among(item, numbers, self._setup.plan) for numbers in self._sets]
        return parts[0] if len(parts) == 1 else any_of(parts)


def _found(test: Test, keys: list[Key]) -> Condition:
    return Condition(test, (tuple(keys),) if len(keys) <= MOST_KEYS else ())


def _one_of(item: Compiled, members: frozenset[str | float]) -> Condition:
    value = item.value
    return _found(
        lambda run: value(run) in members, [Key("equal", item, member) for member in sorted(members, key=str)]
    )


def _of_forms(item: Compiled, forms: list[Pattern]) -> Condition:
    match, value = PatternSet(forms).match, item.value

    def test(run: Run) -> bool:
        text = value(run)
        return isinstance(text, str) and match(text) != ()

    return _found(test, [Key("pattern", item, form) for form in forms])


def _between(item: Compiled, spans: tuple[tuple[float, float], ...]) -> Condition:
    value = item.value

    def test(run: Run) -> bool:
        amount = value(run)
        return isinstance(amount, int | float) and any(low <= amount <= high for low, high in spans)

    return Condition(test)


def _among(item: Compiled, numbers: NumberSet, plan: NumberPlan) -> Condition:
    """Declared numbers, found as they were written and as they are looked up."""
    value, has, key_of = item.value, numbers.has, plan.key

    def test(run: Run) -> bool:
        text = value(run)
        return isinstance(text, str) and has(text)

    if len(numbers.keys) + 2 * len(numbers.patterns) > MOST_KEYS:
        return Condition(test)

    def key(run: Run) -> str | None:
        text = value(run)
        return key_of(text) if isinstance(text, str) else None

    looked_up = Compiled(key, Kind.TEXT, f"key {item.same}", slot=item.slot)
    keys = [Key("equal", looked_up, number) for number in sorted(numbers.keys)]
    keys += [Key("pattern", subject, form) for subject in (item, looked_up) for form in numbers.patterns]
    return _found(test, keys)
