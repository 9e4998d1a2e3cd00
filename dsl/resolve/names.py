"""What a name can mean, and the meanings of all names of a script.

Owns the values that `resolve` hands on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from dsl import tree
from dsl.tree import Span
from dsl.vocabulary import Type


class Kind(StrEnum):
    """What a name stands for; the text is how an operator is told of it."""

    FACT = "a fact"
    USER = "a user"
    USERS = "a users file"
    GROUP = "a group"
    NUMBERS = "a set of numbers"
    NET = "a net"
    SOUND = "a sound"
    HOURS = "hours"
    LIMIT = "a limit"
    TABLE = "a table"
    TRUNK = "a trunk"
    TRUNKS = "a group of trunks"
    SUB = "a sub"
    PARAMETER = "a parameter"
    ROW = "a row"
    CAPTURE = "a capture"
    UNKNOWN = "unknown"


class Meaning(msgspec.Struct, frozen=True):
    """What a name stands for, and the type of its value, UNKNOWN where it has none.

    `optional` and `chosen` are those of a fact. `table` is that of a row.
    """

    kind: Kind
    type: Type = Type.UNKNOWN
    declared: Span | None = None
    optional: bool = False
    chosen: bool = False
    table: str | None = None


UNKNOWN = Meaning(Kind.UNKNOWN)

Scope = Mapping[str, Meaning]


class Names(msgspec.Struct, frozen=True):
    """The script's names resolved. `meanings` is by the span of a name; `contexts` gives the events of a sub."""

    meanings: dict[Span, Meaning]
    declared: dict[str, Meaning]
    contexts: dict[str, frozenset[str]]
    users_known: bool

    def of(self, name: tree.Name) -> Meaning:
        """What this name means where it stands."""
        return self.meanings.get(name.span, UNKNOWN)
