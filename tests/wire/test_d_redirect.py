"""The redirect server (RFC 3261 section 8.3): ours, and those of others."""

from __future__ import annotations

from .lab import Lab

MOVED = r"SIP/2\.0 302 "


def test_d01_the_office_redirects_its_support_line(office: Lab) -> None:
    call_id = office.call_id()
    caller = office.caller("call-refused", "alice", "support", status=302, call_id=call_id)
    caller.wait()
    assert caller.received(MOVED)[0].header("Contact").startswith("<sip:")
    (record,) = office.server.records(call_id, legs=1)
    assert record["cause"] == 302


def test_d02_a_permanent_move_names_its_contact(lab: Lab) -> None:
    caller = lab.caller("call-refused", "alice", "moved", status=301)
    caller.wait()
    assert caller.received(r"SIP/2\.0 301 ")[0].header("Contact") == "<sip:carol@partner.example>"


def test_d03_a_phones_redirection_is_passed_on_where_a_rule_says_so(lab: Lab) -> None:
    phone = lab.answerer("redirecting", lab.register("bob"), elsewhere="sip:bob@192.0.2.5")
    caller = lab.caller("call-refused", "alice", "passed-on", status=302)
    caller.wait()
    phone.wait()
    assert caller.received(MOVED)[0].header("Contact") == "<sip:bob@192.0.2.5>"


def test_d04_a_phones_redirection_to_one_of_us_is_followed_where_a_rule_says_so(lab: Lab) -> None:
    bob, carol = lab.register("bob"), lab.register("carol")
    moved = lab.answerer("redirecting", bob, elsewhere=f"sip:carol@{lab.server.udp}")
    phone = lab.answerer("answer", carol)
    call_id = lab.call_id()
    lab.caller("call", "alice", "followed", call_id=call_id).wait()
    moved.wait()
    phone.wait()
    assert [row["cause"] for row in lab.server.records(call_id, legs=3)] == [200, 302, 200]


def test_d05_a_redirection_that_no_rule_follows_is_not_followed(lab: Lab) -> None:
    moved = lab.answerer("redirecting", lab.register("bob"), elsewhere=f"sip:carol@{lab.server.udp}")
    lab.caller("call-refused", "alice", "bob", status=480).wait()
    moved.wait()


def test_d06_a_302_to_oneself_ends(lab: Lab) -> None:
    line = lab.register("bob")
    moved = lab.answerer("redirecting", line, elsewhere=f"sip:bob@{lab.server.udp}", calls=2)
    call_id = lab.call_id()
    lab.caller("call-refused", "alice", "followed", status=480, call_id=call_id).wait()
    moved.wait()
    assert len(lab.server.records(call_id, legs=3)) == 3
