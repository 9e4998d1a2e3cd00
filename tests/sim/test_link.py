"""The network does what it was told to do, and the same again for the same seed."""

from __future__ import annotations

from random import Random

from b2bua.effects import Flow

from .clock import Clock
from .link import Faults, Link, Place

ALICE = Place("UDP", "192.0.2.10", 5060)
BOB = Place("UDP", "192.0.2.11", 5060)
TO_BOB = Flow("UDP", ALICE.host, ALICE.port, BOB.host, BOB.port)


class Listener:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.heard: list[bytes] = []
        self.times: list[float] = []
        self.flows: list[Flow] = []
        self.failures: list[Flow] = []

    def received(self, data: bytes, flow: Flow) -> None:
        self.heard.append(data)
        self.times.append(self.clock.now)
        self.flows.append(flow)

    def broken(self, flow: Flow) -> None:
        self.failures.append(flow)


def network(faults: Faults, seed: int = 1) -> tuple[Clock, Link, Listener, Listener]:
    clock = Clock()
    link = Link(clock, Random(seed), faults)
    alice, bob = Listener(clock), Listener(clock)
    link.attach(ALICE, alice)
    link.attach(BOB, bob)
    return clock, link, alice, bob


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def test_a_good_link_delivers_each_datagram_once_and_in_order() -> None:
    clock, link, _alice, bob = network(Faults(delay=(0.02, 0.02)))
    for data in numbered(50):
        link.send(data, TO_BOB)
    clock.run(1.0)
    assert bob.heard == numbered(50)
    assert set(bob.times) == {0.02}
    assert bob.flows[0] == Flow("UDP", BOB.host, BOB.port, ALICE.host, ALICE.port)


def test_a_lossy_link_loses_about_as_many_as_it_was_told() -> None:
    clock, link, _alice, bob = network(Faults(loss=0.2))
    for data in numbered(2_000):
        link.send(data, TO_BOB)
    clock.run(1.0)
    assert 1_500 < len(bob.heard) < 1_700


def test_the_same_message_is_lost_only_so_often() -> None:
    clock, link, _alice, bob = network(Faults(loss=1.0, patience=3))
    for _ in range(4):
        link.send(b"INVITE", TO_BOB)
    clock.run(1.0)
    assert bob.heard == [b"INVITE"]


def test_a_doubling_link_delivers_some_twice() -> None:
    clock, link, _alice, bob = network(Faults(twice=0.5))
    for data in numbered(200):
        link.send(data, TO_BOB)
    clock.run(1.0)
    assert 270 < len(bob.heard) < 330
    assert set(bob.heard) == set(numbered(200))


def test_late_datagrams_are_overtaken() -> None:
    clock, link, _alice, bob = network(Faults(late=0.3, lateness=1.0))
    for data in numbered(50):
        link.send(data, TO_BOB)
    clock.run(5.0)
    assert bob.heard != numbered(50)
    assert sorted(bob.heard) == sorted(numbered(50))


def test_where_nobody_listens_the_sender_hears_of_it() -> None:
    clock, link, alice, _bob = network(Faults())
    link.detach(BOB.host)
    link.send(b"INVITE", TO_BOB)
    clock.run(1.0)
    assert alice.failures == [TO_BOB]
    assert link.passages[0].fate == "nobody there"


def test_a_stream_keeps_order_and_loses_nothing_on_a_bad_link() -> None:
    clock, link, alice, bob = network(Faults(loss=0.5, twice=0.5, delay=(0.0, 0.5)))
    link.attach(Place("TCP", BOB.host, 5060), bob)
    flow = link.connect(Place("TCP", ALICE.host, 40_000), Place("TCP", BOB.host, 5060))
    for data in numbered(50):
        link.send(data, flow)
    clock.run(60.0)
    assert bob.heard == numbered(50)
    link.send(b"back", bob.flows[0])
    clock.run(61.0)
    assert alice.heard == [b"back"]


def test_a_stream_without_a_number_is_the_open_one_to_that_address() -> None:
    clock, link, alice, bob = network(Faults())
    link.attach(Place("TCP", BOB.host, 5060), bob)
    first = link.connect(Place("TCP", ALICE.host, 40_000), Place("TCP", BOB.host, 5060))
    link.send(b"one", first)
    link.send(b"two", Flow("TCP", BOB.host, 5060, ALICE.host, 40_000))
    clock.run(1.0)
    assert alice.heard == [b"two"]
    assert alice.flows[0].connection == first.connection


def test_a_closed_stream_is_heard_at_both_ends() -> None:
    clock, link, alice, bob = network(Faults())
    link.attach(Place("TCP", BOB.host, 5060), bob)
    flow = link.connect(Place("TCP", ALICE.host, 40_000), Place("TCP", BOB.host, 5060))
    link.close(flow.connection)
    clock.run(1.0)
    assert [failure.connection for failure in (*alice.failures, *bob.failures)] == [1, 1]


def test_a_refused_connection_is_heard_by_the_one_who_opened_it() -> None:
    clock, link, alice, _bob = network(Faults())
    link.send(b"INVITE", Flow("TCP", ALICE.host, 5060, BOB.host, 5070))
    clock.run(1.0)
    assert [failure.remote_port for failure in alice.failures] == [5070]


def test_the_same_seed_has_the_same_fate() -> None:
    fates = []
    for _ in range(2):
        clock, link, _alice, bob = network(Faults(loss=0.3, twice=0.2, delay=(0.0, 0.1), late=0.2, lateness=1.0), 7)
        for data in numbered(100):
            link.send(data, TO_BOB)
        clock.run(5.0)
        fates.append((bob.heard, bob.times))
    assert fates[0] == fates[1]
