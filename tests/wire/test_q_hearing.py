"""What two phones hear of each other, in every codec that they have: by their recordings and by the packets."""

from __future__ import annotations

import pytest

from . import codecs, hearing, music
from .baresip import Baresip
from .codecs import Codec
from .lab import Lab
from .talk import SOON, Talk
from .tap import Tap


@pytest.mark.parametrize("codec", codecs.ALL, ids=lambda codec: codec.name)
def test_q01_two_phones_hear_each_other_in(codec: Codec, office: Lab, tap: Tap) -> None:
    alice, bob = office.phone("alice", codecs=[codec]), office.phone("bob", codecs=[codec], answers=True)
    alice.dial("bob")
    for phone in (alice, bob):
        phone.wait("CALL_ESTABLISHED")
        phone.wait_heard(1.4)
    alice.hang_up()
    bob.wait("CALL_CLOSED")
    for phone, other in ((alice, bob), (bob, alice)):
        _hears(phone, other, codec, tap)


def _hears(phone: Baresip, other: Baresip, codec: Codec, tap: Tap) -> None:
    assert phone.likeness(other) > music.SAME
    assert phone.likeness(phone) < music.OTHER
    packets = tap.to(phone.media)
    assert hearing.in_codec(packets, codec) == packets
    assert len(hearing.sources(packets)) == 1
    assert hearing.lost(packets) == 0
    assert hearing.longest_gap(packets) < 0.06
    assert hearing.likeness(packets, codec, music.read(other.tune)) > music.SAME
    assert hearing.likeness(packets, codec, music.read(phone.tune)) < music.OTHER


def test_q02_a_held_call_is_silent_and_both_are_heard_again(lab: Lab, tap: Tap) -> None:
    alice, bob = lab.phone("alice"), lab.phone("bob", answers=True)
    talk = Talk.begin(tap, alice, bob, "bob")
    for phone in (alice, bob):
        talk.hears_other(phone, since=talk.since)
    held = talk.hold(alice)
    for phone in (alice, bob):
        assert tap.wait_quiet(phone.media) < held + SOON
    resumed = talk.resume(alice)
    for phone in (alice, bob):
        talk.hears_other(phone, since=resumed + SOON)
    talk.hang_up()


def test_q03_digits_arrive_among_the_voice(lab: Lab, tap: Tap) -> None:
    alice, bob = lab.phone("alice"), lab.phone("bob", answers=True)
    talk = Talk.begin(tap, alice, bob, "bob")
    alice.command("sndcode", "5#")
    assert [bob.wait("CALL_DTMF_START")["param"] for _ in range(2)] == ["5", "#"]
    talk.hang_up()
