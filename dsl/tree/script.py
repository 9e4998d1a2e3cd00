"""A whole file, and the walk through it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from dsl.tree.basics import Node
from dsl.tree.declarations import (
    Country,
    Domain,
    Emergency,
    Group,
    Hours,
    Include,
    InternationalPrefix,
    Limit,
    NationalPrefix,
    Net,
    Numbers,
    On,
    PolicyName,
    Sound,
    Sub,
    Table,
    Timezone,
    Trunk,
    Trunks,
    Users,
)
from dsl.tree.scenarios import Test

Declaration: TypeAlias = (
    Include
    | PolicyName
    | Domain
    | Timezone
    | Country
    | NationalPrefix
    | InternationalPrefix
    | Emergency
    | Users
    | Group
    | Numbers
    | Net
    | Sound
    | Hours
    | Limit
    | Table
    | Trunk
    | Trunks
    | Sub
    | On
    | Test
)


class Included(msgspec.Struct, frozen=True):
    """A file that a script includes: its name in places, its name in problems, its text."""

    name: str
    file: str
    source: str


class Script(Node, frozen=True):
    """A whole file, or (see `include`) a file with all that it includes, whose declarations stand in their places.

    `source` is the text of the file itself.
    """

    source: str
    declarations: tuple[Declaration, ...]
    included: tuple[Included, ...] = ()


_PLAIN = frozenset({"Span", "bool", "float | None", "int", "int | None", "str"})


@functools.cache
def _fields(kind: type[Node]) -> tuple[str, ...]:
    """The fields in which nodes may stand, in the order of the file."""
    kinds = [base for base in reversed(kind.__mro__) if issubclass(base, Node)]
    types = {name: written for base in kinds for name, written in base.__annotations__.items()}
    return tuple(field for field in kind.__struct_fields__ if types[field] not in _PLAIN)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the file."""
    waiting: list[Node] = [node]
    while waiting:
        here = waiting.pop()
        yield here
        fields = _fields(type(here))
        if not fields:
            continue
        below: list[Node] = []
        for field in fields:
            value = getattr(here, field)
            if isinstance(value, Node):
                below.append(value)
            elif isinstance(value, tuple):
                below += [item for item in value if isinstance(item, Node)]
        below.reverse()
        waiting += below
