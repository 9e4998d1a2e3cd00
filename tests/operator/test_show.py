"""What is shown, to the letter."""

from __future__ import annotations

from b2bua.operator import show

CALL = {
    "id": "9f2c",
    "caller": "alice",
    "callee": "bob",
    "source": "127.0.0.1",
    "started": 1000.0,
    "answered": 1005.0,
    "policy": "abc",
    "rules": ["12:3"],
    "tags": {},
    "legs": [{"party": "alice", "state": "confirmed"}, {"party": "bob", "state": "confirmed"}],
}


def test_calls_the_oldest_first() -> None:
    ringing = CALL | {"id": "77aa", "callee": "caf\udce9\r\n", "started": 900.0, "answered": None, "legs": []}
    assert show.calls([CALL, ringing], 1065.0).splitlines() == [
        r"CALL  CALLER  CALLEE         LEGS                            SINCE  TALKING  RULES",
        r"77aa  alice   caf\udce9\r\n                                  2:45   -        12:3",
        r"9f2c  alice   bob            alice confirmed, bob confirmed  1:05   1:00     12:3",
        "2 calls, 1 talking",
    ]
    assert show.calls([], 0.0) == "no calls"


def test_registrations_by_user() -> None:
    row = {
        "user": "bob",
        "contact": "sip:bob@10.0.0.2",
        "expires": 3725,
        "source": "10.0.0.2:5060",
        "transport": "udp",
        "agent": "baresip",
        "reachable": True,
    }
    gone = row | {"user": "alice", "transport": "tcp", "reachable": False, "expires": 5, "agent": ""}
    assert show.registrations([row, gone], 0.0).splitlines() == [
        "USER   CONTACT           REACHED BY                       EXPIRES  PHONE",
        "alice  sip:bob@10.0.0.2  tcp:10.0.0.2:5060 (unreachable)  0:05",
        "bob    sip:bob@10.0.0.2  udp:10.0.0.2:5060                1:02:05  baresip",
        "2 phones of 2 users, 1 unreachable",
    ]
    assert show.registrations([], 0.0) == "no registrations"


def test_versions_of_the_policy_with_what_was_refused() -> None:
    row = {"hash": "abc", "name": "lab", "state": "in force", "since": 0.0, "percent": 95, "calls": 12, "why": ""}
    rows = [
        row,
        row | {"hash": "def", "state": "on trial", "since": 90.0, "percent": 5, "calls": 1},
        row | {"hash": "", "state": "refused", "since": 99.0, "calls": 0, "why": "lab.route:1:2: unknown"},
    ]
    assert show.policies(rows, 100.0).splitlines() == [
        "VERSION  POLICY  STATE          FOR   CALLS  WHY",
        "abc      lab     in force       1:40  12",
        "def      lab     on trial, 5 %  0:10  1",
        "-        lab     refused        0:01  0      lab.route:1:2: unknown",
        "3 versions, 13 calls",
    ]


def test_trunks_in_the_order_of_the_policy() -> None:
    row = {
        "name": "pstn",
        "uri": "sip:gw.example",
        "state": "up",
        "why": "",
        "since": 1000.0,
        "registration": "registered",
        "registration_why": "",
        "registered_until": 1660.0,
        "channels": 2,
        "limit": 30,
        "calls_ok": 7,
        "calls_failed": 1,
        "last_failure": "no response",
        "last_failure_at": 1030.0,
        "latency": 0.0124,
    }
    bare = row | {"name": "b", "state": "down", "why": "no answer to OPTIONS", "registration": "off", "limit": None}
    bare |= {"latency": None, "last_failure_at": None, "calls_ok": 0, "calls_failed": 0, "registered_until": None}
    refused = row | {"name": "c", "registration": "refused", "registration_why": "403 Forbidden"}
    lines = [" ".join(line.split()) for line in show.trunks([row, bare, refused], 1060.0).splitlines()]
    assert lines == [
        "TRUNK URI STATE FOR REGISTERED CHANNELS OK/FAILED CHECK LAST FAILURE WHY",
        "pstn sip:gw.example up 1:00 10:00 2/30 7/1 12 ms no response, 0:30 ago",
        "b sip:gw.example down 1:00 - 2 0/0 - - no answer to OPTIONS",
        "c sip:gw.example up 1:00 refused 2/30 7/1 12 ms no response, 0:30 ago 403 Forbidden",
        "3 trunks, 2 up, 6 of their channels in use",
    ]
    assert show.trunks([], 0.0) == "no trunks"


def test_status() -> None:
    shown = {
        "version": "0.1.0",
        "pid": 7,
        "started": 1000.0,
        "draining": True,
        "policy": {"name": "acme", "hash": "abc", "path": "acme.route"},
        "listen": ["udp:127.0.0.1:5060"],
        "certificates": [{"file": "own.pem", "names": ["a.example", "b.example"], "expires": 9e5, "days": 10}],
        "sizes": {"calls": 2},
        "media": {"ports": 1000, "restarts": 0},
        "names": {"known": 3, "looked up now": 0, "passed over": {"udp:192.0.2.1:5060": 62.5}},
        "counters": {"refused_404": 1, "calls": 3},
    }
    assert show.status(shown, 1060.0).splitlines() == [
        "b2bua 0.1.0, process 7, running for 1:00, draining",
        "policy acme, version abc, from acme.route",
        "listens on udp:127.0.0.1:5060",
        "certificate own.pem for a.example, b.example: 10 days left",
        "",
        "NOW",
        "calls  2",
        "",
        "MEDIA",
        "ports     1000",
        "restarts  0",
        "",
        "NAMES",
        "known                            3",
        "looked up now                    0",
        "passed over: udp:192.0.2.1:5060  1:02",
        "",
        "SINCE THE START",
        "calls            3",
        "refused_404      1",
    ]


def test_users_with_their_phones_and_calls() -> None:
    bare = {"name": "bob", "extension": None, "number": None, "display": None, "phones": 0, "unreachable": 0}
    bare |= {"expires": None, "calls": 0}
    alice = bare | {"name": "alice", "extension": "201", "display": "Alice Liddell", "phones": 2, "unreachable": 1}
    alice |= {"expires": 125, "calls": 1}
    assert show.users([alice, bare], 0.0).splitlines() == [
        "USER   DIAL  NAME           PHONES             EXPIRES  CALLS",
        "alice  201   Alice Liddell  2 (1 unreachable)  2:05     1",
        "bob    -     -              0                  -        0",
        "2 users, 1 registered, 1 in a call",
    ]
    assert show.users([], 0.0) == "no users"


def test_limits_by_what_has_used_most() -> None:
    burst = {"name": "burst", "count": 30, "per": 60.0, "each": "caller", "keys": 12, "full": 1}
    burst |= {"used": [{"key": "alice", "used": 30, "most": 30}, {"key": "bob", "used": 2, "most": 40}]}
    lines = {"name": "lines", "count": 1200, "per": None, "each": None, "keys": 0, "full": 0, "used": []}
    assert show.limits([burst, lines], 0.0).splitlines() == [
        "LIMIT  COUNTS   FOR    USED",
        "burst  in 1:00  alice  30/30    full",
        "burst  in 1:00  bob    2/40",
        "lines  at once         0/1,200",
        "2 limits, 1 full, 10 values with less not shown",
    ]
    assert show.limits([], 0.0) == "the policy has no limits"


def test_listen_addresses_with_what_went_by_them() -> None:
    udp = {"listen": "udp:192.0.2.1:5060", "received": 12345, "sent": 9, "dropped": 0}
    udp |= {"connections": 0, "taken": 0, "opened": 0, "certificate": None}
    tls = udp | {"listen": "tls:192.0.2.1:5061", "connections": 1, "taken": 3, "opened": 2, "certificate": 41}
    assert show.transports([udp, tls], 0.0).splitlines() == [
        "LISTENS ON          RECEIVED  SENT  DROPPED  CONNECTIONS  TAKEN  OPENED  CERTIFICATE",
        "udp:192.0.2.1:5060  12,345    9     0        -            -      -       -",
        "tls:192.0.2.1:5061  12,345    9     -        1            3      2       41 days",
        "2 listen addresses, 1 connection",
    ]
