"""The timers of a core: order, cancelling, the cap on a turn, and that the dead do not pile up."""

from __future__ import annotations

from b2bua.transaction.timers import Timer, Timers


class Owner:
    """Notes what fires; `then` may do more."""

    def __init__(self) -> None:
        self.fired: list[str] = []
        self.cancels: tuple[Timers, Timer] | None = None

    def timer_fired(self, name: str) -> None:
        self.fired.append(name)
        if self.cancels is not None:
            timers, timer = self.cancels
            timers.cancel(timer)


def test_timers_fire_in_the_order_of_their_times_whatever_their_durations() -> None:
    timers, owner = Timers(0.0), Owner()
    timers.set(3.0, owner, "third")
    timers.set(1.0, owner, "first")
    timers.now = 1.0
    timers.set(1.0, owner, "second")
    assert timers.wake_at == 1.0
    timers.fire(5.0, 100)
    assert owner.fired == ["first", "second", "third"]
    assert timers.live == 0
    assert timers.wake_at is None


def test_nothing_fires_before_its_time() -> None:
    timers, owner = Timers(10.0), Owner()
    timers.set(0.5, owner, "later")
    timers.fire(10.4, 100)
    assert owner.fired == []
    timers.fire(10.5, 100)
    assert owner.fired == ["later"]


def test_a_cancelled_timer_does_not_fire_and_cancelling_twice_is_fine() -> None:
    timers, owner = Timers(0.0), Owner()
    timer = timers.set(1.0, owner, "never")
    timers.cancel(timer)
    timers.cancel(timer)
    timers.cancel(None)
    timers.fire(2.0, 100)
    assert owner.fired == []
    assert timers.live == 0


def test_a_timer_can_cancel_one_that_is_due_in_the_same_turn() -> None:
    timers, owner = Timers(0.0), Owner()
    timers.set(1.0, owner, "first")
    owner.cancels = (timers, timers.set(2.0, owner, "second"))
    timers.fire(5.0, 100)
    assert owner.fired == ["first"]
    assert timers.live == 0


def test_no_more_fire_in_a_turn_than_is_asked_for_and_the_rest_stays_due() -> None:
    timers, owner = Timers(0.0), Owner()
    for number in range(5):
        timers.set(1.0, owner, str(number))
    timers.fire(1.0, 3)
    assert owner.fired == ["0", "1", "2"]
    assert timers.wake_at == 1.0
    timers.fire(1.0, 3)
    assert owner.fired == ["0", "1", "2", "3", "4"]


def test_a_long_timer_of_each_of_many_short_calls_leaves_nothing_behind() -> None:
    timers, owner = Timers(0.0), Owner()
    kept = timers.set(86_400.0, owner, "kept")
    for _ in range(10_000):
        timers.cancel(timers.set(86_400.0, owner, "cancelled"))
    assert sum(len(queue.timers) for queue in timers._queues.values()) < 2_000
    assert timers.live == 1
    timers.cancel(kept)
    assert timers.live == 0


def test_many_durations_that_are_used_once_leave_nothing_behind() -> None:
    timers, owner = Timers(0.0), Owner()
    for number in range(1_000):
        timers.set(1.0 + number / 1_000, owner, str(number))
    kept = timers.set(60.0, owner, "kept")
    timers.fire(10.0, 10_000)
    assert len(owner.fired) == 1_000
    assert len(timers._queues) == 1
    timers.cancel(kept)
    timers.set(60.0, owner, "again")
    timers.fire(70.0, 10)
    assert owner.fired[-1] == "again"


def test_a_wake_for_a_timer_that_was_cancelled_is_the_last_one() -> None:
    timers, owner = Timers(0.0), Owner()
    timers.cancel(timers.set(1.0, owner, "cancelled"))
    timers.fire(1.0, 100)
    assert owner.fired == []
    assert timers.wake_at is None
