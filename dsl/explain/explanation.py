"""What an explanation tells: plain values, which can be written as JSON and read again.

Owns the shapes alone.
"""

from __future__ import annotations

import msgspec

from dsl.walk import Tried


class Ending(msgspec.Struct, frozen=True):
    """What would follow if a dial ended so, with this status where it has one. `by` is empty where no rule says."""

    outcome: str
    code: int | None
    decision: str
    by: str


class Explained(msgspec.Struct, frozen=True):
    """An event and what was decided: `plain` in plain words, `decision` in those of a policy, `by` which rule.

    `said` is the sentence that brought it about, empty for the outcome of a dial. `facts` has what was known, `asked`
    what the moment answered. `tried` are the rules in their order, their places with the file (`office.route:45:3`).
    `besides` tells what else is done. `endings` are those of a dial that is still open. `why` tells how an
    outcome came about that was nobody's answer, and is empty else.
    """

    said: str
    event: str
    time: str
    plain: str
    decision: str
    by: str
    facts: dict[str, object]
    asked: dict[str, object]
    tried: tuple[Tried, ...]
    besides: tuple[str, ...]
    endings: tuple[Ending, ...]
    why: str = ""

    @property
    def named(self) -> str:
        """The event by its name, and why it came about."""
        return f"{self.event} ({self.why})" if self.why else self.event


class Explanation(msgspec.Struct, frozen=True):
    """All events in their order, by which policy; `live`: by what a running server knew."""

    policy: str
    file: str
    version: str
    live: bool
    events: tuple[Explained, ...]
