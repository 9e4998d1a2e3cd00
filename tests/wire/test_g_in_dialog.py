"""Inside a call: re-INVITE, UPDATE, INFO and MESSAGE pass end to end (RFC 3261 sections 12.2 and 14)."""

from __future__ import annotations

import re

from .conversation import OK, established
from .lab import Lab
from .message import Message
from .peer import Dialog

PENDING = r"SIP/2\.0 491 "


def test_g01_a_reinvite_passes_with_and_without_an_offer(office: Lab) -> None:
    phone = office.answerer("answer-reinvite", office.register("bob"), answering="recvonly")
    caller = office.caller("call-reinvite", "alice", "bob", change="sendonly")
    caller.wait()
    phone.wait()
    held, asked = phone.received("INVITE ")[1:]
    assert "a=sendonly" in held.body
    assert asked.body.strip() == ""
    answers = [m for m in caller.received(OK) if m.method == "INVITE"]
    assert "a=recvonly" in answers[1].body
    first, second = (_version(message) for message in phone.received("INVITE ")[:2])
    assert second == first + 1


def test_g02_update_info_and_message_pass(office: Lab) -> None:
    phone = office.answerer("answer-requests", office.register("bob"))
    office.caller("call-requests", "alice", "bob").wait()
    phone.wait()


def test_g03_the_callee_may_reinvite_too(lab: Lab) -> None:
    c = established(lab)
    c.answered.request("INVITE", body=c.bob.sdp(direction="sendonly", version=2))
    c.alice.answer(c.alice.receive("INVITE "), 200, body=c.alice.sdp(direction="recvonly", version=2))
    assert "a=recvonly" in c.bob.receive(OK).body
    c.answered.acknowledge()
    c.alice.receive("ACK ")
    c.hang_up()


def test_g04_reinvites_that_cross_are_both_told_to_wait(lab: Lab) -> None:
    c = established(lab)
    c.call.request("INVITE", body=c.alice.sdp(direction="sendonly", version=2))
    theirs = c.bob.receive("INVITE ")
    c.answered.request("INVITE", body=c.bob.sdp(direction="sendonly", version=2))
    c.answered.acknowledge_failure(c.bob.receive(PENDING))
    c.bob.answer(theirs, 491)
    c.bob.receive("ACK ")
    c.call.acknowledge_failure(c.alice.receive(PENDING))
    c.hang_up()


def test_g05_a_refused_reinvite_leaves_the_call_as_it_was(lab: Lab) -> None:
    c = established(lab)
    c.call.request("INVITE", body=c.alice.sdp(version=2))
    c.bob.answer(c.bob.receive("INVITE "), 488)
    c.bob.receive("ACK ")
    c.call.acknowledge_failure(c.alice.receive(r"SIP/2\.0 488 "))
    c.call.request("INFO")
    c.bob.answer(c.bob.receive("INFO "), 200)
    c.alice.receive(OK)
    c.hang_up()


def test_g06_a_request_outside_any_dialog_of_ours_is_told_so(lab: Lab) -> None:
    peer = lab.peer()
    stray = Dialog.calling(peer, lab.server.udp, "alice", "bob")
    stray.remote += ";tag=nobody-gave-this"
    stray.request("BYE")
    peer.receive(r"SIP/2\.0 481 ")


def _version(message: Message) -> int:
    """Return the version that the description's o= line has (RFC 8866 section 5.2)."""
    (version,) = re.findall(r"(?m)^o=\S+ \d+ (\d+) ", message.body)
    return int(version)
