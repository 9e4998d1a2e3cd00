"""What people say of calls, dates and lists, and how it is written here.

Owns whole phrases, each with the terminals of the grammar that can stand where it is said. Single signs and words of
other languages are `slips`'.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from dsl.diagnostics import joined
from dsl.language import beginnings
from dsl.vocabulary import MONTHS, OUTCOMES

_ON_THE_PHONE = re.compile(r"\bis\s+(?:not\s+)?((?:on|in)\s+(?:the|an?|another)\s+(?:phone|call|line)\b)")
_DECLINES = re.compile(r"(?:declines|rejects|refuses)\b").match
_OUTCOME = re.compile(r"(\w[\w-]*)\s*(?:->|\{)").match
_DECLINED = re.compile(r"(?:declined?|reject(?:ed)?|refused?)\b").match
_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})?(?![0-9.])").match
_IN_A_TEXT = re.compile(r"\b(not\s+)?in\s+(\"([^\"\n]*)\")\s*$").search
_FILE = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\.[a-z]+").fullmatch


class Wording(msgspec.Struct, frozen=True):
    """Where a phrase begins, how many characters it has, and what to write."""

    at: int
    length: int
    advice: str


def wording(text: str, at: int, last: str, expected: frozenset[str]) -> Wording | None:
    """The phrase that stands at this offset or ends before it, behind the terminal `last` where `expected` could; None
    for no known one.
    """
    for known in _KNOWN:
        found = known(text, at, last, expected)
        if found is not None:
            return found
    return None


def _on_the_phone(text: str, at: int, last: str, expected: frozenset[str]) -> Wording | None:
    """Of a user in a call; the first word of it may have passed for a state."""
    for said in _ON_THE_PHONE.finditer(text, text.rfind("\n", 0, at) + 1):
        if said.start(1) <= at < said.end(1):
            return Wording(said.start(1), len(said[1]), "write `busy`")
    return None


def _declines(text: str, at: int, last: str, expected: frozenset[str]) -> Wording | None:
    said = _DECLINES(text, at) if "_ANSWERS" in expected else None
    return None if said is None else Wording(at, len(said[0]), "write `answers 603`")


def _outcome(text: str, at: int, last: str, expected: frozenset[str]) -> Wording | None:
    said = _OUTCOME(text, at) if beginnings("outcome") <= expected else None
    if said is None or _DECLINED(said[1]) is None:
        return None
    others = joined((f"`{outcome}`" for outcome in OUTCOMES if outcome != "busy"), "and")
    return Wording(at, len(said[1]), f"a decline (603) is `busy`; the other outcomes are {others}")


def _date(text: str, at: int, last: str, expected: frozenset[str]) -> Wording | None:
    said = _DATE(text, at) if "DATE" in expected else None
    if said is None or not 1 <= int(said[2]) <= 12:
        return None
    day, month = int(said[1]), int(said[2])
    yearly = f"`{MONTHS[month - 1]} {day}`"
    advice = f"write `{said[3]}-{month:02}-{day:02}`, or for each year {yearly}" if said[3] else f"write {yearly}"
    return Wording(at, len(said[0]), advice)


def _in_a_text(text: str, at: int, last: str, expected: frozenset[str]) -> Wording | None:
    """A single text behind `in`, where only a range could begin with one."""
    said = _IN_A_TEXT(text[:at]) if expected == {"_TO"} and last == "STRING" else None
    if said is None:
        return None
    file = _FILE(said[3])
    if file is None:
        advice = f"write `{'!=' if said[1] else '=='} {said[2]}`"
    else:
        advice = f"declare `numbers {file[1]} from {said[2]}`, and write `in {file[1]}`"
    return Wording(said.start(2), len(said[2]), advice)


_KNOWN: tuple[Callable[[str, int, str, frozenset[str]], Wording | None], ...] = (
    _on_the_phone,
    _declines,
    _outcome,
    _date,
    _in_a_text,
)
