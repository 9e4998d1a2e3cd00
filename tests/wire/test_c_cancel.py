"""CANCEL (RFC 3261 section 9), whichever way it meets the answer."""

from __future__ import annotations

from .conversation import OK
from .lab import Lab


def test_c11_cancel_while_it_rings(office: Lab) -> None:
    phone = office.answerer("ring-until-cancelled", office.register("bob"))
    call_id = office.call_id()
    office.caller("call-cancelled", "alice", "bob", call_id=call_id, patience=100).wait()
    phone.wait()
    incoming, outgoing = office.server.records(call_id, legs=2)
    assert (incoming["cause"], outgoing["cause"]) == (487, 487)
    assert (incoming["answer"], outgoing["answer"]) == (None, None)


def test_c12_cancel_crosses_200(office: Lab) -> None:
    phone = office.answerer("answer-despite-cancel", office.register("bob"))
    call_id = office.call_id()
    caller = office.caller("call-cancelled", "alice", "bob", call_id=call_id)
    caller.wait()
    phone.wait()
    assert not [m for m in caller.received(OK) if m.method == "INVITE"]
    assert office.server.records(call_id, legs=2)[0]["cause"] == 487


def test_c13_cancel_comes_after_the_200(office: Lab) -> None:
    phone = office.answerer("answer", office.register("bob"))
    call_id = office.call_id()
    office.caller("call-cancelled-late", "alice", "bob", call_id=call_id).wait()
    phone.wait()
    assert office.server.records(call_id, legs=2)[0]["cause"] == 200


def test_c14_cancel_waits_for_the_first_provisional(office: Lab) -> None:
    phone = office.answerer("ring-late", office.register("bob"), ring=1200)
    office.caller("call-cancelled-at-once", "alice", "bob").wait()
    phone.wait()
    (cancel,) = phone.received("CANCEL ")
    assert cancel.header("CSeq").split()[0] == phone.received("INVITE ")[0].header("CSeq").split()[0]


def test_c15_an_answer_after_its_time_is_acknowledged_and_ended(lab: Lab) -> None:
    phone = lab.answerer("answer-despite-cancel", lab.register("bob"))
    lab.caller("call-refused", "alice", "one-second", status=480).wait()
    phone.wait()


def test_c16_cancel_reaches_every_phone_that_rings(lab: Lab) -> None:
    phones = [lab.answerer("ring-until-cancelled", lab.register(user)) for user in ("bob", "carol")]
    call_id = lab.call_id()
    lab.caller("call-cancelled", "alice", "both", call_id=call_id, patience=300).wait()
    for phone in phones:
        phone.wait()
    assert [row["cause"] for row in lab.server.records(call_id, legs=3)] == [487, 487, 487]
