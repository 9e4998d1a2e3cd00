"""Transfers by real phones: whoever was sent on talks to whom it was sent to, and the one who sent it is out of it."""

from __future__ import annotations

import time

import pytest

from .lab import Lab
from .talk import SOON, Talk
from .tap import Tap


@pytest.mark.parametrize("mode", ["relayed", "direct"])
@pytest.mark.parametrize("by", ["caller", "called"])
def test_x01_one_of_two_sends_the_other_on(by: str, mode: str, holding: Lab, tap: Tap) -> None:
    alice = holding.phone("alice", seconds=30.0)
    bob = holding.phone("bob", seconds=30.0, answers=True)
    carol = holding.phone("carol", seconds=30.0, answers=True)
    talk = Talk.begin(tap, alice, bob, mode)
    sender, sent = (alice, bob) if by == "caller" else (bob, alice)

    begun = time.time()
    sender.command("transfer", f"sip:carol@{holding.server.udp}")
    carol.wait("CALL_ESTABLISHED")
    sender.wait("CALL_CLOSED")
    joined = Talk(tap, sent, carol, talk.codec, begun)
    since = time.time() + SOON
    joined.hears_other(sent, since=since)
    joined.hears_other(carol, since=since)
    assert not tap.to(sender.media, since=since)
    carol.hang_up()
    sent.wait("CALL_CLOSED")
