"""Races and faults: whatever the peers do, both legs end, once, and nothing stays behind."""

from __future__ import annotations

import re

from .conversation import OK, Conversation, answered, calling, established
from .lab import Lab
from .peer import Dialog

T1 = 0.1
"""RFC 3261 section 17.1.1.1, in seconds, on the brisk bench; elsewhere it is 0.5."""


def test_h01_a_lost_ack_ends_both_legs(brisk: Lab) -> None:
    c = answered(brisk)
    c.alice.answer(c.alice.receive("BYE ", 64 * T1 + 5), 200)
    assert c.alice.repeated >= 6
    c.bob.receive("ACK ")
    c.bob.answer(c.bob.receive("BYE "), 200)
    assert len(brisk.server.records(c.call.call_id, legs=2)) == 2


def test_h02_a_second_answer_of_a_forked_call_is_acknowledged_and_ended(lab: Lab) -> None:
    alice, bob, call = calling(lab)
    invite = bob.receive("INVITE ")
    bob.answer(invite, 200, tag="first", body=bob.sdp())
    bob.answer(invite, 200, tag="second", body=bob.sdp())
    ack, bye = bob.receive_all(["ACK ", "BYE "])
    assert "tag=second" in ack.header("To")
    assert "tag=second" in bye.header("To")
    bob.answer(bye, 200)
    call.confirm(alice.receive(OK))
    call.acknowledge()
    assert "tag=first" in bob.receive("ACK ").header("To")
    Conversation(alice, bob, call, Dialog.called(bob, lab.server.udp, invite, "first")).hang_up()
    assert len(lab.server.records(call.call_id, legs=2)) == 2


def test_h03_both_sides_hang_up_at_once(lab: Lab) -> None:
    c = established(lab)
    c.call.request("BYE")
    c.answered.request("BYE")
    c.alice.receive(OK)
    bye, _ = c.bob.receive_all(["BYE ", OK])
    c.bob.answer(bye, 200)
    assert len(lab.server.records(c.call.call_id, legs=2)) == 2


def test_h04_the_callee_hangs_up_during_a_reinvite(lab: Lab) -> None:
    c = established(lab)
    c.call.request("INVITE", body=c.alice.sdp(direction="sendonly", version=2))
    theirs = c.bob.receive("INVITE ")
    c.answered.request("BYE")
    c.bob.receive(OK)
    c.bob.answer(theirs, 487)
    c.bob.receive("ACK ")
    refused, bye = c.alice.receive_all([r"SIP/2\.0 4\d\d ", "BYE "])
    c.call.acknowledge_failure(refused)
    c.alice.answer(bye, 200)
    assert len(lab.server.records(c.call.call_id, legs=2)) == 2


def test_h05_everything_sent_twice_is_done_once(lab: Lab) -> None:
    bob = lab.peer(at=lab.register("bob").address)
    alice = lab.peer()
    call = Dialog.calling(alice, lab.server.udp, "alice", "bob")
    alice.send(call.invite("alice", lab.password("alice")).text, lab.server.udp)
    invite = bob.receive("INVITE ")
    for _ in range(2):
        bob.answer(invite, 180, tag="b")
    for _ in range(2):
        ok = bob.answer(invite, 200, tag="b", body=bob.sdp())
    alice.receive(r"SIP/2\.0 180 ")
    call.confirm(alice.receive(OK))
    alice.send(call.acknowledge().text, lab.server.udp)
    bob.receive("ACK ")
    assert ok.header("CSeq") == invite.header("CSeq")
    alice.send(call.request("BYE").text, lab.server.udp)
    bye = bob.receive("BYE ")
    for _ in range(2):
        bob.answer(bye, 200)
    alice.receive(OK)
    assert [m.method for m in bob.received if m.start.startswith(("INVITE", "BYE"))] == ["INVITE", "BYE"]
    assert len(lab.server.records(call.call_id, legs=2)) == 2


def test_h06_a_request_without_forwards_left_goes_no_further(lab: Lab) -> None:
    caller = lab.caller("call-open-refused", "alice", "bob", status=483, forwards=0)
    caller.wait()


def test_h07_a_callee_that_fell_silent_does_not_keep_the_caller(brisk: Lab) -> None:
    c = established(brisk)
    c.call.request("BYE")
    c.alice.receive(OK, 1.0)
    c.bob.receive("BYE ")
    brisk.patience = 64 * T1 + 5
    assert len(brisk.server.records(c.call.call_id, legs=2, timeout=brisk.patience)) == 2


def test_h08_a_phone_that_is_gone_is_unreachable_at_once(lab: Lab) -> None:
    lab.register("bob")
    lab.caller("call-refused", "alice", "bob", status=480, timeout=5.0).wait()


def test_h09_nonsense_is_answered_or_dropped_and_calls_go_on(lab: Lab) -> None:
    c = established(lab)
    noise = lab.peer()
    for text in ("", "\n\n", "hello", "INVITE sip:x SIP/2.0\n\n", "SIP/2.0 200 OK\nVia: x\n\n", "\0" * 500):
        noise.send(text, lab.server.udp)
    noise.send(
        f"OPTIONS sip:{lab.server.udp} SIP/2.0\nVia: SIP/2.0/UDP {noise.address};branch=z9hG4bKx1\n"
        f"From: <sip:x@x>;tag=1\nTo: <sip:y@y>\nCall-ID: noise\nCSeq: nonsense\nContent-Length: 0\n\n",
        lab.server.udp,
    )
    noise.receive(r"SIP/2\.0 400 ", passing=r"\s*$|SIP/2\.0 4")
    c.hang_up()


def test_h10_a_request_for_someone_elses_host_is_not_ours(lab: Lab) -> None:
    peer = lab.peer()
    stray = Dialog.calling(peer, lab.server.udp, "alice", "bob")
    stray.target = "sip:bob@foreign.example"
    stray.request("INVITE", body=peer.sdp())
    stray.acknowledge_failure(peer.receive(r"SIP/2\.0 404 "))


def test_h11_what_we_can_do_is_told_to_whoever_asks(lab: Lab) -> None:
    peer = lab.peer()
    asked = Dialog.calling(peer, lab.server.udp, "alice", "bob")
    asked.target = f"sip:{lab.server.udp}"
    asked.request("OPTIONS")
    told = peer.receive(OK)
    assert {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"} <= set(re.split(r"[,\s]+", told.header("Allow")))
    assert "application/sdp" in told.header("Accept")
