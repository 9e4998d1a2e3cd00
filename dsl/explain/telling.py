"""An explanation for eyes.

Owns the form: first what is decided, in a sentence each, then the rules as they were looked at. Many rules that fail
alike are folded into one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsl.explain.explanation import Ending, Explained, Explanation
from dsl.walk import told_rules


def explanation_text(explanation: Explanation) -> str:
    """The whole of it."""
    lines = [*_decided(explanation.events), ""]
    where = "as the server has it now, by the version in force" if explanation.live else "version"
    lines.append(f"{explanation.file}, {where} {explanation.version}")
    for event in explanation.events:
        lines += ["", *_event(event)]
    return "\n".join(lines)


def _decided(events: Sequence[Explained]) -> Iterator[str]:
    """A sentence for each event; what follows of a dial is indented below it."""
    for event in events:
        by = event.by or "the policy says nothing of it"
        yield f"{event.said or f'  {event.named}'}: {event.plain} ({by})"


def _event(event: Explained) -> Iterator[str]:
    known = ", ".join(name if value is True else f"{name} {value}" for name, value in event.facts.items())
    yield f"on {event.named}: {event.time}, {known}"
    for line in told_rules(event.tried, parts=True):
        yield f"  {line}"
    yield f"  so: {event.decision}"
    for mark in event.besides:
        yield f"    {mark}"
    yield from _endings(event.endings)


def _endings(endings: Sequence[Ending]) -> Iterator[str]:
    for ending in endings:
        status = "" if ending.code is None else f" ({ending.code})"
        by = f", by {ending.by}" if ending.by else ", as nothing is said of it"
        yield f"  if {ending.outcome + status}: {ending.decision}{by}"
