"""Busy: what it means is the policy's to say."""

from __future__ import annotations

from .lab import Lab

BUSY = 486


def test_e01_busy_reaches_the_caller(office: Lab) -> None:
    phone = office.answerer("refuse", office.register("bob"), status=BUSY)
    call_id = office.call_id()
    office.caller("call-refused", "alice", "bob", status=BUSY, call_id=call_id).wait()
    phone.wait()
    assert [row["cause"] for row in office.server.records(call_id, legs=2)] == [BUSY, BUSY]


def test_e02_busy_is_answered_with_another_phone(office: Lab) -> None:
    busy = office.answerer("refuse", office.register("carol"), status=BUSY)
    phone = office.answerer("answer", office.register("alice"))
    call_id = office.call_id()
    office.caller("call", "bob", "carol", call_id=call_id).wait()
    busy.wait()
    phone.wait()
    rows = office.server.records(call_id, legs=3)
    assert [row["cause"] for row in rows] == [200, BUSY, 200]
    assert len(str(rows[0]["rules"]).split(",")) > 1


def test_e03_busy_is_answered_with_a_redirect(lab: Lab) -> None:
    busy = lab.answerer("refuse", lab.register("bob"), status=BUSY)
    caller = lab.caller("call-refused", "alice", "bob-or-elsewhere", status=302)
    caller.wait()
    busy.wait()
    assert caller.received(r"SIP/2\.0 302 ")[0].header("Contact") == "<sip:carol@partner.example>"


def test_e04_busy_on_one_phone_is_not_busy_on_all(lab: Lab) -> None:
    busy = lab.answerer("refuse", lab.register("bob"), status=BUSY)
    phone = lab.answerer("answer", lab.register("bob"), ring=300)
    lab.caller("call", "alice", "bob").wait()
    busy.wait()
    phone.wait()


def test_e05_busy_everywhere_ends_the_search(lab: Lab) -> None:
    phone = lab.answerer("refuse", lab.register("bob"), status=600)
    carol = lab.peer(at=lab.register("carol").address)
    lab.caller("call-refused", "alice", "one-after-other", status=BUSY).wait()
    phone.wait()
    carol.receive_nothing(0.3)


def test_e06_then_goes_on_whatever_the_first_said(lab: Lab) -> None:
    busy = lab.answerer("refuse", lab.register("bob"), status=BUSY)
    phone = lab.answerer("answer", lab.register("carol"))
    lab.caller("call", "alice", "one-after-other").wait()
    busy.wait()
    phone.wait()


def test_e07_a_phone_that_declines_is_busy(lab: Lab) -> None:
    declining = lab.answerer("refuse", lab.register("bob"), status=603)
    lab.caller("call-refused", "alice", "bob", status=BUSY).wait()
    declining.wait()


def test_e08_any_other_refusal_passes(lab: Lab) -> None:
    refusing = lab.answerer("refuse", lab.register("bob"), status=488)
    lab.caller("call-refused", "alice", "bob", status=488).wait()
    refusing.wait()
