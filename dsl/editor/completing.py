"""What can stand where somebody is writing: words of the language, names of the right kind, facts of the event.

Owns which names fit where. Which words can stand there is the grammar's to say, what they say the reference's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from dsl import tree
from dsl.editor.cursor import Cursor, cursor
from dsl.editor.reference import told_of
from dsl.editor.view import View
from dsl.language import beginnings, words
from dsl.resolve import Kind
from dsl.vocabulary import (
    DECISIONS,
    FACTS,
    LIMITED_BY,
    MEDIA,
    MONTHS,
    PARAMETER_TYPES,
    SERVICES,
    SILENT,
    STATES,
    WEEKDAYS,
)

_UNITS = ("s", "min", "h", "d", "ms")
_VALUES = frozenset({"any_name", "condition_name"})
_ALWAYS_ATTRIBUTES = ("name", "number", "extension", "display")

_NAMES: dict[str, tuple[Kind, ...]] = {
    "via": (Kind.TRUNK, Kind.TRUNKS, Kind.ROW),
    "over": (Kind.LIMIT,),
    "takes": (Kind.LIMIT,),
    "leaves": (Kind.LIMIT,),
    "within": (Kind.HOURS,),
    "lookup": (Kind.TABLE,),
    "do": (Kind.SUB,),
    "play": (Kind.SOUND,),
    "source": (Kind.NET,),
    "in": (Kind.GROUP, Kind.USERS, Kind.NET, Kind.NUMBERS),
}
"""Of which kind a name is, by the word that stands before it."""

_CHOICES: dict[str, Iterable[str]] = {
    "answer": SERVICES,
    "media": MEDIA,
    "on": FACTS,
    "each": LIMITED_BY,
    ":": PARAMETER_TYPES,
    "key": ("number", "prefix", "text"),
    "number": ("e164", "plain", "national", "as-dialed"),
    "transport": ("udp", "tcp", "tls"),
}
"""What a name can be where it is one of a few, by what stands before it."""

_BEGINS_A_CONDITION = ("over", "within", "lookup", "from")
_AFTER_A_VALUE = frozenset({"_NOT", "_IN", "_IS", "_MATCHES", "_AND", "_OR"})
"""What can follow these words if they are names, which they hardly are."""

_BOUND = dict.fromkeys(PARAMETER_TYPES, Kind.PARAMETER)

_GIVEN_STATES = ("registered", "busy", "up", "full", SILENT)

_GROUPS = (
    ("_declaration", "declaration"),
    ("_setting", "trunk setting"),
    ("_step", "test sentence"),
    ("_circumstance", "test sentence"),
    ("_decision", "decision"),
    ("_action", "action"),
    ("_term", "condition"),
    ("_operand", "value"),
)
"""Rules of the grammar, and the tables of the reference that tell of what begins so."""


class Item(msgspec.Struct, frozen=True):
    """Something that can stand there: the text, what it is (`word`, `fact`, a Kind, `attribute`, `choice`), and more
    about it (Markdown).
    """

    text: str
    kind: str
    about: str = ""


class Completion(msgspec.Struct, frozen=True):
    """What can stand in place of the `length` characters before a position."""

    length: int
    items: list[Item]


def complete(view: View, file: str, line: int, column: int) -> Completion:
    """What can stand here, each thing once; nothing within texts and comments."""
    here = cursor(view.text(file) or "", line, column)
    if here is None:
        return Completion(0, [])
    found: dict[str, Item] = {}
    for item in _Completing(view, here).items():
        found.setdefault(item.text, item)
    return Completion(len(here.word), list(found.values()))


class _Completing:
    def __init__(self, view: View, here: Cursor) -> None:
        self.view = view
        self.here = here
        self.events = self._events()

    def _events(self) -> frozenset[str]:
        """The events in which the place may be reached; none in tests and between declarations."""
        here = self.here
        if here.event:
            return frozenset({here.event}) & FACTS.keys()
        return self.view.names.contexts.get(here.sub, frozenset({"call"})) if here.sub else frozenset()

    def items(self) -> Iterator[Item]:
        here = self.here
        if here.word[:1].isdigit():
            yield from self._units()
            return
        if "NAME" in here.expected:
            yield from self._names()
        if "DAY" in here.expected:
            yield from (Item(day, "choice") for day in WEEKDAYS)
        if "MONTH" in here.expected:
            yield from (Item(month, "choice") for month in MONTHS)
        yield from self._words()

    def _units(self) -> Iterator[Item]:
        digits = self.here.word.rstrip("abcdefghijklmnopqrstuvwxyz")
        if "DURATION" in self.here.expected:
            yield from (Item(f"{digits}{unit}", "choice") for unit in _UNITS)

    # Words of the language

    def _words(self) -> Iterator[Item]:
        here = self.here
        decisions = self._decisions()
        unlikely = _AFTER_A_VALUE if here.last() in _BEGINS_A_CONDITION else frozenset[str]()
        for terminal in sorted(here.expected & words().keys() - unlikely):
            word = words()[terminal]
            if word[0].isalpha() and (
                decisions is None or terminal not in beginnings("_decision") or word in decisions
            ):
                yield Item(word, "word", self._about(terminal, word))

    def _decisions(self) -> frozenset[str] | None:
        """What can be decided here; None where that is not known, or nothing is."""
        if not self.events or "_DO" not in self.here.expected:
            return None
        return frozenset({"do"}).union(*(DECISIONS[event] for event in self.events))

    def _about(self, terminal: str, word: str) -> str:
        kinds = [
            kind
            for rule, kind in _GROUPS
            if terminal in beginnings(rule) and beginnings(rule) & self.here.expected == beginnings(rule)
        ]
        row = told_of(word, kinds)
        return "" if row is None else row.told

    # Names

    def _names(self) -> Iterator[Item]:
        here = self.here
        before = here.last()
        if before == ".":
            yield from self._attributes(here.before[-2])
        elif here.completes & _VALUES:
            yield from self._values()
        elif before in _CHOICES:
            yield from (Item(text, "choice", self._of_choice(text)) for text in _CHOICES[before])
        elif before in _NAMES:
            yield from self._declared(*_NAMES[before])
        else:
            yield from self._by_what_is_around(before)

    def _of_choice(self, text: str) -> str:
        row = told_of(text, ("event", "counted for each", "key", "trunk setting", "action", "decision"))
        return "" if row is None else row.told

    def _by_what_is_around(self, before: str) -> Iterator[Item]:
        here = self.here
        second = here.last(2)
        around = here.nearest("in", "group", "trunks") if before in ("=", ",", "(") else ""
        if "is" in (before, second):
            yield from self._states()
        elif before == "from" and second not in ("call", "message"):
            yield from (Item(text, "choice") for text in ("caller", "account"))
        elif before == "hours" and second in ("except", ","):
            yield from self._declared(Kind.HOURS)
        elif (before == "trunk" and second in ("from", "by", "expect")) or around == "trunks":
            yield from self._declared(Kind.TRUNK)
        elif before == "with":
            yield from self._declared(Kind.USER, Kind.TRUNK)
        elif around == "in":
            yield from self._declared(Kind.USER, *_NAMES["in"])
        elif around == "group" or before in ("to", "by", "from", "register", "unregister"):
            yield from self._declared(Kind.USER)

    def _values(self) -> Iterator[Item]:
        here = self.here
        before = here.last()
        for name, what in here.bound.items():
            yield Item(name, Kind.ROW if what in self.view.setup.tables else _BOUND.get(what, Kind.CAPTURE))
        for name in self._facts():
            row = told_of(name.split()[0], ("fact",))
            yield Item(name, "fact", "" if row is None else row.told)
        yield from self._declared(Kind.USER)
        statement = here.nearest("dial", "forward", "given", "when")
        if before in ("dial", "forward", "then", "else", "and") and statement in ("dial", "forward"):
            yield from self._declared(Kind.GROUP)
        elif before == "given":
            yield from self._declared(Kind.TRUNK, Kind.GROUP, Kind.TRUNKS)
        elif before in ("when", "and", "or", "not", "("):
            yield from self._declared(Kind.TRUNK)

    def _facts(self) -> list[str]:
        """The facts that all events have in which the place may be reached."""
        known = [FACTS[event] for event in sorted(self.events)]
        return [name for name in (known[0] if known else ()) if all(name in facts for facts in known)]

    def _states(self) -> Iterator[Item]:
        states = _GIVEN_STATES if self.here.nearest("given", "when", "expect") == "given" else STATES
        for state in states:
            row = told_of(state, ("state", "test sentence"))
            yield Item(state, "choice", "" if row is None else row.told)

    def _attributes(self, base: object) -> Iterator[Item]:
        name = base.text if isinstance(base, tree.Name) else ""
        setup = self.view.setup
        columns = setup.tables[table].columns if (table := self.here.bound.get(name, "")) in setup.tables else None
        user = setup.directory.users.get(name)
        if columns is not None:
            names = list(columns)
        elif user is not None:
            names = [*_ALWAYS_ATTRIBUTES, *user.attributes]
        else:
            everybody = setup.directory.users.values()
            names = [*_ALWAYS_ATTRIBUTES, *(attribute for user in everybody for attribute in user.attributes)]
        yield from (Item(text, "attribute") for text in names)

    def _declared(self, *kinds: Kind) -> Iterator[Item]:
        if Kind.USER in kinds:
            yield from (Item(_quoted(name), Kind.USER) for name in self.view.setup.directory.users)
        for name, meaning in self.view.names.declared.items():
            if meaning.kind in kinds:
                yield Item(name, meaning.kind)
        if Kind.ROW in kinds:
            tables = self.view.setup.tables
            yield from (Item(name, Kind.ROW) for name, table in self.here.bound.items() if table in tables)


def _quoted(user: str) -> str:
    """A user's name as it is written in a script."""
    return f'user "{user}"' if "." in user or user in words().values() else user
