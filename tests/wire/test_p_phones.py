"""Real phones: two baresips that register, talk and are heard, are busy, forwarded and redirected."""

from __future__ import annotations

from typing import Literal

import pytest

from .baresip import Baresip
from .lab import Lab
from .music import SAME


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_p01_two_phones_talk_and_each_hears_the_other(office: Lab, transport: Literal["udp", "tcp"]) -> None:
    alice, bob = office.phone("alice", transport=transport), office.phone("bob", transport=transport)
    _talk(alice, bob)
    alice.wait_heard(1.5)
    bob.wait_heard(1.5)
    alice.hang_up()
    for phone in (alice, bob):
        phone.wait("CALL_CLOSED")
    assert alice.likeness(bob) > SAME
    assert bob.likeness(alice) > SAME


def test_p02_the_called_phone_hangs_up(office: Lab) -> None:
    alice, bob = office.phone("alice"), office.phone("bob")
    _talk(alice, bob)
    bob.hang_up()
    for phone in (alice, bob):
        phone.wait("CALL_CLOSED")


def test_p03_the_calling_phone_gives_up(office: Lab) -> None:
    alice, bob = office.phone("alice"), office.phone("bob")
    alice.dial("bob")
    bob.wait("CALL_INCOMING")
    alice.wait("CALL_RINGING")
    alice.hang_up()
    for phone in (alice, bob):
        phone.wait("CALL_CLOSED")


def test_p04_a_phone_declines(office: Lab) -> None:
    alice, bob = office.phone("alice"), office.phone("bob")
    alice.dial("bob")
    bob.wait("CALL_INCOMING")
    bob.hang_up()
    assert "486" in str(alice.wait("CALL_CLOSED")["param"])


def test_p05_a_phone_is_forwarded_and_told_so(office: Lab) -> None:
    gateway = office.gateway("answer-hang-up", talk=300)
    alice = office.phone("alice")
    alice.dial("frank")
    alice.program.wait_line(r"^SIP/2\.0 181 ", 5.0)
    alice.wait("CALL_ESTABLISHED")
    alice.wait("CALL_CLOSED")
    gateway.wait()


def test_p06_a_phone_is_redirected(office: Lab) -> None:
    alice = office.phone("alice")
    alice.dial("support")
    alice.program.wait_line(r"^SIP/2\.0 302 ", 5.0)


def test_p07_a_redirected_phone_calls_the_other_place_itself(lab: Lab) -> None:
    gateway = lab.gateway("answer-hang-up", talk=300)
    alice = lab.phone("alice")
    alice.dial("forwarded-as-302")
    alice.wait("CALL_ESTABLISHED")
    gateway.wait()
    assert str(alice.address) in gateway.received("INVITE ")[0].header("Via")


def test_p08_a_phone_holds_and_resumes(office: Lab) -> None:
    alice, bob = office.phone("alice"), office.phone("bob")
    _talk(alice, bob)
    alice.command("hold")
    assert bob.wait("CALL_REMOTE_SDP")["param"] == "offer"
    alice.command("resume")
    assert bob.wait("CALL_REMOTE_SDP")["param"] == "offer"
    alice.hang_up()
    bob.wait("CALL_CLOSED")


def test_p09_a_phone_that_leaves_unregisters(office: Lab) -> None:
    office.phone("bob").close()
    office.caller("call-refused", "alice", "bob", status=480).wait()


def _talk(alice: Baresip, bob: Baresip) -> None:
    alice.dial("bob")
    bob.wait("CALL_INCOMING")
    alice.wait("CALL_RINGING")
    bob.command("accept")
    for phone in (alice, bob):
        phone.wait("CALL_ESTABLISHED")
