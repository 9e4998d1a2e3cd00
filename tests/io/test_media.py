"""The media process over loopback: who hears whom, who does not, sounds and their pace, its death and repair."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import trio

from b2bua.effects import TONE, MediaPlan, MediaPort
from b2bua.settings import Media

from .media import Stage, music, place, playing
from .patience import in_time

FIRST, LAST = 29_600, 29_619


@pytest.fixture(autouse=True)
def frequent_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2bua.io.media.supervisor.REPORT_SECONDS", 0.02)


@pytest.fixture
async def stage(nursery: trio.Nursery) -> AsyncIterator[Stage]:
    stage = Stage(Media(first_port=FIRST, last_port=LAST))
    stage.media.learn(TONE, {"PCMU": music(), "opus": [bytes([n] * (n + 1)) for n in range(50)]})
    nursery.start_soon(stage.media.run)
    await stage.told("media_ready")
    yield stage
    nursery.cancel_scope.cancel()
    stage.close()


async def test_ports_are_bound_in_pairs_from_an_even_one(stage: Stage) -> None:
    assert [(port.id, port.port) for port in stage.core.ports] == [(n, FIRST + 2 * n) for n in range(10)]
    assert stage.core.codecs == ("PCMU", "opus")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, pytest.raises(OSError, match="in use"):
        taken.bind(("127.0.0.1", FIRST + 1))


async def test_what_others_have_is_left_out_and_ids_stay(nursery: trio.Nursery) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", FIRST + 3))
        stage = Stage(Media(first_port=FIRST, last_port=FIRST + 5), ("127.0.0.1", "127.0.0.2"))
        nursery.start_soon(stage.media.run)
        await stage.told("media_ready")
    assert [(port.id, port.host, port.port) for port in stage.core.ports] == [
        (0, "127.0.0.1", FIRST), (2, "127.0.0.1", FIRST + 4),
        (3, "127.0.0.2", FIRST), (4, "127.0.0.2", FIRST + 2), (5, "127.0.0.2", FIRST + 4),
    ]  # fmt: skip
    (left_out,) = [entry for entry in stage.logged.entries if entry["event"] == "media ports left out"]
    assert (left_out["reason"], left_out["pairs"]) == ("EADDRINUSE", 1)
    nursery.cancel_scope.cancel()


async def test_two_phones_hear_each_other_unchanged(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(to=a.id)))
    for number in range(20):
        for speaker, own, listener, other in ((alice, a, bob, b), (bob, b, alice, a)):
            said = speaker.talk(own, bytes([number]) * 160)
            assert await listener.receives() == (said, ("127.0.0.1", other.port))
    await stage.counted(relayed=40, in_use=2, strangers=0)


async def test_a_burst_goes_through_whole_and_in_order(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(to=a.id)))
    said = [alice.talk(a, bytes([number]) * 1_200) for number in range(50)]
    assert [(await bob.receives())[0] for _ in said] == said


async def test_two_phones_hear_each_other_over_ipv6(nursery: trio.Nursery) -> None:
    stage = Stage(Media(first_port=FIRST, last_port=FIRST + 3), ("::1", "127.0.0.1"))
    nursery.start_soon(stage.media.run)
    await stage.told("media_ready")
    six, four = stage.core.ports[0], stage.core.ports[2]
    alice, bob = stage.phone("::1"), stage.phone()
    stage.say((six, MediaPlan(("0:0:0:0:0:0:0:1", alice.at[1]), None, to=four.id)), (four, bob.plan(to=six.id)))
    said = alice.talk(six)
    assert await bob.receives() == (said, ("127.0.0.1", four.port))
    said = bob.talk(four)
    assert await alice.receives() == (said, ("::1", six.port))
    nursery.cancel_scope.cancel()
    stage.close()


async def test_rtcp_goes_from_the_odd_port_to_the_odd_port(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(to=a.id)))
    report = b"\x80\xc9\x00\x01" + bytes(4)
    alice.control.sendto(report, (a.host, a.port + 1))
    assert await bob.receives(control=True) == (report, ("127.0.0.1", b.port + 1))
    assert bob.silence


async def test_rtcp_on_the_rtp_port_and_dtmf_pass_unread(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, MediaPlan(alice.at, alice.at, to=b.id)), (b, MediaPlan(bob.at, bob.at, to=a.id)))
    for packet in (b"\x81\xc8" + bytes(26), b"\x80\xe5" + bytes(10) + b"\x05\x8a\x03\x20"):
        alice.media.sendto(packet, (a.host, a.port))
        assert (await bob.receives())[0] == packet


async def test_strangers_reach_nobody_and_are_counted(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id, learn="127.0.0.1")), (b, bob.plan(to=a.id)))
    strangers = [stage.phone(host) for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3")]
    # Before the peer was heard: too few from the right address, as many as you like from others, and one repeated.
    for stranger in strangers[1:]:
        for port in (a, b):
            for _ in range(10):
                stranger.talk(port)
    for _ in range(10):
        strangers[0].sequence -= 1
        strangers[0].talk(a)
    await stage.counted(strangers=50)
    said = alice.talk(a)
    # After it: nobody else at all.
    for stranger in strangers:
        for port in (a, b):
            for _ in range(10):
                stranger.talk(port)
    await stage.counted(strangers=110, relayed=1)
    assert (await bob.receives())[0] == said
    assert bob.silence
    assert alice.silence


async def test_a_phone_behind_nat_is_found_after_some_packets_and_answered_there(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, MediaPlan(("127.0.0.1", 9), None, learn="127.0.0.1", to=b.id)), (b, bob.plan(to=a.id)))
    said = [alice.talk(a, bytes([n])) for n in range(6)]
    assert [(await bob.receives())[0] for _ in range(3)] == said[3:]
    answer = bob.talk(b)
    assert (await alice.receives())[0] == answer


async def test_who_is_put_in_anothers_place_is_heard_from_then_on(stage: Stage) -> None:
    alice, bob, carol = (stage.phone() for _ in range(3))
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(to=a.id)))
    said = [alice.talk(a)]
    assert (await bob.receives())[0] == said[0]
    stage.say((a, carol.plan(to=b.id)))
    await stage.settled()
    alice.talk(a)
    said = [carol.talk(a)]
    assert (await bob.receives())[0] == said[0]
    assert bob.silence


async def test_a_port_without_a_plan_forgets_its_peer(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(to=a.id)))
    alice.talk(a)
    await bob.receives()
    stage.say((a, None))
    await stage.settled()
    alice.talk(a)
    await stage.counted(in_use=1, strangers=1)
    assert bob.silence


async def test_an_echo_comes_back_as_a_stream_of_its_own(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(to=a.id)))
    ssrcs = set()
    for number in range(5):
        alice.talk(a, bytes([number]) * 160)
        heard = await alice.hears()
        assert (heard.payload, heard.sequence) == (bytes([number]) * 160, alice.sequence)
        ssrcs.add(heard.ssrc)
    assert len(ssrcs) == 1
    assert alice.ssrc not in ssrcs
    alice.control.sendto(b"\x80\xc9\x00\x01" + bytes(4), (a.host, a.port + 1))
    await stage.counted(unwanted=1)


async def test_music_keeps_its_pace_and_its_order(stage: Stage, record_property: pytest.RecordProperty) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(play=playing(type=0))))
    heard = [await alice.hears() for _ in range(75)]
    assert [place(packet.payload) for packet in heard] == [n % 50 for n in range(75)]
    assert {(packet.ssrc, packet.type, packet.source) for packet in heard} == {
        (heard[0].ssrc, 0, ("127.0.0.1", a.port))
    }
    assert [packet.marker for packet in heard] == [1] + [0] * 74
    for step, one, next in ((1, "sequence", 16), (160, "timestamp", 32)):
        numbers = [getattr(packet, one) for packet in heard]
        assert {(after - before) % 2**next for before, after in pairwise(numbers)} == {step}
    record_property("pace", [after.at - before.at for before, after in pairwise(heard)])
    assert 1.4 < heard[-1].at - heard[0].at < 1.6
    assert statistics.median(
        abs(packet.at - heard[0].at - number * 0.02) for number, packet in enumerate(heard)
    ) < 0.01  # fmt: skip


async def test_after_a_stall_the_music_goes_on_without_a_burst(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(play=playing())))
    before = await alice.hears()
    os.kill(stage.pid, signal.SIGSTOP)
    await trio.sleep(0.2)
    os.kill(stage.pid, signal.SIGCONT)
    heard = [before, *[await alice.hears() for _ in range(10)]]
    stalls = [(after.timestamp - before.timestamp) % 2**32 // 160 - 1 for before, after in pairwise(heard)]
    assert sum(stalls) >= 8
    assert [place(packet.payload) for packet in heard] == list(range(11))
    assert [packet.marker for packet in heard[1:]] == [int(stall > 0) for stall in stalls]
    # Time has passed as the timestamps say, so that nothing came faster than it is to be heard.
    ahead = (heard[-1].timestamp - before.timestamp) % 2**32 / 8000 - (heard[-1].at - before.at)
    assert abs(ahead) < 0.02
    await stage.until(lambda: stage.media.status()["skipped"] == sum(stalls))


async def test_opus_payloads_have_their_own_lengths_and_clock(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(play=playing(codec="opus", type=107))))
    one, two = await alice.hears(), await alice.hears()
    assert (one.payload, two.payload, one.type) == (b"\x00", b"\x01\x01", 107)
    assert (two.timestamp - one.timestamp) % 2**32 == 960


async def test_a_plan_said_twice_changes_nothing(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    plans = ((a, alice.plan(play=playing(7), to=b.id)), (b, bob.plan()))
    stage.say(*plans)
    before = [await alice.hears() for _ in range(5)]
    stage.say(*plans)
    # Another target for what comes from her, and the same playing: the music goes on.
    stage.say((a, alice.plan(play=playing(7))))
    after = [await alice.hears() for _ in range(10)]
    assert [place(packet.payload) for packet in before + after] == list(range(15))
    assert {packet.ssrc for packet in after} == {before[0].ssrc}
    stage.say((a, alice.plan(play=playing(8))))
    while (anew := await alice.hears()).ssrc == before[0].ssrc:
        pass
    assert (place(anew.payload), anew.marker) == (0, 1)


async def test_music_goes_on_in_another_codec(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(play=playing(1))))
    before = [await alice.hears() for _ in range(5)]
    stage.say((a, alice.plan(play=playing(1, codec="opus", type=107))))
    while (after := await alice.hears()).type == 0:
        before.append(after)
    assert after.payload[0] == len(before)
    # Another clock, another stream (RFC 7160).
    assert after.ssrc != before[0].ssrc


async def test_a_listener_hears_music_only_and_then_the_other_again(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(to=a.id)))
    alice.talk(a)
    assert (await bob.hears()).ssrc == alice.ssrc
    stage.say((b, bob.plan(play=playing())))
    music = await bob.hears()
    for _ in range(10):
        alice.talk(a)
    for _ in range(5):
        assert (await bob.hears()).ssrc == music.ssrc
    bob.talk(b)
    await stage.counted(unwanted=11)
    assert alice.silence
    stage.say((b, bob.plan(to=a.id)))
    await stage.settled()
    while not bob.silence:
        await bob.hears()
    alice.talk(a, b"again")
    assert (await bob.hears()).payload == b"again"


async def test_a_sound_that_does_not_loop_ends_once(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.media.learn("short", {"PCMU": music(2, 4)})
    plan = alice.plan(play=playing(3, "short", loop=False))
    stage.say((a, plan))
    assert [place((await alice.hears()).payload) for _ in range(4)] == [0, 1, 2, 3]
    await stage.told("played", a.id, 3)
    stage.say((a, plan))
    await stage.settled()
    assert alice.silence
    assert stage.core.inputs.count(("played", a.id, 3)) == 1


async def test_a_sound_that_is_not_there_raises_an_alarm(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(play=playing(5, "missing"))))
    await stage.told("silent", a.id, 5)
    assert "promised sound not sent" in [entry["event"] for entry in stage.logged.entries]
    # It comes later: better late than never.
    stage.media.learn("missing", {"PCMU": music(9)})
    assert place((await alice.hears()).payload) == 0


async def test_a_forgotten_sound_is_heard_to_its_end_and_not_begun_again(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.media.learn("old", {"PCMU": music(2)})
    stage.say((a, alice.plan(play=playing(1, "old"))))
    await alice.hears()
    stage.media.forget("old")
    assert stage.media.sounds == {TONE}
    stage.say((b, bob.plan(play=playing(2, "old"))))
    await stage.told("silent", b.id, 2)
    assert place((await alice.hears()).payload) == 1
    assert bob.silence


async def test_players_report_what_they_sent(stage: Stage) -> None:
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(play=playing())))
    report, source = await alice.receives(control=True)
    heard = [await alice.hears()]
    assert source == ("127.0.0.1", a.port + 1)
    assert report[:4] == b"\x80\xc8\x00\x06"
    assert report[4:8] == heard[0].ssrc.to_bytes(4, "big")
    assert report[28:30] == b"\x81\xca"


async def test_its_death_is_noticed_and_repaired(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    a, b = stage.core.ports[:2]
    stage.say((a, alice.plan(to=b.id)), (b, bob.plan(play=playing())))
    await bob.hears()
    ports = stage.core.ports
    os.kill(stage.pid, signal.SIGKILL)
    await stage.told("media_lost")
    stage.core.inputs.clear()
    await stage.told("media_ready")
    assert stage.core.ports == ports
    while not bob.silence:
        await bob.hears()
    assert 0 <= place((await bob.hears()).payload) < 50
    stage.say((b, bob.plan(to=a.id)))
    said = alice.talk(a)
    while (await bob.receives())[0] != said:
        pass
    await stage.counted(restarts=1, in_use=2)


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2bua.io.media.child.HEALTH_SECONDS", 0.5)


async def test_one_that_hangs_is_replaced(impatience: None, stage: Stage) -> None:
    os.kill(stage.pid, signal.SIGSTOP)
    await stage.told("media_lost")
    lost = [entry["why"] for entry in stage.logged.entries if entry["event"] == "media process lost"]
    assert lost == ["it says nothing any more"]


async def test_one_that_does_not_listen_is_replaced(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2bua.io.media.child.QUEUE", 10)
    os.kill(stage.pid, signal.SIGSTOP)
    plans = [(port, MediaPlan(("127.0.0.1", 9), None, to=port.id)) for port in stage.core.ports]
    with in_time():
        while ("media_lost",) not in stage.core.inputs:
            for _ in range(100):
                stage.say(*plans)
            await trio.lowlevel.checkpoint()
    lost = [entry["why"] for entry in stage.logged.entries if entry["event"] == "media process lost"]
    assert lost == ["it does not take what it is told"]


async def test_what_cannot_be_started_is_tried_again(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = sys.executable
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    stage = Stage(Media(first_port=FIRST, last_port=FIRST + 1))
    nursery.start_soon(stage.media.run)
    await stage.media.begun.wait()
    assert [entry["event"] for entry in stage.logged.entries] == ["media process not started"]
    assert stage.core.inputs == []
    monkeypatch.setattr(sys, "executable", python)
    await stage.told("media_ready")
    nursery.cancel_scope.cancel()


async def test_one_that_ends_at_once_is_started_again_ever_more_slowly(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    monkeypatch.setattr("b2bua.io.children.FIRST_DELAY_SECONDS", 0.02)
    stage = Stage(Media(first_port=FIRST, last_port=FIRST + 1))
    began = trio.current_time()
    nursery.start_soon(stage.media.run)
    await stage.until(lambda: stage.media.status()["restarts"] == 4)
    assert trio.current_time() - began > 0.02 + 0.04 + 0.08 + 0.16
    assert {entry["event"] for entry in stage.logged.entries} == {"media process lost"}
    assert stage.core.inputs == []
    nursery.cancel_scope.cancel()


async def test_signals_are_the_servers(stage: Stage) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(stage.pid, number)
    alice = stage.phone()
    (a,) = stage.core.ports[:1]
    stage.say((a, alice.plan(to=a.id)))
    alice.talk(a)
    await alice.hears()


async def test_plans_for_ports_that_are_not_there_are_nobodys(stage: Stage) -> None:
    alice = stage.phone()
    stage.say((MediaPort(9_999, "127.0.0.1", 1), alice.plan()))
    await stage.settled()
    await stage.counted(in_use=0)


@pytest.mark.parametrize("remote", [("example.com", 5000), ("224.0.0.1", 5000), ("::1", 5000), ("127.0.0.1", 0)])
async def test_nothing_is_sent_to_what_is_no_address_of_a_peer(stage: Stage, remote: tuple[str, int]) -> None:
    (a,) = stage.core.ports[:1]
    stage.say((a, MediaPlan(remote, remote, play=playing(4))))
    await stage.told("silent", a.id, 4)
    await stage.counted(played=0, lost=0)
