"""What a walk notes on its way.

Owns the shapes alone; the words come from `conditions`.
"""

from __future__ import annotations

import msgspec

from dsl.decision import Decision


class Part(msgspec.Struct, frozen=True):
    """A part of a condition as it would be written, whether it holds, and why or why not."""

    condition: str
    holds: bool
    why: str


class Tried(msgspec.Struct, frozen=True):
    """A rule that was come to: its place (`line:col`), itself as it would be written, whether it matched, and why.

    `depth` counts the rules around it. `why` is empty for what always holds: `otherwise`, a bare decision, a `do`.
    `parts` has those of an `and` or `or` that were looked at, in their order.
    """

    place: str
    rule: str
    matched: bool
    why: str
    depth: int
    parts: tuple[Part, ...] = ()


class Walked(msgspec.Struct, frozen=True):
    """What was decided, and every rule that was tried for it, in their order."""

    decision: Decision
    tried: tuple[Tried, ...]
