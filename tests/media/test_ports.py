"""Ports are lent, come back, and do what they did when the media process was started anew."""

from __future__ import annotations

import pytest

from b2bua.effects import MediaPlan, MediaPort, SetMedia
from b2bua.media.ports import Ports
from b2bua.settings import Settings
from b2bua.transaction.turn import Turn

HERE, THERE = "192.0.2.1", "198.51.100.1"
BOUND = tuple(MediaPort(number, HERE if number < 4 else THERE, 20_000 + 2 * number) for number in (1, 2, 3, 4))
PLAN = MediaPlan(("192.0.2.9", 4000), None)


class User:
    """Counts how often it was told that the media process is back."""

    def __init__(self) -> None:
        self.told = 0

    def played(self, playing: int) -> None:
        raise AssertionError

    def silent(self, playing: int) -> None:
        raise AssertionError

    def back(self) -> None:
        self.told += 1


@pytest.fixture
def turn() -> Turn:
    return Turn(Settings(listen=()), lambda: "0" * 16, 0.0, 1e9)


@pytest.fixture
def ports(turn: Turn) -> Ports:
    ports = Ports(turn)
    ports.ready(BOUND, ("PCMU",))
    return ports


def said(turn: Turn) -> list[SetMedia]:
    """What was said to the media process since this was asked last."""
    effects, turn.effects[:] = [each for each in turn.effects if isinstance(each, SetMedia)], []
    return effects


def test_nothing_is_lent_before_there_is_a_media_process(turn: Turn) -> None:
    ports = Ports(turn)
    assert ports.take(HERE, User()) is None
    assert (ports.free(HERE), len(ports), ports.codecs) == (0, 0, ())
    assert turn.counters["media_ports_missing"] == 1


def test_ports_are_lent_by_address_until_none_is_left(ports: Ports) -> None:
    user = User()
    taken = [ports.take(HERE, user) for _ in range(4)]
    assert taken == [*BOUND[:3], None]
    assert ports.take(THERE, user) == BOUND[3]
    assert ports.user(4) is user
    assert len(ports) == 4


def test_a_port_that_came_back_is_lent_again_last(ports: Ports, turn: Turn) -> None:
    first = ports.take(HERE, User())
    assert first is not None
    ports.set(first, PLAN)
    ports.give_back(first)
    ports.give_back(first)
    assert said(turn) == [SetMedia(1, PLAN), SetMedia(1, None)]
    assert [ports.take(HERE, User()) for _ in range(4)] == [BOUND[1], BOUND[2], BOUND[0], None]


def test_a_plan_is_said_once_and_all_are_said_to_another_process(ports: Ports, turn: Turn) -> None:
    user = User()
    first, second = ports.take(HERE, user), ports.take(HERE, user)
    assert first is not None and second is not None
    ports.set(first, PLAN)
    ports.set(first, PLAN)
    assert said(turn) == [SetMedia(1, PLAN)]
    ports.lost()
    assert (ports.free(HERE), ports.codecs, len(ports)) == (0, ("PCMU",), 2)
    ports.ready(BOUND, ("PCMU", "PCMA"))
    assert said(turn) == [SetMedia(1, PLAN)]
    assert user.told == 1
    assert [ports.take(HERE, user) for _ in range(2)] == [BOUND[2], None]


def test_a_port_given_back_while_there_is_no_process_is_there_once_in_the_next(ports: Ports, turn: Turn) -> None:
    user = User()
    first = ports.take(HERE, user)
    assert first is not None
    ports.set(first, PLAN)
    ports.lost()
    ports.give_back(first)
    ports.ready(BOUND, ("PCMU",))
    assert user.told == 0
    assert ports.free(HERE) == 3
    assert said(turn) == [SetMedia(1, PLAN), SetMedia(1, None)]


def test_who_waits_for_a_port_hears_once_of_the_next_process_and_who_is_gone_does_not(ports: Ports) -> None:
    waiting, gone = User(), User()
    ports.lost()
    for user in (waiting, gone):
        ports.wait(user)
    ports.forget(gone)
    ports.ready(BOUND, ("PCMU",))
    ports.ready(BOUND, ("PCMU",))
    assert (waiting.told, gone.told) == (1, 0)


def test_a_port_is_on_the_address_that_we_signal_with_where_there_is_one(turn: Turn) -> None:
    ports = Ports(turn)
    ours, other = MediaPort(0, "192.0.2.1", 20000), MediaPort(1, "192.0.2.9", 20000)
    ports.ready((other, ours), ("PCMU",))
    assert ports.take("192.0.2.1", User()) == ours
    assert ports.take("192.0.2.1", User()) is None


def test_ports_on_addresses_of_their_own_are_lent_by_family(turn: Turn) -> None:
    ports = Ports(turn)
    four, six = MediaPort(0, "192.0.2.9", 20000), MediaPort(1, "2001:db8::9", 20000)
    ports.ready((four, six), ("PCMU",))
    assert ports.take("192.0.2.1", User()) == four
    assert ports.take("2001:db8::1", User()) == six
    assert (ports.free("192.0.2.1"), ports.free("2001:db8::1")) == (0, 0)
