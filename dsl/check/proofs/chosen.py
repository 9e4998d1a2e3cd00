"""What of a value its caller chose: itself, what it was taken from, or nothing.

Owns following a value through parameters, captures and `e164` to the fact of which it is made. A user's attributes, a
table's columns and what stands in the script are the operator's, whoever chose the user or the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from dsl import tree
from dsl.check.logic import Reader
from dsl.patterns import parse_pattern
from dsl.resolve import Kind, Names
from dsl.resolve.lookup import capture_span
from dsl.tree import Span
from dsl.vocabulary import Type

_A_USER = frozenset({"callee", "user", "diverted by", "target"})
"""Facts that name a user whom somebody asked for, where there is one."""


class Origin(msgspec.Struct, frozen=True):
    """Of what a value is made: the subject of a fact. `whole`: it is that fact as it was given.

    `chosen`: the caller has a say in it. `who`: it names a user who was asked for, or nobody.
    """

    subject: str
    whole: bool
    chosen: bool
    who: bool


Given = Mapping[Span, Origin]
"""The origins of parameters, by where they are declared."""


class Values:
    """The origins of values in one script."""

    def __init__(self, script: tree.Script, names: Names, reader: Reader) -> None:
        self._names = names
        self._reader = reader
        self._captured = dict(_captures(script))

    def origin(self, value: tree.Expression, given: Given) -> Origin | None:
        """Of what a value is made that somebody outside gave; None where it is the operator's."""
        match value:
            case tree.Reference(name=name):
                return self._named(name, value, given)
            case tree.Attribute(base=base, attribute=tree.Name(text="number")) if self._is_caller(base):
                # A trunk says it of whoever calls through it; an account's own is chosen by nobody, as cases know.
                return Origin(self._reader.subject(value), whole=True, chosen=True, who=False)
            case tree.Attribute(base=base):
                owner = self._named(base, tree.Reference(base.span, base), given)
                if owner is None or not owner.who:
                    return None
                return msgspec.structs.replace(owner, whole=False, chosen=False)
            case tree.Header():
                return Origin(self._reader.subject(value), whole=True, chosen=True, who=False)
            case tree.E164(argument=argument):
                inner = self.origin(argument, given)
                return None if inner is None else msgspec.structs.replace(inner, whole=False)
            case _:
                return None

    def _named(self, name: tree.Name, value: tree.Expression, given: Given) -> Origin | None:
        meaning = self._names.of(name)
        match meaning.kind:
            case Kind.PARAMETER if meaning.declared is not None:
                origin = given.get(meaning.declared)
                if origin is not None and meaning.type is Type.USER:
                    return Origin(origin.subject, whole=False, chosen=False, who=origin.who or origin.chosen)
                return origin
            case Kind.CAPTURE if meaning.declared in self._captured:
                origin = self.origin(self._captured[meaning.declared], given)
                return None if origin is None else msgspec.structs.replace(origin, whole=False)
            case Kind.FACT:
                who = name.text in _A_USER
                return Origin(self._reader.subject(value), True, meaning.chosen, who) if who or meaning.chosen else None
            case _:
                return None

    def _is_caller(self, name: tree.Name) -> bool:
        return name.text == "caller" and not name.quoted and self._names.of(name).kind is Kind.FACT


def _captures(script: tree.Script) -> Iterator[tuple[Span, tree.Expression]]:
    """Of which value each capture is a part."""
    for node in tree.walk(script):
        if isinstance(node, tree.Matches):
            for name, _, _ in parse_pattern(node.pattern.text).captures:
                yield capture_span(node.pattern, name), node.item
