"""Which events come to a block, and to which sub.

Owns what can be decided together, and the way from events through `do`; a dial's own outcomes are events of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from dsl import tree
from dsl.vocabulary import FACTS, OUTCOMES


def events_of(on: tree.On) -> frozenset[str]:
    """The events that come to a block; none where it names none, or such as cannot be decided together."""
    events = frozenset(event for event in on.names if event in FACTS)
    return events if len(events) == 1 or events.issubset(OUTCOMES) else frozenset()


def contexts(script: tree.Script, subs: dict[str, tree.Sub]) -> dict[str, frozenset[str]]:
    """For each sub that is done somewhere, the events in which that happens."""
    found: dict[str, set[str]] = {}
    waiting = [(events_of(item), item.body) for item in script.declarations if isinstance(item, tree.On)]
    while waiting:
        events, block = waiting.pop()
        for events_there, done in _subs_done(block, events):
            known = found.setdefault(done.sub.text, set())
            new = events_there - known
            if new and done.sub.text in subs:
                known |= new
                waiting.append((new, subs[done.sub.text].body))
    return {name: frozenset(events) for name, events in found.items()}


def _subs_done(block: tree.Block, events: frozenset[str]) -> Iterator[tuple[frozenset[str], tree.Do]]:
    """Each `do` in a block with the events in which it is done: a dial's own outcomes are events of their own."""
    for statement in block.statements:
        match statement:
            case tree.When(body=body) | tree.AlsoWhen(body=body) | tree.Otherwise(body=body):
                yield from _subs_done(body, events)
            case tree.Dial(outcomes=outcomes):
                for outcome in outcomes:
                    yield from _subs_done(outcome.body, frozenset(kind.text for kind in outcome.kinds))
            case tree.Do():
                yield events, statement
            case _:
                pass
