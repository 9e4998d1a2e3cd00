"""Call records as CSV: which rows, in which columns, and that no cell is more than a text."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from b2bua.operator.cdr import COLUMNS, cell, lines, rows

pytestmark = pytest.mark.usefixtures("in_utc")

BEGAN = 1_700_000_000.0


def leg(
    number: int, *, answer: float | None = None, end: float = 0.0, cause: int = 200, **changes: Any
) -> dict[str, Any]:
    """A leg's record; times are seconds since the call began."""
    return {
        "call": "20231114-c1", "leg": number, "direction": "out" if number else "in", "sip_call_id": f"id{number}",
        "caller": "alice", "callee": "201", "target": f"sip:b{number}@127.0.0.1" if number else "",
        "source": "127.0.0.1", "start": BEGAN + number, "answer": None if answer is None else BEGAN + answer,
        "end": BEGAN + end, "cause": cause, "reason": "OK", "hung_up_by": "caller" if answer else "", "policy": "abc",
        "rules": ["3:4", "5:6"], "transferred_by": "", "joined": "", "tags": {"team": "desk"},
        "party": f"b{number}" if number else "",
    } | changes  # fmt: skip


def test_an_answered_call_is_one_row_in_asterisks_order() -> None:
    text = lines([leg(0, answer=5.0, end=65.0), leg(1, end=5.0, cause=487), leg(2, answer=5.0, end=65.0)])
    assert text == (
        '"","alice","201","","<alice>","SIP/id0","SIP/id2","Dial","sip:b2@127.0.0.1","2023-11-14 22:13:20",'
        '"2023-11-14 22:13:25","2023-11-14 22:14:25",65,60,"ANSWERED","DOCUMENTATION","20231114-c1.2","team=desk",'
        '"20231114-c1","127.0.0.1",200,"OK","caller","","","abc","3:4 5:6","b2"\n'
    )
    asterisk = "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec"
    assert list(COLUMNS[:18]) == [*asterisk.split(), "disposition", "amaflags", "uniqueid", "userfield"]


def test_each_answered_leg_of_a_transferred_call_is_billed() -> None:
    legs = [leg(0, answer=5.0, end=30.0), leg(1, answer=5.0, end=60.0), leg(2, answer=30.0, end=90.0)]
    found = [(row["uniqueid"], row["billsec"], row["channel"]) for row in rows(legs)]
    assert found == [("20231114-c1.1", 55, "SIP/id0"), ("20231114-c1.2", 60, "SIP/id2")]


@pytest.mark.parametrize(
    ("cause", "disposition"), [(486, "BUSY"), (480, "NO ANSWER"), (487, "NO ANSWER"), (403, "FAILED"), (503, "FAILED")]
)
def test_what_nobody_answered_is_one_row_too(cause: int, disposition: str) -> None:
    [row] = rows([leg(0, end=9.0, cause=cause), leg(1, end=9.0, cause=487), leg(2, end=9.0, cause=487)])
    assert (row["disposition"], row["answer"], row["billsec"], row["duration"]) == (disposition, "", 0, 9)
    assert (row["lastapp"], row["dstchannel"], row["uniqueid"]) == ("Dial", "SIP/id2", "20231114-c1.0")


def test_a_call_that_was_refused_at_once_or_that_we_answered_dials_nobody() -> None:
    [refused] = rows([leg(0, cause=403)])
    assert (refused["lastapp"], refused["dstchannel"]) == ("", "")
    [echo] = rows([leg(0, answer=1.0, end=3.0)])
    assert (echo["lastapp"], echo["disposition"], echo["billsec"]) == ("Answer", "ANSWERED", 2)


def test_a_call_whose_legs_went_on_elsewhere_has_no_row() -> None:
    assert lines([]) == ""


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "+49 30 =1"])
def test_a_formula_is_a_text(text: str) -> None:
    assert cell(text).startswith(("'", " "))


@pytest.mark.parametrize("text", ["+4930123456", "-5", "alice", "100", "", "a=b"])
def test_numbers_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def test_lines_and_quotes_of_a_peers_end_no_row_and_no_cell() -> None:
    text = lines([leg(0, caller='a"b\r\nc\u2028d\x00e', cause=486)])
    assert text.count("\n") == 1
    [row] = csv.reader([text])
    assert row[1] == 'a"b  c d e'
    assert len(row) == len(COLUMNS)


def test_ours_may_name_the_account() -> None:
    [row] = rows([leg(0, cause=486, tags={"accountcode": "sales"})])
    assert row["accountcode"] == "sales"
