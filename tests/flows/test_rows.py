"""Every row of the tables by which legs live and requests pass is taken by some golden flow."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from b2bua.call import exchange, invitation, reply
from b2bua.call.incoming import IncomingLeg
from b2bua.call.outgoing import OutgoingLeg

from .play import Performance
from .script import read_flow
from .test_flows import FLOWS


class Counting(dict[Hashable, Any]):
    """The rows of one state, which notes those that are taken."""

    def __init__(self, rows: dict[Any, Any], where: str, taken: set[str]) -> None:
        super().__init__(rows)
        self._where = where
        self._taken = taken

    def get(self, event: Hashable, default: Any = None) -> Any:
        row = super().get(event, default)
        if row is not None:
            self._taken.add(f"{self._where} {event}")
        return row


@contextmanager
def counting(table: dict[Any, dict[Any, Any]], name: str, taken: set[str]) -> Iterator[set[str]]:
    """Note the rows of a compiled table that are taken meanwhile. Gives the names of all its rows."""
    plain = dict(table)
    for state, rows in plain.items():
        table[state] = Counting(rows, f"{name} {state}", taken)
    try:
        yield {f"{name} {state} {event}" for state, rows in plain.items() for event in rows}
    finally:
        table.update(plain)


TABLES: dict[str, dict[Any, dict[Any, Any]]] = {
    "incoming": IncomingLeg.table,
    "outgoing": OutgoingLeg.table,
    "re-INVITE": exchange._INVITE,
    "request": exchange._REQUEST,
    "our answer": reply._TABLE,
    "our offer": invitation._TABLE,
}


@pytest.fixture(scope="module")
def rows_not_taken() -> list[str]:
    """What is left of all tables after all flows."""
    taken: set[str] = set()
    with ExitStack() as stack:
        rows = [stack.enter_context(counting(table, name, taken)) for name, table in TABLES.items()]
        for path in FLOWS:
            Performance(read_flow(path)).play()
    return sorted(set[str]().union(*rows) - taken)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_taken(name: str, rows_not_taken: list[str]) -> None:
    assert [row for row in rows_not_taken if row.startswith(f"{name} ")] == []
