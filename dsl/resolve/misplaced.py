"""What to write where a declaration's name stands as if it were a value, and for words that are no facts.

Owns these words alone; where a name stands, and what it means, is `lookup`'s.
"""

from __future__ import annotations

from dsl.resolve.names import Kind

WHOSE_NUMBER = frozenset({"number", "callerid", "caller-id", "clid", "cli", "called", "destination"})
"""What others call the numbers of a call."""

_SEVERAL = (Kind.GROUP, Kind.USERS, Kind.NUMBERS, Kind.NET)

_INSTEAD = {
    Kind.GROUP: "write `... in {0}` or `dial {0}`",
    Kind.USERS: "write `... in {0}`",
    Kind.NUMBERS: "write `caller.number in {0}` or `dialed in {0}`",
    Kind.NET: "write `source in {0}`",
    Kind.SOUND: "write `play {0} to held` or `answer play {0}`",
    Kind.HOURS: "write `within {0}`",
    Kind.LIMIT: "write `over {0}`",
    Kind.TRUNK: "write `from trunk {0}`, or `via {0}` after a number",
    Kind.TRUNKS: "write `via {0}` after a number",
    Kind.TABLE: "write `lookup {0} ...`",
    Kind.SUB: "write `do {0}(...)`",
}


def instead_of(name: str, kind: Kind, asks: str) -> str:
    """What to write in place of the name; `asks` is how a comparison would ask for it, or empty."""
    return f"write `{asks} {name}`" if asks and kind in _SEVERAL else _INSTEAD[kind].format(name)
