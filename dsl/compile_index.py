"""A block's statements behind indexes: which of them can hold is looked up, so that its length costs nothing.

Owns choosing a key set for each statement and finding candidates, in file order, so that first match
survives. A key set only says which statements need not be tried; a candidate's whole condition is still
tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

from dsl.compile_logic import Key
from dsl.decision import Action
from dsl.evaluate import Execute, Run, Value
from dsl.networks import Network, NetworkSet
from dsl.patterns import Pattern, PatternSet

FEWEST = 12
"""Blocks with fewer statements that an index could find are tried one by one, which is quicker."""

Statement: TypeAlias = tuple[Execute, tuple[tuple[Key, ...], ...]]
"""A statement, and the key sets of its condition: none for one that must always be tried."""

_Find: TypeAlias = Callable[[Run], Sequence[int]]


def indexed(statements: Sequence[Statement]) -> Execute:
    """One function for all statements of a block, in order: the first decision, or None."""
    executes = tuple(execute for execute, _ in statements)
    if sum(1 for _, keys in statements if keys) < FEWEST:
        return executes[0] if len(executes) == 1 else _one_by_one(executes)
    counts = Counter(key for _, keys in statements for chosen in keys for key in _identities(chosen))
    always: list[int] = []
    entries: dict[tuple[str, str], list[tuple[int, Key]]] = {}
    for number, (_, keys) in enumerate(statements):
        if not keys:
            always.append(number)
            continue
        best = min(keys, key=lambda chosen: sum(counts[identity] for identity in _identities(chosen)))
        for key in best:
            entries.setdefault((key.index, key.subject.same), []).append((number, key))
    finders = tuple(_FINDERS[index](found) for (index, _), found in entries.items())
    return _by_candidates(executes, tuple(always), finders)


def _identities(keys: tuple[Key, ...]) -> list[tuple[str, str, str | float | Network | Pattern]]:
    return [(key.index, key.subject.same, key.operand) for key in keys]


def _one_by_one(executes: tuple[Execute, ...]) -> Execute:
    def execute(run: Run) -> Action | None:
        for statement in executes:
            action = statement(run)
            if action is not None:
                return action
        return None

    return execute


def _by_candidates(executes: tuple[Execute, ...], always: tuple[int, ...], finders: tuple[_Find, ...]) -> Execute:
    def execute(run: Run) -> Action | None:
        candidates: Sequence[int] = always
        for find in finders:
            found = find(run)
            if found:
                candidates = sorted({*candidates, *found}) if candidates else found
        for number in candidates:
            action = executes[number](run)
            if action is not None:
                return action
        return None

    return execute


def _equal_finder(entries: list[tuple[int, Key]]) -> _Find:
    value: Value = entries[0][1].subject.value
    rules: dict[str | float | Network | Pattern | None, list[int]] = {}
    for number, key in entries:
        rules.setdefault(key.operand, []).append(number)
    table = {operand: tuple(numbers) for operand, numbers in rules.items()}
    nothing: tuple[int, ...] = ()
    return lambda run: table.get(value(run), nothing)


def _network_finder(entries: list[tuple[int, Key]]) -> _Find:
    value = entries[0][1].subject.value
    match = NetworkSet((number, key.operand) for number, key in entries if isinstance(key.operand, Network)).match

    def find(run: Run) -> Sequence[int]:
        address = value(run)
        return match(address) if isinstance(address, str) else ()

    return find


def _pattern_finder(entries: list[tuple[int, Key]]) -> _Find:
    value = entries[0][1].subject.value
    rules: dict[Pattern, list[int]] = {}
    for number, pattern in [(number, key.operand) for number, key in entries if isinstance(key.operand, Pattern)]:
        rules.setdefault(pattern, []).append(number)
    match = PatternSet(list(rules)).match
    numbers = [tuple(found) for found in rules.values()]

    def find(run: Run) -> Sequence[int]:
        text = value(run)
        matched = match(text) if isinstance(text, str) else ()
        if len(matched) < 2:
            return numbers[matched[0]] if matched else ()
        return sorted({number for index in matched for number in numbers[index]})

    return find


_FINDERS: dict[str, Callable[[list[tuple[int, Key]]], _Find]] = {
    "equal": _equal_finder,
    "network": _network_finder,
    "pattern": _pattern_finder,
}
