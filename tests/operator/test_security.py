"""Who is shut out, as it is shown: to the letter."""

from __future__ import annotations

from b2bua.operator.security import security

COUNTERS = {"challenges": 12, "authentications_refused": 16}
BANNED = {
    "who": "203.0.113.9",
    "kind": "address",
    "failures": 5,
    "since": 900.0,
    "last": 940.0,
    "bans": 2,
    "left": 241,
    "turned_away": 1843,
    "others": ["100", "101\r\n"],
}
CLOSED = BANNED | {"who": "alice", "kind": "account", "failures": 11, "bans": 1, "left": 9, "others": ["192.0.2.1"]}
FAILING = BANNED | {"who": "2001:db8:0:1::/64", "failures": 1, "bans": 0, "left": 0, "others": ["bob"]}


def test_who_is_shut_out_and_who_has_failed() -> None:
    shown = {"bans": [BANNED], "closed": [CLOSED], "failing": [FAILING], "counters": COUNTERS}
    assert security(shown, 1000.0).splitlines() == [
        "1 address banned, 1 account closed",
        "",
        "SHUT OUT              LEFT  TIMES  FAILURES  SINCE  TURNED AWAY  WITH",
        r"203.0.113.9  address  4:01  2      5         1:40   1843         100, 101\r\n",
        "alice        account  0:09  1      11        1:40   1843         192.0.2.1",
        "",
        "FAILED             FAILURES  LAST  BANS  WITH",
        "2001:db8:0:1::/64  1         1:00  0     bob",
        "",
        "SINCE THE START",
        "challenges               12",
        "authentications refused  16",
    ]


def test_nobody_is_shut_out() -> None:
    shown = {"bans": [], "closed": [], "failing": [], "counters": {"challenges": 0}}
    assert security(shown, 1000.0).splitlines() == [
        "0 addresses banned, 0 accounts closed",
        "",
        "SINCE THE START",
        "challenges       0",
    ]
