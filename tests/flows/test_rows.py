"""Every row of the tables by which legs live and requests pass is taken by some golden flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from b2bua.call import (
    attended,
    exchange,
    invitation,
    joining,
    notices,
    passage,
    refresh,
    replacement,
    reply,
    soliciting,
    transfer,
)
from b2bua.call.incoming import IncomingLeg
from b2bua.call.outgoing import OutgoingLeg
from b2bua.delivery import copy, delivery
from b2bua.dialog import reliability
from b2bua.trunk import trust
from b2bua.trunk.check import Check
from b2bua.trunk.registration import Registration

from .play import Performance
from .script import read_flow
from .test_flows import FLOWS


def noting(rows: dict[Any, Any], where: str, taken: set[str]) -> dict[Any, Any]:
    """The rows of one state, each with one thing more to do: to note that it is taken."""
    return {
        event: (after, (lambda _, name=f"{where} {event}": taken.add(name), *actions))
        for event, (after, actions) in rows.items()
    }


@contextmanager
def counting(table: dict[Any, dict[Any, Any]], name: str, taken: set[str]) -> Iterator[set[str]]:
    """Note the rows of a compiled table that are taken meanwhile. Gives the names of all its rows."""
    plain = dict(table)
    for state, rows in plain.items():
        table[state] = noting(rows, f"{name} {state}", taken)
    try:
        yield {f"{name} {state} {event}" for state, rows in plain.items() for event in rows}
    finally:
        table.update(plain)


TABLES: dict[str, dict[Any, dict[Any, Any]]] = {
    "incoming": IncomingLeg.table,
    "outgoing": OutgoingLeg.table,
    "re-INVITE": exchange._INVITE,
    "request": exchange._REQUEST,
    "early PRACK": passage._PRACK,
    "early UPDATE": passage._UPDATE,
    "reliable": reliability._SENDING,
    "our answer": reply._TABLE,
    "our offer": invitation._TABLE,
    "our refresh": refresh._TABLE,
    "transfer": transfer._TABLE,
    "joining": joining._TABLE,
    "attended": attended._TABLE,
    "soliciting": soliciting._TABLE,
    "replacement": replacement._TABLE,
    "notices": notices._TABLE,
    "message": delivery._TABLE,
    "copy": copy._TABLE,
    "registration": Registration.table,
    "check": Check.table,
    "trust": trust._TABLE,
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
