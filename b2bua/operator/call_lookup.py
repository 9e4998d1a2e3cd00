"""One call looked up: in the running server while it goes on, in the store when it is over, mostly in both.

Owns what names a call (our id, a SIP Call-ID of any of its legs, an unambiguous beginning of either), and putting
together what is known of it. Leaves telling it to `ladder`.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from b2bua.io.failure import ServerError
from b2bua.io.requests import Refused, ShowCalls, ShowStatus, ShowTape
from b2bua.operator.client import ask
from b2bua.operator.ladder.case import Case, CaseLeg
from b2bua.operator.read_store import read_store
from b2bua.operator.show import table
from b2bua.tape import Kept, unpack
from dsl.plan.recorded import Happened, Version, read_recorded, read_version

WRITTEN_WITHIN = 3.0
"""Seconds from a call's end until its messages stand in the store; until then the server has them."""

_NAMED = "SELECT call FROM records WHERE call = :id UNION SELECT call FROM records WHERE sip_call_id = :id"
_BEGINNING = """
SELECT call FROM records WHERE call >= :id AND call < :end
UNION SELECT call FROM records WHERE sip_call_id >= :id AND sip_call_id < :end LIMIT 10
"""
_LEGS = """
SELECT leg, direction, sip_call_id, target, start, answer, "end", cause, reason, hung_up_by, transferred_by, joined,
  caller, callee, source, policy, rules, tags FROM records WHERE call = ? ORDER BY leg
"""
_AFTER_ALL = "\U0010ffff"


def find_case(state: Path, name: str) -> Case:
    """All that is known of the call of this name. Raises Refused where it names none, or several, and ServerError."""
    lives = _lives(state)
    with read_store(state) as store:
        call = _chosen(name, lives, store)
        rows = store.execute(_LEGS, (call,)).fetchall()
        view = next((each for each in lives if each["id"] == call), None)
        events = _events(call, store)
        hashes = {event.decision.policy for event in events} | {row[15] for row in rows}
        versions = _versions(hashes | ({view["policy"]} if view else set()), store)
        if view is not None:
            versions = _with_path(state, view["policy"], versions)
        tape = _stored(call, store)
        if view is not None or (not tape.messages and _is_fresh(rows)):
            tape = _in_memory(state, call, tape)
        if not tape.messages and not tape.unkept:
            tape = _Tape(unkept=_unkept(rows, store))
        return _case(call, rows, view, events, versions, tape)


class _Tape(msgspec.Struct, frozen=True):
    """The messages of a call, of which so many were left out, or why there are none."""

    messages: tuple[Kept, ...] = ()
    left_out: int = 0
    unkept: str = ""


def _lives(state: Path) -> list[Mapping[str, Any]]:
    """The calls that go on; none where no server runs."""
    try:
        shown: Any = ask(state, ShowCalls())
    except ServerError:
        return []
    return list(shown)


def _chosen(name: str, lives: Iterable[Mapping[str, Any]], store: sqlite3.Connection) -> str:
    """The id of the call of this name: a whole id or Call-ID counts before the beginning of one. Raises Refused."""
    known = [
        (live["id"], each) for live in lives for each in (live["id"], *(leg["sip_call_id"] for leg in live["legs"]))
    ]
    wanted = {"id": name, "end": name + _AFTER_ALL}
    found: set[str] = {call for (call,) in store.execute(_NAMED, wanted)}
    found |= {call for call, each in known if each == name}
    if not found and name:
        begun = {call for (call,) in store.execute(_BEGINNING, wanted)}
        found = begun | {call for call, each in known if each.startswith(name)}
    if not found:
        raise Refused(
            f"there is no call {name}; "
            "`b2bua show calls` lists those in progress, `b2bua history calls` those that were"
        )
    if len(found) > 1:
        raise Refused(f"{name} could be any of these; say more of it:\n{_choices(sorted(found), store)}")
    (call,) = found
    return call


def _choices(calls: Iterable[str], store: sqlite3.Connection) -> str:
    rows = []
    for call in calls:
        row = store.execute("SELECT start, caller, callee FROM records WHERE call = ?", (call,)).fetchone()
        when = "in progress" if row is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row[0]))
        rows.append((call, when, *(row[1:] if row else ("", ""))))
    return table(("CALL", "TIME", "CALLER", "CALLEE"), rows)


def _events(call: str, store: sqlite3.Connection) -> tuple[Happened, ...]:
    row = store.execute("SELECT document FROM decisions WHERE call = ?", (call,)).fetchone()
    return read_recorded(row[0]).events if row else ()


def _versions(hashes: Iterable[str], store: sqlite3.Connection) -> dict[str, Version]:
    versions = {}
    for each in hashes:
        row = store.execute("SELECT document FROM versions WHERE hash = ?", (each,)).fetchone()
        if row:
            versions[each] = read_version(zlib.decompress(row[0]))
    return versions


def _with_path(state: Path, wanted: str, versions: dict[str, Version]) -> dict[str, Version]:
    """With the version in force, as far as the server tells of it: what has decided no finished call is not stored."""
    if wanted in versions:
        return versions
    shown: Any = ask(state, ShowStatus())
    policy = shown["policy"]
    if policy["hash"] != wanted:
        return versions
    return versions | {wanted: Version(wanted, policy["name"], policy["path"], 0.0, {})}


def _stored(call: str, store: sqlite3.Connection) -> _Tape:
    row = store.execute("SELECT messages, left_out FROM tapes WHERE call = ?", (call,)).fetchone()
    if row is None:
        return _Tape()
    try:
        return _Tape(tuple(unpack(row[0])), row[1])
    except ValueError as error:
        return _Tape(unkept=f"they cannot be read: {error}")


def _is_fresh(rows: Sequence[Any]) -> bool:
    """Whether the call has just ended, so that its messages may not be written yet."""
    return time.time() - max([row[6] for row in rows], default=0.0) < WRITTEN_WITHIN


def _in_memory(state: Path, call: str, stored: _Tape) -> _Tape:
    """What the server has, which has all of a call in progress; what is stored where it has nothing, or none runs."""
    try:
        shown: Any = ask(state, ShowTape(call))
    except (Refused, ServerError):
        return stored
    kept = msgspec.convert(shown["messages"], tuple[Kept, ...])
    return _Tape(kept, shown["left_out"]) if kept else stored


def _unkept(rows: Sequence[Any], store: sqlite3.Connection) -> str:
    (oldest,) = store.execute("SELECT min(start) FROM tapes").fetchone()
    if oldest is None:
        return "this server keeps none (`messages` of `history` in its settings)"
    if rows and rows[0][4] < oldest:
        return "those of that time are not kept any more (`messages` of `history` in the settings)"
    return "under load those of some calls alone are kept (`messages` of `history` in the settings)"


def _case(
    call: str,
    rows: Sequence[Any],
    view: Mapping[str, Any] | None,
    events: tuple[Happened, ...],
    versions: dict[str, Version],
    tape: _Tape,
) -> Case:
    legs = {row[0]: CaseLeg(row[0], row[1], row[2], "", *row[3:12]) for row in rows}
    if view is None:
        caller, callee, source, policy = rows[0][12:16]
        rules, tags = json.loads(max((row[16] for row in rows), key=len)), json.loads(rows[0][17])
    else:
        caller, callee, source, policy = (view[key] for key in ("caller", "callee", "source", "policy"))
        rules, tags = view["rules"], view["tags"]
        legs |= {leg["number"]: _live_leg(leg, view) for leg in view["legs"] if leg["number"] not in legs}
    return Case(
        call=call,
        caller=caller,
        callee=callee,
        source=source,
        start=view["started"] if view is not None else min(leg.start for leg in legs.values()),
        now=time.time(),
        policy=policy,
        rules=tuple(rules),
        legs=tuple(legs[number] for number in sorted(legs)),
        events=events,
        versions=versions,
        messages=tape.messages,
        left_out=tape.left_out,
        tags=tags,
        live=view is not None,
        unkept=tape.unkept,
    )


def _live_leg(leg: Mapping[str, Any], view: Mapping[str, Any]) -> CaseLeg:
    number = leg["number"]
    talks = leg["state"] in ("Confirmed", "Answered")
    return CaseLeg(
        number=number,
        direction="out" if number else "in",
        sip_call_id=leg["sip_call_id"],
        party=leg["party"],
        start=0.0 if number else view["started"],
        answer=view["answered"] if talks else None,
    )
