"""Phone to phone, without a core between them: the simulator's user agents are right before they judge anything."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from b2bua.effects import Transport

from .agent import Agent
from .behaviour import called_plan, caller_plan
from .call import Call
from .clock import Clock
from .ladder import draw_ladder
from .link import Faults, Link, Place
from .phone import Phone
from .plan import Plan, Provisional
from .wire import split_origin

ALICE = Place("UDP", "192.0.2.10", 5060)
BOB = Place("UDP", "192.0.2.11", 5060)
RINGS = (Provisional(0.1, 180),)
LOSSY = Faults(loss=0.2, twice=0.1, delay=(0.001, 0.08), late=0.1, lateness=0.6)


class Pair:
    """Two phones that know each other's address."""

    def __init__(self, faults: Faults | None = None, seed: int = 1, transport: Transport = "UDP") -> None:
        self.clock = Clock()
        self.wrong: list[str] = []
        draw = Random(seed)
        self.link = Link(self.clock, Random(draw.random()), faults or Faults())
        places = [place._replace(transport=transport) for place in (ALICE, BOB)]
        self.alice = self._phone("alice", places[0], places[1], draw)
        self.bob = self._phone("bob", places[1], places[0], draw)

    def _phone(self, name: str, place: Place, peer: Place, draw: Random) -> Phone:
        self.link.names[place.host] = name
        return Phone(name, name, "x", "", place, peer, self.clock, self.link, Random(draw.random()), self._report)

    def _report(self, rule: str, text: str, call_id: str) -> None:
        self.wrong.append(f"{self.clock.now:.3f} {rule}: {text}")

    def call(self, caller: Plan, called: Plan, until: float = 300.0) -> tuple[Call, Call]:
        self.bob.plans = lambda request: called
        self.alice.dial(f"sip:bob@{BOB.host}", caller)
        self.clock.run(until)
        (outgoing,) = self.alice.calls.values()
        (incoming,) = self.bob.calls.values()
        return outgoing, incoming

    def kinds(self, agent: Agent) -> list[str]:
        """The start lines, shortened, that this agent sent."""
        starts = [p.data.split(b"\r\n", 1)[0].decode() for p in self.link.passages if p.source == agent.name]
        return [start.split(" ")[1] if start.startswith("SIP/2.0") else start.split(" ")[0] for start in starts]


def test_a_basic_call_has_the_messages_of_rfc_3665() -> None:
    pair = Pair()
    outgoing, incoming = pair.call(Plan(hang_up_after=5.0), Plan(provisionals=RINGS, final_after=2.0))
    assert pair.kinds(pair.alice) == ["INVITE", "ACK", "BYE"]
    assert pair.kinds(pair.bob) == ["100", "180", "200", "200"]
    assert (outgoing.final, incoming.final) == (200, 200)
    assert (outgoing.ended_by, incoming.ended_by) == ("us", "them")
    assert outgoing.heard_first == incoming.said_first
    assert not pair.wrong


def test_the_called_party_hangs_up_only_after_the_ack() -> None:
    pair = Pair()
    outgoing, _incoming = pair.call(Plan(ack_after=3.0), Plan(final_after=1.0, hang_up_after=0.0))
    times = {p.data[:3]: p.time for p in pair.link.passages}
    assert times[b"BYE"] > times[b"ACK"]
    assert outgoing.ended_by == "them"
    assert not pair.wrong


def test_an_answer_is_repeated_until_its_ack() -> None:
    pair = Pair()
    pair.call(Plan(ack_after=3.0, hang_up_after=1.0), Plan(final_after=1.0))
    answers = [p.time for p in pair.link.passages if b"200 OK" in p.data[:20] and b"INVITE" in p.data]
    assert answers == pytest.approx([1.001, 1.501, 2.501])


def test_an_answer_without_ack_ends_after_64_t1() -> None:
    pair = Pair()
    _outgoing, incoming = pair.call(Plan(ack_after=1_000.0), Plan(final_after=1.0))
    assert incoming.state == "over"
    assert incoming.gave_up
    assert [text.split(" ")[0] for text in pair.wrong] == ["33.001"]


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_caller_who_leaves_gets_487(transport: Transport) -> None:
    pair = Pair(transport=transport)
    outgoing, incoming = pair.call(Plan(leave_after=1.0), Plan(provisionals=RINGS))
    assert pair.kinds(pair.alice) == ["INVITE", "CANCEL", "ACK"]
    assert pair.kinds(pair.bob) == ["100", "180", "200", "487"]
    assert (outgoing.final, incoming.final) == (487, 487)
    assert not pair.wrong


def test_cancel_waits_for_the_first_provisional() -> None:
    pair = Pair()
    pair.call(Plan(leave_after=0.2), Plan(trying=False, provisionals=(Provisional(2.0, 180),)))
    cancel = next(p for p in pair.link.passages if p.data.startswith(b"CANCEL"))
    assert cancel.time == pytest.approx(2.002)
    assert not pair.wrong


def test_cancel_that_crosses_the_answer_leads_to_bye() -> None:
    pair = Pair()
    outgoing, incoming = pair.call(Plan(leave_after=1.0005), Plan(provisionals=RINGS, final_after=0.9995))
    assert pair.kinds(pair.alice) == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert (outgoing.state, incoming.state) == ("over", "over")
    assert not pair.wrong


@pytest.mark.parametrize("status", [302, 404, 486, 500, 603])
def test_a_refusal_is_acknowledged(status: int) -> None:
    pair = Pair()
    outgoing, incoming = pair.call(Plan(), Plan(final=status, final_after=0.5, contact="<sip:carol@192.0.2.12>"))
    assert (outgoing.final, incoming.final) == (status, status)
    assert pair.kinds(pair.alice) == ["INVITE", "ACK"]
    assert pair.kinds(pair.bob) == ["100", str(status)]


def test_silence_ends_with_timer_b() -> None:
    pair = Pair()
    outgoing, _incoming = pair.call(Plan(), Plan(trying=False))
    assert pair.kinds(pair.alice) == ["INVITE"] * 7
    assert outgoing.gave_up
    assert outgoing.over_at == pytest.approx(32.0)


def test_an_offer_in_the_answer_is_answered_in_the_ack() -> None:
    pair = Pair()
    _outgoing, incoming = pair.call(Plan(offer=False, hang_up_after=1.0), Plan(final_after=0.5))
    ack = next(p.data for p in pair.link.passages if p.data.startswith(b"ACK"))
    assert incoming.heard_first == ack.partition(b"\r\n\r\n")[2]
    assert not pair.wrong


def test_reinvites_that_meet_end_with_491_and_are_tried_again() -> None:
    pair = Pair()
    outgoing, incoming = pair.call(
        Plan(acts=((1.0, "move"),), hang_up_after=20.0), Plan(final_after=0.5, acts=((0.9995, "move"),))
    )
    assert pair.kinds(pair.alice).count("491") == 1
    assert pair.kinds(pair.bob).count("491") == 1
    assert pair.kinds(pair.alice).count("INVITE") == 3
    assert (outgoing.ended_by, incoming.ended_by) == ("us", "them")
    assert not pair.wrong


def test_a_bye_during_a_reinvite_ends_both() -> None:
    pair = Pair()
    outgoing, incoming = pair.call(
        Plan(acts=((1.0, "move"),), hang_up_after=2.0), Plan(final_after=0.5, reply_after=5.0)
    )
    assert "487" in pair.kinds(pair.bob)
    assert (outgoing.state, incoming.state) == ("over", "over")
    assert not pair.wrong


def test_a_body_that_says_the_same_keeps_its_version() -> None:
    pair = Pair()
    pair.call(Plan(acts=((1.0, "refresh"), (2.0, "move"), (3.0, "hold")), hang_up_after=9.0), Plan(final_after=0.5))
    bodies = [p.data.partition(b"\r\n\r\n")[2] for p in pair.link.passages if p.data.startswith(b"INVITE")]
    versions = [int(split_origin(body)[0][2]) for body in bodies]
    assert [version - versions[0] for version in versions] == [0, 0, 1, 2]


def test_a_phone_that_falls_silent_leaves_the_other_to_its_timers() -> None:
    pair = Pair()
    pair.clock.at(3.0, pair.bob.fall_silent)
    outgoing, _incoming = pair.call(Plan(hang_up_after=10.0), Plan(final_after=1.0))
    assert outgoing.state == "over"
    assert outgoing.gave_up


@pytest.mark.parametrize("seed", range(60))
def test_on_a_bad_network_both_sides_come_to_the_same_end(seed: int) -> None:
    pair = Pair(LOSSY, seed)
    draw = Random(seed)
    caller = msgspec.structs.replace(caller_plan(draw), follows=False, timing=None)
    called = msgspec.structs.replace(called_plan(draw, "<sip:carol@192.0.2.12>"), timing=None)
    outgoing, incoming = pair.call(caller, called, 600.0)
    ladder = draw_ladder(pair.link.passages, [outgoing.id])
    assert not pair.wrong, ladder
    assert outgoing.state == "over", ladder
    heard_of = incoming.plan.trying or incoming.provisionals or incoming.final
    assert incoming.state == "over" or not heard_of, ladder
    if 200 <= outgoing.final < 300:
        assert outgoing.heard_first == incoming.said_first, ladder
        if outgoing.settled and incoming.settled:
            assert (outgoing.heard, outgoing.said) == (incoming.said, incoming.heard), ladder
