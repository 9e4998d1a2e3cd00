"""Calls that are over, in the order in which they ended, read from the store beside whoever writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from b2bua.operator.read_store import read_store

PORTION: Final = 200
"""Calls that are read at once."""

_LEGS = """
SELECT ended.id, records.* FROM (SELECT * FROM ended WHERE id > ? ORDER BY id LIMIT ?) AS ended
LEFT JOIN records ON records.call = ended.call ORDER BY ended.id, records.leg
"""
_OLDEST: Final = 6
_SINCE = "SELECT 0, * FROM records WHERE start >= ? ORDER BY call, leg"


class EndedCall(msgspec.Struct, frozen=True):
    """A call with its legs' records, each as the store has its columns, the calling leg first where it is known.

    `number` says where it stands among those that ended. One whose legs have all gone on in another call has none.
    """

    number: int
    call: str
    legs: list[dict[str, Any]]


def ended_after(state: Path, number: int) -> list[EndedCall]:
    """The next calls that ended after this one, some at once. Raises ServerError."""
    return _calls(state, _LEGS, (number, PORTION))


def begun_since(state: Path, since: float) -> list[EndedCall]:
    """Calls that have begun since then (wall seconds), in the order in which they did, as far as their legs are over.

    Raises ServerError.
    """
    found = _calls(state, _SINCE, (since,))
    return sorted(found, key=lambda call: float(call.legs[0]["start"]))


def _calls(state: Path, query: str, values: tuple[object, ...]) -> list[EndedCall]:
    calls: dict[str, EndedCall] = {}
    with read_store(state, _OLDEST) as connection:
        rows = connection.execute(query, values)
        names = [column[0] for column in rows.description][1:]
        for number, *columns in rows:
            leg = dict(zip(names, columns, strict=True))
            ended = calls.setdefault(leg["call"] or f"#{number}", EndedCall(number, leg["call"] or "", []))
            if ended.call:
                leg["rules"], leg["tags"] = json.loads(leg["rules"]), json.loads(leg["tags"])
                ended.legs.append(leg)
    return list(calls.values())
