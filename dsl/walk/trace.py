"""What a walk notes on its way.

Owns the shapes alone; the words come from `conditions`.
"""

from __future__ import annotations

import msgspec

from dsl.decision import Decision


class Tried(msgspec.Struct, frozen=True):
    """A rule that was come to: its place (`line:col`), itself as it would be written, whether it matched, and why.

    `depth` counts the rules around it. `why` is empty for what always holds: `otherwise`, a bare decision, a `do`.
    """

    place: str
    rule: str
    matched: bool
    why: str
    depth: int


class Walked(msgspec.Struct, frozen=True):
    """What was decided, and every rule that was tried for it, in their order."""

    decision: Decision
    tried: tuple[Tried, ...]
