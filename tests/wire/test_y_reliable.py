"""Reliable provisional responses and early UPDATE (RFC 3262, RFC 3311), with peers that speak them and that do not."""

from __future__ import annotations

import time

from .lab import Lab
from .tap import Tap

SUPPORTED = "Supported: 100rel"
REQUIRED = "Require: 100rel"
FAR = "0049301234567"
"""What the lab dials by its trunk."""

T1 = 0.1
"""RFC 3261 section 17.1.1.1, in seconds, on the brisk bench."""


def test_y01_both_sides_speak_it(lab: Lab) -> None:
    gateway = lab.gateway("gateway-reliable", ring=50)
    call_id = lab.call_id()
    caller = lab.caller("call-reliable", "alice", FAR, call_id=call_id, headers=SUPPORTED, talk=100)
    caller.wait()
    gateway.wait()
    (progress,) = caller.received(r"SIP/2\.0 183 ")
    assert progress.header("Require") == "100rel"
    assert "m=audio" in progress.body
    assert [row["cause"] for row in lab.server.records(call_id, legs=2)] == [200, 200]


def test_y02_a_phone_without_it_hears_a_gateway_that_has_it_before_the_answer(lab: Lab, tap: Tap) -> None:
    gateway = lab.gateway("gateway-reliable", ring=1500, options=("-rtp_echo",))
    alice = lab.phone("alice")
    begun = time.time()
    alice.dial(FAR)
    answer = gateway.wait_sent(r"SIP/2\.0 200 .*")
    assert answer.method == "PRACK"
    tap.wait(lambda packet: packet.target in alice.media and packet.time > begun, 20)
    assert not [m for m in gateway.sent(r"SIP/2\.0 200 ") if m.method == "INVITE"]
    alice.wait("CALL_ESTABLISHED")
    alice.hang_up()
    gateway.wait()
    (invite,) = gateway.received("INVITE ")
    assert "100rel" in invite.header("Supported")


def test_y03_a_caller_who_requires_it_reaches_a_phone_without_it(lab: Lab) -> None:
    phone = lab.answerer("answer-progress", lab.register("bob"), ring=300)
    caller = lab.caller("call-reliable", "alice", "bob", headers=REQUIRED)
    caller.wait()
    phone.wait()
    assert not phone.received("PRACK ")


def test_y04_update_passes_before_the_answer(lab: Lab) -> None:
    gateway = lab.gateway("gateway-updated", ring=50)
    caller = lab.caller("call-updating", "alice", FAR, headers=SUPPORTED)
    caller.wait()
    gateway.wait()
    assert "a=recvonly" in gateway.received("UPDATE ")[0].body


def test_y05_what_is_not_acknowledged_is_repeated_and_then_the_call_is_refused(brisk: Lab) -> None:
    bob = brisk.peer(at=brisk.register("bob").address)
    caller = brisk.caller("call-refused", "alice", "bob", headers=SUPPORTED, status=504)
    invite = bob.receive("INVITE ")
    bob.answer(invite, 183, tag="b", body=bob.sdp())
    bob.answer(bob.receive("CANCEL ", 64 * T1 + 5), 200)
    bob.answer(invite, 487, tag="b")
    bob.receive("ACK ")
    caller.wait()
    numbers = [m.header("RSeq") for m in caller.received(r"SIP/2\.0 183 ")]
    assert len(numbers) >= 6
    assert len(set(numbers)) == 1
