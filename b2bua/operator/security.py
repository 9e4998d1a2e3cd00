"""Who is shut out, for eyes (`b2bua show security`), and `b2bua unban`.

Owns the form, and what is said of what was forgiven. The values are those of `b2bua.core`'s views, as JSON brought
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from b2bua.io.requests import Unban
from b2bua.operator.options import JSON, STATE, show_answer
from b2bua.operator.show import clock, table


def security(shown: Mapping[str, Any], now: float, width: int | None = None) -> str:
    """Who is shut out, who has failed lately, and what has happened since the start. `now` in wall seconds."""
    bans, closed, failing = shown["bans"], shown["closed"], shown["failing"]
    parts = [f"{_counted(len(bans), 'address', 'addresses')} banned, {_counted(len(closed), 'account')} closed"]
    if bans or closed:
        parts.append(_shut_out([*bans, *closed], now, width))
    if failing:
        parts.append(_failing(failing, now, width))
    counters = [(name.replace("_", " "), str(number)) for name, number in shown["counters"].items()]
    parts.append(table(("SINCE THE START", ""), counters, width=width))
    return "\n\n".join(parts)


def _shut_out(rows: Sequence[Mapping[str, Any]], now: float, width: int | None) -> str:
    lines = [
        (
            row["who"],
            row["kind"],
            clock(row["left"]),
            str(row["bans"]),
            str(row["failures"]),
            clock(now - row["since"]),
            str(row["turned_away"]),
            ", ".join(row["others"]),
        )
        for row in rows
    ]
    return table(
        ("SHUT OUT", "", "LEFT", "TIMES", "FAILURES", "SINCE", "TURNED AWAY", "WITH"),
        lines,
        ("SHUT OUT", "LEFT"),
        width,
    )


def _failing(rows: Sequence[Mapping[str, Any]], now: float, width: int | None) -> str:
    lines = [
        (row["who"], str(row["failures"]), clock(now - row["last"]), str(row["bans"]), ", ".join(row["others"]))
        for row in rows
    ]
    return table(("FAILED", "FAILURES", "LAST", "BANS", "WITH"), lines, ("FAILED", "FAILURES"), width)


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


@click.command()
@click.argument("who")
@STATE
@JSON
def unban(who: str, state: Path, as_json: bool) -> None:
    """Let WHO in again, an address or an account, and forget what it did.

    An IPv6 address stands for its /64.
    """
    show_answer(state, Unban(who), as_json, lambda shown: f"{' and '.join(shown['forgiven'])} {shown['who']}: forgiven")
