"""The basic call (RFC 3261 sections 13 and 15): two dialogs, one conversation."""

from __future__ import annotations

import re

from .conversation import OK, answered, calling
from .lab import Lab
from .message import Message
from .peer import Dialog

RINGING = r"SIP/2\.0 180 "


def test_b01_a_call_is_answered_and_the_caller_hangs_up(office: Lab) -> None:
    phone = office.answerer("answer", office.register("bob"), ring=100)
    call_id = office.call_id()
    caller = office.caller("call", "alice", "bob", call_id=call_id, talk=100)
    caller.wait()
    phone.wait()
    incoming, outgoing = office.server.records(call_id, legs=2)
    assert (incoming["direction"], outgoing["direction"]) == ("in", "out")
    assert (incoming["cause"], outgoing["cause"]) == (200, 200)
    assert {incoming["hung_up_by"], outgoing["hung_up_by"]} == {"caller"}
    assert incoming["caller"] == "alice"
    assert outgoing["sip_call_id"] == phone.received("INVITE ")[0].header("Call-ID")


def test_b02_the_callee_hangs_up(office: Lab) -> None:
    phone = office.answerer("answer-hang-up", office.register("bob"), talk=100)
    call_id = office.call_id()
    office.caller("call-hung-up", "alice", "bob", call_id=call_id).wait()
    phone.wait()
    assert {row["hung_up_by"] for row in office.server.records(call_id, legs=2)} == {"callee"}


def test_b03_nothing_of_one_leg_is_seen_on_the_other(office: Lab) -> None:
    phone = office.answerer("answer", office.register("bob"))
    caller = office.caller("call", "alice", "bob")
    caller.wait()
    phone.wait()
    sent = caller.sent("INVITE ")[-1]
    got = phone.received("INVITE ")[0]
    assert got.header("Call-ID") != sent.header("Call-ID")
    assert _tag(got.header("From")) != _tag(sent.header("From"))
    assert len(got.headers("Via")) == 1
    assert got.headers("Record-Route") == []
    assert got.headers("Authorization") == []
    assert str(caller.address) not in got.head
    ringing = caller.received(RINGING)[0]
    assert len(ringing.headers("Via")) == 1
    assert str(phone.address) not in ringing.head
    for offered, ours in ((sent, got), (phone.sent(OK)[0], caller.received(OK)[0])):
        assert _origin(ours) != _origin(offered)
        assert _without_origin(ours) == _without_origin(offered)


def test_b04_the_hundred_comes_at_once_whatever_the_callee_does(lab: Lab) -> None:
    alice, bob, call = calling(lab)
    alice.receive(r"SIP/2\.0 100 ", 0.2)
    invite = bob.receive("INVITE ")
    bob.answer(invite, 486, tag="b")
    bob.receive("ACK ")
    call.acknowledge_failure(alice.receive(r"SIP/2\.0 486 "))


def test_b05_progress_with_a_description_crosses(lab: Lab) -> None:
    phone = lab.answerer("answer-progress", lab.register("bob"), ring=50)
    caller = lab.caller("call-progress", "alice", "bob")
    caller.wait()
    phone.wait()
    assert "m=audio" in caller.received(r"SIP/2\.0 183 ")[0].body


def test_b06_two_phones_ring_and_the_first_to_answer_has_the_call(office: Lab) -> None:
    quick, slow = office.register("alice"), office.register("carol")
    loser = office.answerer("ring-until-cancelled", slow)
    winner = office.answerer("answer", quick, ring=300)
    call_id = office.call_id()
    caller = office.caller("call", "bob", "desk", call_id=call_id)
    for sipp in (caller, winner, loser):
        sipp.wait()
    (ringing,) = caller.received(r"SIP/2\.0 18\d ")
    assert ringing.body.strip() == ""
    assert [row["cause"] for row in office.server.records(call_id, legs=3)].count(200) == 2


def test_b07_an_offer_may_come_with_the_answer(lab: Lab) -> None:
    phone = lab.answerer("answer-offering", lab.register("bob"))
    lab.caller("call-without-offer", "alice", "bob").wait()
    phone.wait()
    assert phone.received("INVITE ")[0].body.strip() == ""


def test_b08_our_ack_follows_the_callers(lab: Lab) -> None:
    c = answered(lab)
    c.bob.receive_nothing(0.3)
    c.call.acknowledge()
    c.bob.receive("ACK ")
    c.hang_up()


def test_b09_a_caller_over_tcp_reaches_a_phone_on_udp(office: Lab) -> None:
    phone = office.answerer("answer", office.register("bob"))
    caller = office.caller("call", "alice", "bob", transport="t1")
    caller.wait()
    phone.wait()
    assert "SIP/2.0/UDP" in phone.received("INVITE ")[0].header("Via")


def test_b10_a_call_over_ipv6(lab6: Lab) -> None:
    phone = lab6.answerer("answer", lab6.register("bob"))
    caller = lab6.caller("call", "alice", "bob")
    caller.wait()
    phone.wait()
    assert "[::1]" in phone.received("INVITE ")[0].header("Contact")


def test_b11_an_invite_that_outgrows_udp_goes_to_the_gateway_over_tcp(lab: Lab) -> None:
    gateway = lab.gateway("answer", transport="t1")
    caller = lab.caller("call", "alice", "004930901820", headers=_padding())
    caller.wait()
    gateway.wait()
    got = gateway.received("INVITE ")[0]
    assert "SIP/2.0/TCP" in got.header("Via")
    assert len(got.text) > 1300


def test_b12_an_invite_that_outgrows_udp_falls_back_to_it_where_nobody_listens_on_tcp(lab: Lab) -> None:
    gateway = lab.gateway("answer")
    lab.caller("call", "alice", "004930901820", headers=_padding()).wait()
    gateway.wait()
    assert "SIP/2.0/UDP" in gateway.received("INVITE ")[0].header("Via")


def test_b13_a_phone_registered_over_udp_gets_the_large_invite_by_its_own_flow(lab: Lab) -> None:
    phone = lab.answerer("answer", lab.register("bob"))
    lab.caller("call", "alice", "bob", headers=_padding()).wait()
    phone.wait()
    assert "SIP/2.0/UDP" in phone.received("INVITE ")[0].header("Via")


def test_b14_an_unknown_number_is_not_found(lab: Lab) -> None:
    call_id = lab.call_id()
    lab.caller("call-refused", "alice", "no-such-user", status=404, call_id=call_id).wait()
    (record,) = lab.server.records(call_id, legs=1)
    assert record["cause"] == 404


def test_b15_a_user_without_a_phone_is_unavailable(lab: Lab) -> None:
    lab.caller("call-refused", "alice", "dave", status=480).wait()


def test_b16_a_caller_who_cannot_say_who_he_is_gets_nowhere(lab: Lab) -> None:
    alice = lab.peer()
    call = Dialog.calling(alice, lab.server.udp, "alice", "bob")
    call.invite("alice", "a wrong password")
    call.acknowledge_failure(alice.receive(r"SIP/2\.0 401 "))


def test_b17_the_gateway_calls_in(lab: Lab) -> None:
    phone = lab.answerer("answer", lab.register("bob"))
    call_id = lab.call_id()
    gateway = lab.gateway_calling("call-open", "4930901821", call_id=call_id)
    gateway.wait()
    phone.wait()
    assert lab.server.records(call_id, legs=2)[0]["source"] == "127.0.0.2"


def test_b18_a_number_goes_out_through_the_trunk(lab: Lab) -> None:
    gateway = lab.gateway("answer")
    lab.caller("call", "alice", "004930901820").wait()
    gateway.wait()
    got = gateway.received("INVITE ")[0]
    assert got.start.startswith("INVITE sip:004930901820@127.0.0.2:5080")
    assert int(got.header("Max-Forwards")) < 70


def _tag(value: str) -> str:
    found = re.search(r";tag=([^;]+)", value)
    assert found, value
    return found[1]


def _origin(message: Message) -> str:
    (origin,) = re.findall(r"(?m)^o=.*$", message.body)
    return str(origin)


def _without_origin(message: Message) -> str:
    return re.sub(r"(?m)^o=.*$", "", message.body).strip()


def _padding() -> str:
    """Return a header line that alone is longer than RFC 3261 18.1.1 lets a datagram be."""
    return "Subject: " + "x" * 1300
