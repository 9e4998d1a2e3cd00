"""Calls as they begin, are answered and end: what is news in what a server shows and in what its store has since.

Owns telling each of these once, in the order of their times, a call that came and went between two looks included.
Leaves looking to `watch_command`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from b2bua.operator.columns import printable
from b2bua.operator.ladder.reading import user_of
from b2bua.operator.show import clock

_NEW_RECORDS = """
SELECT rowid, call, leg, caller, callee, source, target, start, answer, "end", cause, reason, hung_up_by, rules
FROM records WHERE rowid > ? ORDER BY rowid
"""
_CANCELLED = 487


class Ended(msgspec.Struct, frozen=True):
    """What a leg that is over has left, as far as it is told."""

    row: int
    call: str
    leg: int
    caller: str
    callee: str
    source: str
    target: str
    start: float
    answer: float | None
    end: float
    cause: int
    reason: str
    hung_up_by: str
    rules: tuple[str, ...]


class News(msgspec.Struct, frozen=True):
    """Something happened to a call at a wall time. `what` is began, answered or ended, `rule` the last that decided."""

    time: float
    what: str
    call: str
    caller: str
    callee: str
    rule: str
    text: str

    def line(self, file: str) -> str:
        """For eyes; `file` is the policy's name."""
        position = self.rule.partition("@")[0].rpartition(":")[0]
        rule = position if ":" in position else f"{file}:{position}" if position else "no rule"
        way = f"{self.caller} -> {self.callee}"
        at = time.strftime("%H:%M:%S", time.localtime(self.time))
        return printable(f"{at}  {self.what:8}  {self.call}  {way:30}  {rule}  {self.text}").rstrip()


def new_records(store: sqlite3.Connection, after: int) -> list[Ended]:
    """The legs that were written since the row `after`."""
    rows = store.execute(_NEW_RECORDS, (after,)).fetchall()
    return [_ended((*row[:-1], tuple(json.loads(row[-1])))) for row in rows]


def _ended(fields: tuple[Any, ...]) -> Ended:
    return Ended(*fields)


def last_row(store: sqlite3.Connection) -> int:
    """The row that was written last; 0 where there is none."""
    (row,) = store.execute("SELECT max(rowid) FROM records").fetchone()
    return row or 0


class Watch:
    """One watch over all calls, or over those in which `who` is (a part of) somebody.

    `open` are the calls that have begun and of which some leg is over: whether they go on is to be asked.
    """

    def __init__(self, who: str = "") -> None:
        self._who = who.lower()
        self._begun: set[str] = set()
        self._answered: set[str] = set()
        self._legs: dict[str, list[Ended]] = {}

    @property
    def open(self) -> tuple[str, ...]:
        """Of which calls it is to be asked whether they go on."""
        return tuple(self._legs)

    def look(self, views: Iterable[Mapping[str, Any]], records: Sequence[Ended]) -> list[News]:
        """What is new: `views` are the calls of `open` that go on, and those that have begun or were answered since
        the last look, taken before `records`, which are new since then.
        """
        known = {view["id"]: view for view in views}
        over = [call for call in self._legs if call not in known]
        for record in records:
            self._legs.setdefault(record.call, []).append(record)
        news = [each for view in known.values() for each in self._living(view)]
        news += [each for call in over for each in self._over(call, self._legs.pop(call))]
        return sorted(news, key=lambda each: each.time)

    def _living(self, view: Mapping[str, Any]) -> Iterator[News]:
        if not self._is_wanted(view):
            return
        call, started, answered = view["id"], view["started"], view["answered"]
        if call not in self._begun:
            self._begun.add(call)
            yield _news(started, "began", view, "")
        if answered is not None and call not in self._answered:
            self._answered.add(call)
            party = next((leg["party"] for leg in view["legs"] if leg["number"] and leg["state"] == "Confirmed"), "")
            yield _news(answered, "answered", view, _answer(party, answered - started))

    def _over(self, call: str, legs: Sequence[Ended]) -> Iterator[News]:
        first = min(legs, key=lambda each: each.leg)
        view = {
            "id": call,
            "caller": first.caller,
            "callee": first.callee,
            "source": first.source,
            "rules": max((each.rules for each in legs), key=len),
            "legs": [{"party": each.target} for each in legs],
        }
        answered = [each for each in legs if each.answer is not None]
        if call in self._begun or self._is_wanted(view):
            if call not in self._begun:
                yield _news(first.start, "began", view, "")
            at = min((each.answer for each in answered if each.answer is not None), default=None)
            if at is not None and call not in self._answered:
                party = next((user_of(each.target) for each in answered if each.leg), "")
                yield _news(at, "answered", view, _answer(party, at - first.start))
            end = max(each.end for each in legs)
            yield _news(end, "ended", view, _ending(first, end, at))
        self._begun.discard(call)
        self._answered.discard(call)

    def _is_wanted(self, view: Mapping[str, Any]) -> bool:
        parties = [view["caller"], view["callee"], view["source"], *(leg["party"] for leg in view["legs"])]
        return any(self._who in party.lower() for party in parties)


def _news(at: float, what: str, view: Mapping[str, Any], text: str) -> News:
    rules = view["rules"]
    caller = view["caller"] or view["source"]
    return News(at, what, view["id"], caller, view["callee"], rules[-1] if rules else "", text)


def _answer(party: str, seconds: float) -> str:
    return f"{f'by {party} ' if party else ''}after {clock(seconds)}"


def _ending(first: Ended, end: float, answered: float | None) -> str:
    if answered is not None:
        by = f", ended by {first.hung_up_by}" if first.hung_up_by else ""
        return f"talked {clock(end - answered)}{by}"
    if first.cause == _CANCELLED:
        return f"gave up after {clock(end - first.start)}"
    return f"{first.cause} {first.reason}".rstrip()
