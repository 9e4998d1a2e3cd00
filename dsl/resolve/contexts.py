"""Which events come to which sub.

Owns the way from events through `do`; a dial's own outcomes are events of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from dsl import tree
from dsl.vocabulary import FACTS


def contexts(script: tree.Script, subs: dict[str, tree.Sub]) -> dict[str, frozenset[str]]:
    """For each sub that is done somewhere, the events in which that happens."""
    found: dict[str, set[str]] = {}
    waiting = [
        (declaration.event.text, declaration.body)
        for declaration in script.declarations
        if isinstance(declaration, tree.On) and declaration.event.text in FACTS
    ]
    while waiting:
        event, block = waiting.pop()
        for event_there, done in _subs_done(block, event):
            events = found.setdefault(done.sub.text, set())
            if event_there not in events and done.sub.text in subs:
                events.add(event_there)
                waiting.append((event_there, subs[done.sub.text].body))
    return {name: frozenset(events) for name, events in found.items()}


def _subs_done(block: tree.Block, event: str) -> Iterator[tuple[str, tree.Do]]:
    """Each `do` in a block with the event in which it is done: a dial's own outcomes are events of their own."""
    for statement in block.statements:
        match statement:
            case tree.When(body=body) | tree.AlsoWhen(body=body) | tree.Otherwise(body=body):
                yield from _subs_done(body, event)
            case tree.Dial(outcomes=outcomes):
                for outcome in outcomes:
                    yield from _subs_done(outcome.body, outcome.kind.text)
            case tree.Do():
                yield event, statement
            case _:
                pass
