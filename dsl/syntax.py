"""What to say of a place where a `.route` file cannot be read on.

Owns the words for it: what stands there, what could stand there, and what was probably meant. How much of
the file is unreadable with it is measured by `recovery`.
"""

from __future__ import annotations

import re

import msgspec

from dsl.diagnostics import Problem, Source, joined, nearest
from dsl.language import beginnings, first_words, words
from dsl.recovery import (
    begins_declaration,
    begins_statement,
    line_start,
    next_declaration,
    open_braces,
    statement_around,
    unclosed_brace,
)
from dsl.slips import Slip, slip
from dsl.tree import Span

_RUN = re.compile(r"\"[^\"\n]*\"?|`[^`\n]*`?|[-=]>|[A-Za-z0-9_.+*%:/-]+|[=<>!&|]+|\S")
_SIGNS = "=<>!&|"

_VALUES = {
    "NAME": "a name",
    "STRING": "a text in double quotes",
    "PATTERN": "a pattern in backticks, such as `0X(6-14)`",
    "NUMBER": "a number",
    "DURATION": "a duration such as `20s`",
    "NETWORK": "a network such as `10.0.0.0/8`",
    "PLUS_NUMBER": "a country code such as `+49`",
    "TIME": "a time such as `08:00`",
    "DAY": "a day such as `mon`",
    "MONTH": "a date such as `dec 24`",
    "DATE": "a date such as `2026-12-24`",
    "HOST": "a host name",
}
_NAMED_BY = {
    "_VIA": "the name of a trunk",
    "_OVER": "the name of a limit",
    "_WITHIN": "the name of hours",
    "_DO": "the name of a sub",
    "_ON": "the name of an event",
    "_LOOKUP": "the name of a table",
    "_TRUNK": "the name of a trunk",
    "_PLAY": "the name of a sound",
    "_ANSWER": "`echo`, `tone`",
    "_MEDIA": "`direct`, `relay` or `auto`",
    "_EACH": "what it counts for each of, such as `caller`, `caller.number` or `source`",
}
_CODES_AFTER = {
    "_REJECT": 404,
    "_REDIRECT": 302,
    "_NOTIFY": 181,
    "_RESPONSE": 404,
    "_ANSWERS": 486,
    "_FAILOVER": 503,
}
_STATEMENTS = {
    "_statement": "a rule, a decision",
    "_declaration": "a declaration such as `group` or `on call`",
    "_step": "a step of the test",
    "_setting": "what a trunk says, such as `uri`, `peers` or `allow`",
    "outcome": "an outcome: `busy`, `no-answer`, `unreachable`, `failure` or `redirect`",
}
"""Rules of the grammar that begin something new, and their names."""

_PARTS = {
    "_action": "a decision",
    "_decision": "a decision",
    "_condition": "a condition",
    "_operand": "a value",
    "_expression": "a value",
    "_collection": "a group, a net, a range such as `200 to 299` or a set such as `(alice, bob)`",
    "_element": "a user, a number, a pattern, a network or a range such as `200 to 299`",
    "_numbers_item": "a number, a pattern or a range such as `200 to 299`",
    "_bound": "the end of the range",
    "_opening": "a day such as `mon`, or a date such as `dec 24`",
    "_date": "a date such as `dec 24` or `2026-12-24`",
}
"""Rules of the grammar that have one name where all of their beginnings could stand, wider ones first."""

_COMPARISONS = frozenset({"_EQUAL", "_UNEQUAL", "_LESS", "_AT_MOST", "_MORE", "_AT_LEAST"})

_BOUNDARIES = {"_WHEN", "_RBRACE", "_TEST", "_BUSY", "_EXPECT", "$END"}
"""Where one of these could stand, what came before is complete."""


class Mistake(msgspec.Struct, frozen=True):
    """Where a file cannot be read on: offsets of what stands there and of the end of what was read last.

    `last` and `expected` name terminals of the grammar.
    """

    text: str
    at: int
    after: int
    last: str
    expected: frozenset[str]


class Told(msgspec.Struct, frozen=True):
    """A problem in words, and the offsets between which the file is unreadable because of it."""

    problem: Problem
    unreadable: tuple[int, int]


def describe(mistake: Mistake, source: str, file: str) -> Told:
    """Say what is wrong, in the words of the language. `source` is the file as it was, undamaged."""
    return _Teller(mistake, source, file).tell()


def _one_sign(text: str, at: int) -> bool:
    """Whether the characters before and at this offset make one sign, such as `<>`."""
    return text[at - 1 : at] in _SIGNS and text[at : at + 1] in _SIGNS and text[at - 1 : at + 1].strip() != ""


class _Teller:
    def __init__(self, mistake: Mistake, source: str, file: str) -> None:
        self.text = mistake.text
        while mistake.at > mistake.after - 1 > 0 and _one_sign(mistake.text, mistake.at):
            mistake = msgspec.structs.replace(mistake, at=mistake.at - 1)
        self.mistake = mistake
        self.source = Source(source)
        self.file = file
        run = _RUN.match(mistake.text, mistake.at)
        self.found = mistake.text[mistake.at : mistake.at + 1] if run is None else run[0]

    def tell(self) -> Told:
        at, text = self.mistake.at, self.text
        opened = unclosed_brace(text, at)
        if opened is not None and (at == len(text) or self._is_declaration_at_the_left()):
            unreadable = (line_start(text, open_braces(text, at)[0]), at)
            return self._told(opened, 1, "this block is never closed", "write `}` where it ends", unreadable)
        if self.found[:1] in ('"', "`") and (len(self.found) == 1 or self.found[-1] != self.found[0]):
            what = "text" if self.found[0] == '"' else "pattern"
            where = f"end it with `{self.found[0]}` on the same line" if what == "text" else "end it with a backtick"
            return self._told(at, 1, f"this {what} is not closed", where)
        begins_anew = self._something_is_missing() and begins_statement(text, at)
        known = None if begins_anew else slip(text, at, self.found, self.mistake.last, self.mistake.expected)
        if known is not None:
            return self._told(known.at, known.length, known.message, known.advice, self._of_one_word(known))
        if self._something_is_missing():
            last = text[: self.mistake.after].split()[-1]
            damaged: tuple[int, int] | None = None
            if self.mistake.expected - {"_COMMA"} == {"_LBRACE"}:
                damaged = (line_start(text, self.mistake.after), next_declaration(text, self.mistake.after))
            what = f"something is missing after `{last}`"
            return self._told(self.mistake.after, 1, what, self._expected(), damaged)
        return self._unexpected()

    def _of_one_word(self, known: Slip) -> tuple[int, int] | None:
        """Only `on` of `on busy -> ...` among the outcomes of a dial: the rest can be read."""
        return (known.at, known.at + known.damaged) if known.damaged else None

    def _is_declaration_at_the_left(self) -> bool:
        at = self.mistake.at
        return line_start(self.text, at) == at and begins_declaration(self.text, at)

    def _first_on_line(self) -> bool:
        at = self.mistake.at
        return not self.text[line_start(self.text, at) : at].strip()

    def _something_is_missing(self) -> bool:
        return self.mistake.after > 0 and self._first_on_line() and not self.mistake.expected & _BOUNDARIES

    def _unexpected(self) -> Told:
        at, found, expected = self.mistake.at, self.found, self.mistake.expected
        known = [words()[name] for name in expected if name in words()]
        meant = nearest(found, [word for word in known if word[0].isalpha()])
        if meant is not None:
            return self._told(at, len(found), f"unknown word `{found}`", f"did you mean `{meant}`?")
        if found == "}" or self._is_a_rule_outside():
            return self._outside()
        return self._told(at, len(found), f"`{found}` cannot stand here", self._expected())

    def _is_a_rule_outside(self) -> bool:
        """Whether a rule or decision begins here, in no block."""
        begun = first_words("_statement")
        return self.found in begun and not open_braces(self.text, self.mistake.at) and self._first_on_line()

    def _outside(self) -> Told:
        """What is left over when a block was closed too early is one mistake down to the next declaration."""
        at, found = self.mistake.at, self.found
        if open_braces(self.text, at):
            return self._told(at, 1, "`}` cannot stand here", self._expected(), (at, at + 1))
        if found == "}":
            told = "this `}` closes nothing", "leave it out, or open a block with `{` above"
        else:
            told = f"`{found}` stands in no block", "put it between the braces of `on call { ... }` or another event"
        return self._told(at, len(found), *told, (line_start(self.text, at), next_declaration(self.text, at)))

    def _expected(self) -> str:
        """What could stand there: on a new line something new, else what goes on with the line."""
        left = self.mistake.expected - {"$END"}
        new: list[str] = []
        for rule, name in _STATEMENTS.items():
            if beginnings(rule) <= left:
                new.append(name)
                left -= beginnings(rule)
        more = [] if new and self._first_on_line() else self._continued(left - {"_RBRACE"})
        if new and not more:
            more = new
        if "_RBRACE" in left:
            more.append("`}`")
        return f"here goes {joined(more)}" if more else "nothing more can stand here"

    def _continued(self, left: frozenset[str]) -> list[str]:
        said: list[str] = []
        # Whoever wants to overrule a proof knows the word; nobody else should be told of it.
        left -= {"_DESPITE"}
        # One event is the rule, and so is one outcome.
        left -= {"_COMMA"} if "_LBRACE" in left else set()
        for rule, name in _PARTS.items():
            if beginnings(rule) <= left:
                said.append(name)
                left -= beginnings(rule)
        if left >= _COMPARISONS:
            said.append("a comparison such as `==`, `in` or `is`")
            left -= _COMPARISONS | {"_IN", "_IS", "_NOT", "_MATCHES"}
        if "DURATION" in left:
            left -= {"NUMBER"}
        for name in sorted(left & _VALUES.keys()):
            said.append(self._value(name))
        fixed = sorted(f"`{words()[name]}`" for name in left if name in words())
        return said + sorted(fixed, key=lambda word: not word[1].isalpha())

    def _value(self, terminal: str) -> str:
        if terminal == "NUMBER" and self.mistake.last in _CODES_AFTER:
            return f"a status such as `{_CODES_AFTER[self.mistake.last]}`"
        if terminal == "NAME" and self.mistake.last in _NAMED_BY:
            return _NAMED_BY[self.mistake.last]
        return _VALUES[terminal]

    def _told(self, at: int, length: int, message: str, advice: str, unreadable: tuple[int, int] | None = None) -> Told:
        line = self.text.count("\n", 0, at) + 1
        column = at - line_start(self.text, at) + 1
        span = Span(self.file, line, column, line, column + length)
        if unreadable is None:
            begun_before = at == self.mistake.after
            new = self._first_on_line() and not begun_before
            unreadable = statement_around(self.text, max(0, at - begun_before), new)
        return Told(self.source.problem(span, message, advice), unreadable)
