"""Music while one waits, heard: in each codec, relayed and direct, from phones that hold in each way; and answers of
our own. Strangers reach nobody.
"""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

from . import codecs, hearing, music
from .codecs import PCMU, Codec
from .conftest import OFFICE
from .lab import Lab
from .ports import Ports
from .strangers import Strangers
from .talk import AT_ONCE, NO_GAP, PER_SECOND, SOON, Talk
from .tap import Tap

IN_EACH_CODEC = pytest.mark.parametrize("codec", codecs.ALL, ids=lambda codec: codec.name)
IN_EACH_MODE = pytest.mark.parametrize("mode", ["relayed", "direct"])


def sound(lab: Lab, name: str) -> music.Sound:
    """One of the sounds of the lab's policy."""
    return music.read(lab.server.policy.with_name(f"{name}.wav"))


def talking(lab: Lab, tap: Tap, dialed: str, codec: Codec = PCMU, seconds: float = 30.0) -> Talk:
    """Alice and bob in a call."""
    alice = lab.phone("alice", codecs=[codec], seconds=seconds)
    bob = lab.phone("bob", codecs=[codec], seconds=seconds, answers=True)
    return Talk.begin(tap, alice, bob, dialed, codec)


@IN_EACH_CODEC
@IN_EACH_MODE
def test_u01_who_is_held_hears_music_until_the_other_is_back(mode: str, codec: Codec, holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, mode, codec)
    alice, bob = talk.caller, talk.callee
    for phone in (alice, bob):
        talk.hears_other(phone, since=talk.since)

    held = talk.hold(alice)
    begun = talk.hears_music(bob, sound(holding, "waltz"), since=held)[0].time
    assert begun - held < 0.5

    resumed = talk.resume(alice)
    for phone in (alice, bob):
        talk.hears_other(phone, since=resumed + SOON)
    played = talk.music_of(bob, since=held)
    assert hearing.when_last_packet(played) < resumed + AT_ONCE
    assert hearing.longest_gap(played) < NO_GAP
    talk.hears_no_music(alice)
    talk.hears_nothing(alice, since=held + SOON, until=resumed)
    talk.hang_up()


@IN_EACH_MODE
def test_u02_the_called_side_holds_with_music_of_its_own(mode: str, holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, mode)
    held = talk.hold(talk.callee)
    talk.hears_music(talk.caller, sound(holding, "polka"), since=held)
    resumed = talk.resume(talk.callee)
    talk.hears_other(talk.caller, since=resumed + SOON)
    talk.hears_no_music(talk.callee)
    talk.hang_up()


@IN_EACH_MODE
def test_u03_two_holds_one_after_the_other_are_two_playings(mode: str, holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, mode)
    heard = []
    for _ in range(2):
        held = talk.hold(talk.caller)
        heard.append(talk.hears_music(talk.callee, sound(holding, "waltz"), since=held, seconds=1.5))
        resumed = talk.resume(talk.caller)
        talk.hears_other(talk.callee, since=resumed + SOON)
    first, second = (hearing.sources(packets) for packets in heard)
    assert first != second
    assert all(packets[0].marker for packets in heard)
    talk.hang_up()


@IN_EACH_MODE
def test_u04_music_loops_without_a_gap(mode: str, holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, mode)
    held = talk.hold(talk.caller)
    waltz = sound(holding, "waltz")
    length = len(waltz) / music.RATE
    heard = talk.hears_music(talk.callee, waltz, since=held, seconds=length + 1.5)
    again = hearing.sound(heard, PCMU)
    assert music.find(again, waltz, start=length + 0.5).at == pytest.approx(0.5, abs=0.02)
    talk.hang_up()


@IN_EACH_MODE
def test_u05_both_hold_and_each_comes_back_by_itself(mode: str, holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, mode, seconds=40.0)
    alice, bob = talk.caller, talk.callee
    held = talk.hold(alice)
    talk.hears_music(bob, sound(holding, "waltz"), since=held, seconds=1.0)
    # Who holds himself hears nothing, whoever holds him.
    both = talk.hold(bob)
    for phone in (alice, bob):
        assert tap.wait_quiet(phone.media) < both + SOON
    resumed = talk.resume(alice)
    talk.hears_music(alice, sound(holding, "polka"), since=resumed)
    talk.hears_nothing(bob, since=both + SOON, until=time.time())
    resumed = talk.resume(bob)
    for phone in (alice, bob):
        talk.hears_other(phone, since=resumed + SOON)
    talk.hang_up()


@IN_EACH_MODE
def test_u06_music_ends_with_the_call(mode: str, holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, mode)
    held = talk.hold(talk.caller)
    talk.hears_music(talk.callee, sound(holding, "waltz"), since=held, seconds=1.0)
    ended = talk.hang_up()
    assert tap.wait_quiet(talk.callee.media) < ended + AT_ONCE


def test_u07_a_relayed_call_goes_through_the_relay_alone(holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, "relayed")
    for phone in (talk.caller, talk.callee):
        talk.hears_other(phone, since=talk.since)
        assert all(packet.target in holding.server.media for packet in tap.out_of(phone.media))
        assert all(packet.source in holding.server.media for packet in tap.to(phone.media))
        assert hearing.lost(tap.to(phone.media)) == 0
        assert hearing.longest_gap(tap.to(phone.media)) < NO_GAP
    talk.hang_up()


def test_u08_a_direct_call_never_goes_through_the_relay(holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, "direct")
    for phone in (talk.caller, talk.callee):
        talk.hears_other(phone, since=talk.since)
        assert all(packet.source in talk.other(phone).media for packet in tap.to(phone.media))
    talk.hang_up()


def test_u09_digits_pass_the_relay(holding: Lab, tap: Tap) -> None:
    talk = talking(holding, tap, "relayed")
    talk.caller.command("sndcode", "5#")
    assert [talk.callee.wait("CALL_DTMF_START")["param"] for _ in range(2)] == ["5", "#"]
    talk.hang_up()


@pytest.mark.parametrize(
    ("change", "connection", "answer"),
    [
        ("sendonly", "[media_ip]", "recvonly"),
        ("inactive", "[media_ip]", "inactive"),
        ("sendrecv", "0.0.0.0", "recvonly|inactive|sendrecv"),
    ],
)
@IN_EACH_MODE
def test_u10_each_way_to_hold_gives_music(
    mode: str, change: str, connection: str, answer: str, holding: Lab, tap: Tap
) -> None:
    bob = holding.phone("bob", answers=True)
    sipp = holding.caller("call-hold", "alice", mode, change=change, connection=connection, talk=500, waiting=2000)
    bob.wait("CALL_ESTABLISHED")
    sipp.wait()
    bob.wait("CALL_CLOSED")

    # SIPp sends no sound: all that bob hears is music.
    heard = tap.to(bob.media)
    assert len(hearing.sources(heard)) == 1
    assert len(heard) == pytest.approx(2.0 * PER_SECOND, abs=10)
    assert hearing.longest_gap(heard) < NO_GAP
    assert hearing.likeness(heard, PCMU, sound(holding, "waltz"), seconds=1.25) > music.SAME
    holder = Ports(sipp.address.host, sipp.address.port + 2, sipp.address.port + 5)
    voice = tap.out_of(bob.media)[0].ssrc
    assert hearing.sources(tap.to(holder)) == [voice]
    descriptions = [said.text for said in sipp.received(r"SIP/2\.0 200 ") if "m=audio" in said.text]
    assert re.search(rf"^a=({answer})$", descriptions[1], re.MULTILINE)


def test_u11_strangers_reach_nobody(holding: Lab, tap: Tap) -> None:
    # Nine calls whose ports nobody has sent to yet, and one in which two phones talk.
    line = holding.register("carol")
    answering = holding.answerer("answer", line, calls=9)
    silent = holding.caller("call", "dave", "silent", calls=9, talk=5000)
    talk = talking(holding, tap, "relayed")
    hosts = [f"127.0.0.{last}" for last in (1, 1, 7, 8, 99)]
    with Strangers(hosts) as strangers:
        begun = time.time()
        for _ in range(20):
            strangers.spray(holding.server.media)
            tap.wait(lambda packet: packet.ssrc in strangers.ssrcs, strangers.sent)
        for phone in (talk.caller, talk.callee):
            talk.hears_other(phone, since=begun)
            talk.hears_no_music(phone)
        arrived = tap.packets(
            lambda packet: packet.ssrc in strangers.ssrcs and packet.target not in holding.server.media
        )
        assert strangers.sent == 20 * len(hosts) * 200
        assert arrived == []
    talk.hang_up()
    for sipp in (silent, answering):
        sipp.wait()


def test_u12_echo(office: Lab, tap: Tap) -> None:
    alice = office.phone("alice")
    alice.dial("*43")
    alice.wait("CALL_ESTABLISHED")
    alice.wait_heard(2.0)
    alice.hang_up()
    assert music.likeness(alice.heard(), music.read(alice.tune), start=0.5) > music.SAME
    assert hearing.longest_gap(tap.to(alice.media)) < NO_GAP


@IN_EACH_CODEC
def test_u13_a_tone(codec: Codec, office: Lab, tap: Tap) -> None:
    alice = office.phone("alice", codecs=[codec])
    alice.dial("*44")
    alice.wait("CALL_ESTABLISHED")
    heard = tap.wait(lambda packet: packet.target in alice.media, round(1.5 * PER_SECOND))
    alice.hang_up()
    tone = 10_000 * np.sin(2 * np.pi * 425 * np.arange(2 * music.RATE) / music.RATE)
    assert hearing.likeness(heard, codec, tone, seconds=1.0) > 0.95
    assert hearing.longest_gap(heard) < NO_GAP


@IN_EACH_CODEC
def test_u14_music_for_who_calls_for_it(codec: Codec, office: Lab, tap: Tap) -> None:
    alice = office.phone("alice", codecs=[codec])
    alice.dial("*45")
    alice.wait("CALL_ESTABLISHED")
    heard = tap.wait(lambda packet: packet.target in alice.media, round(1.5 * PER_SECOND))
    alice.hang_up()
    jazz = music.read(OFFICE / "sounds" / "jazz.wav")
    assert hearing.likeness(heard, codec, jazz, seconds=1.0) > music.SAME
    assert hearing.longest_gap(heard) < NO_GAP


def test_u15_when_an_announcement_ends_so_does_the_call(holding: Lab, tap: Tap) -> None:
    alice = holding.phone("alice")
    alice.dial("chime")
    alice.wait("CALL_ESTABLISHED")
    alice.wait("CALL_CLOSED")
    heard = tap.to(alice.media)
    assert len(heard) == 1.5 * PER_SECOND
    assert hearing.likeness(heard, PCMU, sound(holding, "chime"), start=0.0, seconds=1.4) > music.SAME
