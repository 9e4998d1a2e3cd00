"""Attended transfers by real phones: whoever was connected talks to each other, and who connected them is out of it."""

from __future__ import annotations

import time

import pytest

from .codecs import PCMU
from .lab import Lab
from .peer import Dialog, Peer
from .ports import block
from .talk import SOON, Talk
from .tap import Tap


@pytest.mark.parametrize(("first", "second"), [("relayed", "silent"), ("direct", "beside")])
def test_x11_one_connects_the_two_it_talks_to(first: str, second: str, holding: Lab, tap: Tap) -> None:
    bob = holding.phone("bob", seconds=30.0, answers=True)
    carol = holding.phone("carol", seconds=30.0, answers=True)
    with Peer() as dave:
        one, two = _called(dave, holding, first), _called(dave, holding, second)
        for phone in (bob, carol):
            phone.wait("CALL_ESTABLISHED")

        begun = time.time()
        tags = [value.rpartition("tag=")[2] for value in (two.remote, two.local)]
        replaces = f"{two.call_id.replace('@', '%40')}%3Bto-tag%3D{tags[0]}%3Bfrom-tag%3D{tags[1]}"
        one.request("REFER", headers=[("Refer-To", f"<sip:carol@{holding.server.udp}?Replaces={replaces}>")])
        dave.receive(r"SIP/2\.0 202 ")
        dave.answer(dave.receive("NOTIFY "), 200)
        last, bye = dave.receive_all(["NOTIFY ", "BYE "])
        assert "SIP/2.0 200 OK" in last.text
        dave.answer(bye, 200)
        dave.answer(last, 200)
        one.request("BYE")
        dave.receive(r"SIP/2\.0 200 ")

        joined = Talk(tap, bob, carol, PCMU, begun)
        since = time.time() + SOON
        joined.hears_other(bob, since=since)
        joined.hears_other(carol, since=since)
        carol.hang_up()
        bob.wait("CALL_CLOSED")
        dave.receive_nothing(0.2)


def test_x12_one_takes_the_place_of_another(holding: Lab) -> None:
    carol = holding.phone("carol", seconds=30.0, answers=True)
    # What is sent to dave's RTCP port, behind his own two, is none of erin's.
    with Peer() as dave, Peer(port=block(4) + 2) as erin:
        one = _called(dave, holding, "silent")
        carol.wait("CALL_ESTABLISHED")
        tags = [value.rpartition("tag=")[2] for value in (one.remote, one.local)]
        replaces = ("Replaces", f"{one.call_id};to-tag={tags[0]};from-tag={tags[1]}")
        other = Dialog.calling(erin, holding.server.udp, "erin", "carol")
        other.invite("erin", holding.password("erin"), headers=[replaces, ("Require", "replaces")])
        other.confirm(erin.receive(r"SIP/2\.0 200 ", passing=r"SIP/2\.0 1"))
        other.acknowledge()
        dave.answer(dave.receive("BYE "), 200)
        carol.hang_up()
        erin.answer(erin.receive("BYE "), 200)


def _called(dave: Peer, holding: Lab, dialed: str) -> Dialog:
    dialog = Dialog.calling(dave, holding.server.udp, "dave", dialed)
    dialog.invite("dave", holding.password("dave"))
    dialog.confirm(dave.receive(r"SIP/2\.0 200 ", passing=r"SIP/2\.0 1"))
    dialog.acknowledge()
    return dialog
