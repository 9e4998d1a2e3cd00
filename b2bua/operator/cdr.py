"""Call records as rows of CSV, in the order of Asterisk's Master.csv, and ours behind those.

Owns which rows a call has, and what may stand in a cell: a call has a row for each called leg that was answered, and
one where none was. Spreadsheets run what looks like a formula, and lines end rows: what peers wrote is made harmless.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from b2bua.io.tally import outcome
from b2bua.operator.columns import aligned

COLUMNS: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
    "call", "source", "cause", "reason", "hung_up_by", "transferred_by", "joined", "policy", "rules",
    "party",
)  # fmt: skip
"""Asterisk's 18, then ours."""

_SHOWN: Final = ("start", "src", "dst", "lastdata", "disposition", "duration", "billsec", "cause", "call")
_DISPOSITIONS: Final = {
    "answered": "ANSWERED",
    "busy": "BUSY",
    "unanswered": "NO ANSWER",
    "cancelled": "NO ANSWER",
    "refused": "FAILED",
    "failed": "FAILED",
}
_FORMULA: Final = re.compile(r"[=@\t]|[+-](?![0-9]+$)").match


def lines(legs: Sequence[dict[str, Any]]) -> str:
    """The rows of one call, by the records of its legs: each ends with a line end."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    for row in rows(legs):
        writer.writerow([value if isinstance(value, int) else cell(value) for value in row.values()])
    return text.getvalue()


def rows(legs: Sequence[dict[str, Any]]) -> Iterator[dict[str, str | int]]:
    """The rows of one call, each value under its column's name."""
    calling = next((leg for leg in legs if leg["direction"] == "in"), None)
    called = [leg for leg in legs if leg["direction"] == "out"]
    answered = [leg for leg in called if leg["answer"] is not None]
    if answered:
        for number, leg in enumerate(answered):
            yield _row(leg if number or calling is None else calling, leg, leg)
    elif calling is not None:
        yield _row(calling, called[-1] if called else None, calling)
    elif called:
        yield _row(called[-1], called[-1], called[-1])


def _row(begin: dict[str, Any], called: dict[str, Any] | None, end: dict[str, Any]) -> dict[str, str | int]:
    """The row of a conversation that began as one leg says and ended as another, with the leg that was called."""
    answer = end["answer"]
    became = "answered" if answer is not None else outcome(end["cause"])
    values: tuple[str | int, ...] = (
        end["tags"].get("accountcode", ""),
        end["caller"],
        end["callee"],
        "",
        f"<{end['caller']}>",
        f"SIP/{begin['sip_call_id']}",
        "" if called is None else f"SIP/{called['sip_call_id']}",
        "Dial" if called is not None else ("Answer" if answer is not None else ""),
        "" if called is None else called["target"],
        _time(begin["start"]),
        _time(answer),
        _time(end["end"]),
        max(0, round(end["end"] - begin["start"])),
        0 if answer is None else max(0, round(end["end"] - answer)),
        _DISPOSITIONS[became],
        "DOCUMENTATION",
        f"{end['call']}.{end['leg']}",
        " ".join(f"{name}={value}" for name, value in end["tags"].items()),
        end["call"],
        end["source"],
        end["cause"],
        end["reason"],
        end["hung_up_by"],
        end["transferred_by"],
        end["joined"],
        end["policy"],
        " ".join(end["rules"]),
        "" if called is None else called["party"],
    )
    return dict(zip(COLUMNS, values, strict=True))


def table_of(found: Iterable[dict[str, str | int]]) -> str:
    """The rows for eyes: the columns that one looks for."""
    shown = [[str(row[name]) for name in _SHOWN] for row in found]
    return aligned([[name.upper() for name in _SHOWN], *shown]) if shown else "no call records"


def cell(text: str) -> str:
    """A text that is one line, and nothing that a spreadsheet would compute."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"'{text}" if _FORMULA(text) else text


def _time(wall: float | None) -> str:
    return "" if wall is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall))
