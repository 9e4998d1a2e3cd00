"""Reliable provisional responses by the clock (RFC 3262 sections 3 and 4)."""

from __future__ import annotations

from b2bua.dialog.reliability import Receiver, Sender, SendingEvent, SendingState
from b2bua.effects import Flow, Send
from b2bua.settings import Settings
from b2bua.transaction.turn import Turn

RESPONSE = Send(b"183", Flow("UDP", "192.0.2.1", 5060, "192.0.2.2", 5060))


class Given:
    """Whose responses they are: whether it was given up."""

    def __init__(self) -> None:
        self.up = False

    def unacknowledged(self) -> None:
        self.up = True


def sending() -> tuple[Turn, Given, Sender]:
    turn, given = Turn(Settings(listen=()), lambda: "fedcba9876543210", 0.0, 0.0), Given()
    return turn, given, Sender(turn, given)


def test_it_is_repeated_at_intervals_that_double_without_bound_and_given_up_after_64_t1() -> None:
    turn, given, sender = sending()
    sender.send(RESPONSE)
    times = []
    while not given.up:
        now = turn.timers.wake_at
        assert now is not None
        turn.begin(now, 0.0)
        turn.timers.fire(now, 10)
        times += [now] if turn.effects else []
    assert times == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert turn.now == 32.0
    assert sender.state is SendingState.OVER


def test_the_numbers_begin_below_2_to_the_31_and_rise_by_one() -> None:
    _, _, sender = sending()
    first = sender.next_rseq()
    assert 1 <= first < 1 << 31
    assert sender.next_rseq() == first + 1


def test_an_acknowledged_one_makes_room_for_the_next() -> None:
    turn, _, sender = sending()
    sender.send(RESPONSE)
    assert sender.waiting
    assert not sender.idle
    sender.step(SendingEvent.PRACK)
    assert sender.idle
    assert turn.timers.live == 0


def test_after_a_final_response_one_prack_still_counts() -> None:
    turn, _, sender = sending()
    sender.send(RESPONSE)
    sender.step(SendingEvent.FINAL)
    assert sender.waiting
    assert turn.timers.live == 0
    sender.step(SendingEvent.PRACK)
    assert not sender.waiting


def test_only_the_next_one_counts_and_only_once_the_one_before_is_acknowledged() -> None:
    receiver = Receiver()
    assert receiver.accepts(7)
    assert not receiver.accepts(7)
    assert not receiver.accepts(8)
    receiver.owing = False
    assert not receiver.accepts(7)
    assert not receiver.accepts(9)
    assert receiver.accepts(8)
