"""What is told of something that happens in a `test` block: each event as it was decided, and what cannot come true.

Owns the shapes alone. `happening` and `expecting` fill them.
"""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.decision import Decision, Event, Facts, Outcome


class UnmetError(Exception):
    """A step that cannot come true, at its place; never leaves a test.

    `came` is what there was in place of what was expected, and `rule` the place of the rule that said so.
    """

    def __init__(self, node: tree.Node, message: str, came: str | None = None, rule: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.came = came
        self.rule = rule


class Occasion(msgspec.Struct, frozen=True):
    """An event as it was decided: its facts, the outcome where it is one of a dial, and the decision.

    `why` tells how that outcome came about where it was nobody's answer.
    """

    event: Event
    facts: Facts
    outcome: Outcome | None
    decision: Decision
    why: str = ""

    @property
    def named(self) -> str:
        """The event by its name, and why it came about."""
        return f"{self.event} ({self.why})" if self.why else self.event
