"""Forwarding (RFC 5359 section 2.5), and the trunk that it goes through."""

from __future__ import annotations

from .lab import GATEWAY, Lab
from .peer import digest, parameters

DEAF_GATEWAY = GATEWAY._replace(host="127.0.0.3")


def test_f01_the_office_forwards_and_the_caller_hears_about_it(office: Lab) -> None:
    gateway = office.gateway("answer", ring=50)
    call_id = office.call_id()
    caller = office.caller("call-forwarded", "alice", "frank", call_id=call_id)
    caller.wait()
    gateway.wait()
    got = gateway.received("INVITE ")[0]
    assert got.start.split()[1].endswith("@127.0.0.2:5080")
    assert "sip:+493023125206@" in got.header("Diversion")
    assert "sip:+493023125206@" in got.header("History-Info")
    assert "frank" not in got.start
    starts = [m.start.split()[1] for m in caller.received(r"SIP/2\.0 (18|2)") if m.method == "INVITE"]
    assert starts == ["181", "180", "200"]
    assert len(office.server.records(call_id, legs=2)) == 2


def test_f02_the_same_as_a_redirect(lab: Lab) -> None:
    caller = lab.caller("call-refused", "alice", "forwarded-as-302", status=302)
    caller.wait()
    assert caller.received(r"SIP/2\.0 302 ")[0].header("Contact") == "<sip:4915112345678@127.0.0.2:5080>"


def test_f03_a_forwarding_that_comes_round_again_ends(lab: Lab) -> None:
    diversion = f"Diversion: <sip:erin@{lab.server.udp}>;reason=unconditional"
    gateway = lab.peer(at=GATEWAY)
    lab.caller("call-refused", "alice", "forwarded", status=480, headers=diversion).wait()
    gateway.receive_nothing(0.3)


def test_f04_the_trunks_challenge_is_answered_with_its_secret(lab: Lab) -> None:
    gateway = lab.gateway("gateway-challenging", realm="carrier")
    caller = lab.caller("call", "alice", "guarded")
    caller.wait()
    gateway.wait()
    first, second = gateway.received("INVITE ")
    shown = parameters(second.header("Proxy-Authorization"))
    uri = second.start.split()[1]
    assert (shown["username"], shown["uri"], shown["nc"]) == ("acme", uri, "00000001")
    proof = digest("acme", "carrier", "lab-carrier", "INVITE", uri, shown["nonce"], shown["cnonce"])
    assert shown["response"] == proof
    assert second.header("Call-ID") == first.header("Call-ID")
    assert not caller.received(r"SIP/2\.0 407 ")


def test_f05_a_gateway_that_takes_no_invite_is_passed_by(lab: Lab) -> None:
    deaf = lab.peer(at=DEAF_GATEWAY)
    gateway = lab.gateway("answer")
    call_id = lab.call_id()
    lab.caller("call", "alice", "hunted", call_id=call_id).wait()
    gateway.wait()
    deaf.answer(deaf.receive("INVITE "), 503)
    rows = lab.server.records(call_id, legs=3)
    assert [row["cause"] for row in rows][::2] == [200, 200]


def test_f06_where_no_gateway_takes_the_call_it_is_unavailable(lab: Lab) -> None:
    deaf = lab.peer(at=DEAF_GATEWAY)
    lab.caller("call-refused", "alice", "deaf", status=480).wait()
    deaf.answer(deaf.receive("INVITE "), 503)


def test_f07_a_gateway_that_fails_is_passed_by(lab: Lab) -> None:
    failing = lab.gateway("refuse", at=DEAF_GATEWAY, status=500, reason="Server Internal Error")
    gateway = lab.gateway("answer")
    call_id = lab.call_id()
    lab.caller("call", "alice", "hunted", call_id=call_id).wait()
    gateway.wait()
    failing.wait()
    assert [row["cause"] for row in lab.server.records(call_id, legs=3)] == [200, 500, 200]


def test_f08_a_gateway_that_redirects_is_not_followed_unless_the_policy_says_so(lab: Lab) -> None:
    elsewhere = f"sip:4930901820@{GATEWAY.host}:{GATEWAY.port}"
    redirecting = lab.gateway("redirecting", at=DEAF_GATEWAY, elsewhere=elsewhere)
    gateway = lab.peer(at=GATEWAY)
    lab.caller("call-refused", "alice", "hunted", status=480).wait()
    redirecting.wait()
    gateway.receive_nothing(0.3)
