"""One user and one trunk as they are shown, to the letter."""

from __future__ import annotations

from b2bua.operator import show_one

from .test_show import CALL

USER = {"name": "alice", "extension": "201", "number": None, "display": "Alice", "phones": 1, "unreachable": 0}
PHONE = {"user": "alice", "contact": "sip:alice@10.0.0.2", "expires": 60, "source": "10.0.0.2:5060"}
TRUNK = {
    "name": "pstn",
    "uri": "sip:gw.example",
    "state": "up",
    "why": "",
    "since": 1000.0,
    "registration": "registered",
    "registration_why": "",
    "registered_until": 1120.0,
    "channels": 1,
    "limit": 30,
    "calls_ok": 7,
    "calls_failed": 0,
    "last_failure": "",
    "last_failure_at": None,
    "latency": 0.012,
    "check_why": "",
}


def test_one_user_with_phones_calls_and_limits() -> None:
    shown = {
        "user": USER | {"expires": 60, "calls": 1},
        "attributes": {"mobile": "+49151\x1b"},
        "groups": ["staff"],
        "algorithms": ["MD5", "SHA-256"],
        "registrations": [PHONE | {"transport": "udp", "agent": "", "reachable": True}],
        "calls": [CALL],
        "limits": [["toll", {"key": "alice", "used": 3, "most": 40}]],
    }
    assert show_one.user(shown, 1065.0).splitlines() == [
        "user              alice",
        "name              Alice",
        "extension         201",
        r"mobile            +49151\x1b",
        "groups            staff",
        "proves itself by  MD5, SHA-256",
        "limit toll        3 of 40 used",
        "",
        "USER   CONTACT             REACHED BY         EXPIRES  PHONE",
        "alice  sip:alice@10.0.0.2  udp:10.0.0.2:5060  1:00",
        "",
        "CALL  CALLER  CALLEE  LEGS                            SINCE  TALKING  RULES",
        "9f2c  alice   bob     alice confirmed, bob confirmed  1:05   1:00     12:3",
        "1 phone, 1 call",
    ]
    narrow = show_one.user(shown, 1065.0, 30).splitlines()
    assert max(map(len, narrow)) <= 30
    nobody = shown | {"user": USER | {"phones": 0}, "registrations": [], "calls": []}
    assert show_one.user(nobody, 1065.0).splitlines()[-1] == "not registered, 0 calls"


def test_one_trunk_with_how_it_is() -> None:
    shown = {"trunk": TRUNK, "account": "acme", "number": "e164", "check": 30.0}
    shown |= {"peers": ["198.51.100.0/28"], "addresses": ["198.51.100.1"], "calls": []}
    assert show_one.trunk(shown, 1060.0).splitlines() == [
        "trunk         pstn",
        "uri           sip:gw.example",
        "addresses     198.51.100.1",
        "peers         198.51.100.0/28",
        "state         up for 1:00",
        "account       acme",
        "registration  registered for another 1:00",
        "checked       every 30 s, answered in 12 ms",
        "numbers       e164",
        "channels      1 of 30 in use",
        "calls so far  7 dealt with, 0 failed",
        "0 calls by this trunk",
    ]
    ailing = TRUNK | {"latency": None, "check_why": "no answer to OPTIONS", "registration": "refused"}
    ailing |= {"registration_why": "403 Forbidden", "last_failure": "503", "last_failure_at": 1000.0, "limit": None}
    lines = show_one.trunk(shown | {"trunk": ailing, "check": 30.0}, 1060.0).splitlines()
    assert "checked       every 30 s, no answer to OPTIONS" in lines
    assert "registration  refused 403 Forbidden" in lines
    assert "last failure  503, 1:00 ago" in lines
