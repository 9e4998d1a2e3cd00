"""Past calls found: by who was in them, when, how they ended, by which trunk.

Owns the statement, and what of a call one line shows. Leaves the whole of one call to `call_lookup`.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePath

import msgspec

from b2bua.operator.ladder.reading import user_of
from b2bua.operator.read_store import read_store
from b2bua.operator.show import clock, table

_CANCELLED = 487

_CALLS = """
SELECT call, start, answer, "end", cause, reason, hung_up_by, caller, callee, source, policy, rules
FROM records AS first WHERE {conditions} ORDER BY start DESC LIMIT :limit
"""
_IN_TIME = "leg = 0 AND start >= :since AND start <= :until"
_OTHER_LEG = "SELECT 1 FROM records AS other WHERE other.call = first.call AND other.leg > 0"
_BY_WHO = f"""
(caller LIKE :who ESCAPE '\\' OR callee LIKE :who ESCAPE '\\' OR source = :source OR EXISTS (
{_OTHER_LEG} AND (other.party LIKE :who ESCAPE '\\' OR other.target LIKE :who ESCAPE '\\')))
"""
_BY_TRUNK = f"""
(EXISTS ({_OTHER_LEG} AND other.target LIKE :trunk ESCAPE '\\')
OR EXISTS (SELECT 1 FROM decisions WHERE decisions.call = first.call
AND json_extract(decisions.document, '$.known.trunk') = :from_trunk))
"""
_BY_CAUSE = "EXISTS (SELECT 1 FROM records AS any_leg WHERE any_leg.call = first.call AND any_leg.cause = :cause)"
_FAILED = f"answer IS NULL AND cause >= 400 AND cause <> {_CANCELLED}"
_TARGETS = "SELECT target, party FROM records WHERE call = ? AND leg > 0 ORDER BY answer IS NULL, leg DESC LIMIT 1"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls: those that hold all of this. `who` is a part of a user's name, a number or a URI, or a whole source
    address; `since` and `until` are wall seconds; `failed` ones nobody answered, though nobody gave up; `cause` is the
    final status of any leg; `trunk` carried a leg, or brought the call. So many of the newest.
    """

    who: str = ""
    since: float = 0.0
    until: float = float("inf")
    failed: bool = False
    cause: int | None = None
    trunk: str = ""
    limit: int = 20


class _Named(msgspec.Struct):
    """What of a stored version says where it was read."""

    path: str


class Found(msgspec.Struct, frozen=True):
    """One call: `party` is who answered, or was called last, `target` where, `rule` the place of the last that
    decided; times are wall seconds. The rest is of leg 0.
    """

    call: str
    start: float
    answer: float | None
    end: float
    cause: int
    reason: str
    hung_up_by: str
    caller: str
    callee: str
    source: str
    policy: str
    rules: tuple[str, ...]
    target: str
    party: str
    rule: str


def search(state: Path, wanted: Wanted) -> list[Found]:
    """The newest that are wanted, in the order in which they began. Raises ServerError."""
    with read_store(state) as store:
        return find(store, wanted)


def find(store: sqlite3.Connection, wanted: Wanted) -> list[Found]:
    """The same, in an open store."""
    statement, values = statement_for(wanted)
    names: dict[str, str] = {}
    found = []
    for *columns, rules in store.execute(statement, values).fetchall():
        target = store.execute(_TARGETS, (columns[0],)).fetchone()
        fired = tuple(json.loads(rules))
        fields = (*columns, fired, *(target or ("", "")), _place(fired, columns[-1], store, names))
        found.append(Found(*fields))
    return found[::-1]


def _place(rules: tuple[str, ...], policy: str, store: sqlite3.Connection, names: dict[str, str]) -> str:
    """Where the last of them stands, as `office.route:37`; `names` has the files of the versions so far."""
    if not rules:
        return ""
    position, _, other = rules[-1].partition("@")
    version = other or policy
    if version not in names:
        row = store.execute("SELECT document FROM versions WHERE hash = ?", (version,)).fetchone()
        path = msgspec.json.decode(zlib.decompress(row[0]), type=_Named).path if row else ""
        names[version] = PurePath(path).name
    file, _, line = position.rpartition(":")[0].rpartition(":")
    return ":".join(filter(None, (PurePath(file).name or names[version], line)))


def statement_for(wanted: Wanted) -> tuple[str, dict[str, object]]:
    """What to execute, and its values. All of it goes along the index by start, from the newest on."""
    conditions = [_IN_TIME]
    values: dict[str, object] = {"since": wanted.since, "until": wanted.until, "limit": wanted.limit}
    if wanted.who:
        conditions.append(_BY_WHO)
        values |= {"who": f"%{_escaped(wanted.who)}%", "source": wanted.who}
    if wanted.trunk:
        conditions.append(_BY_TRUNK)
        values |= {"trunk": f"% via {_escaped(wanted.trunk)}", "from_trunk": wanted.trunk}
    if wanted.cause is not None:
        conditions.append(_BY_CAUSE)
        values["cause"] = wanted.cause
    if wanted.failed:
        conditions.append(_FAILED)
    return _CALLS.format(conditions=" AND ".join(conditions)), values


def shown(calls: Sequence[Found]) -> str:
    """One line a call."""
    if not calls:
        return "no such calls"
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.start)),
            each.caller or each.source,
            each.callee,
            _told_party(each),
            _ending(each),
            each.rule,
            each.call,
        )
        for each in calls
    ]
    count = f"{len(calls)} call{'' if len(calls) == 1 else 's'}"
    return f"{table(('TIME', 'CALLER', 'DIALLED', 'TO', 'ENDED', 'RULE', 'CALL'), rows)}\n{count}"


def _told_party(each: Found) -> str:
    uri, via, trunk = each.target.partition(" via ")
    # A record that an older server wrote says but where.
    return f"{each.party or user_of(uri)}{via}{trunk}"


def _ending(each: Found) -> str:
    if each.answer is not None:
        by = f" by {each.hung_up_by}" if each.hung_up_by else ""
        return f"talked {clock(each.end - each.answer)}, ended{by}"
    if each.cause == _CANCELLED:
        return f"gave up after {clock(each.end - each.start)}"
    return f"{each.cause} {each.reason}".rstrip()


def _escaped(text: str) -> str:
    """As LIKE takes it literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
