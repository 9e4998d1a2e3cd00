"""The alarm rings when the core wants it, and not in between."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from b2bua.io.clock import TICK_SECONDS, Clock


class Rung:
    """A due time that the test sets, and the moments at which the alarm rang."""

    def __init__(self) -> None:
        self.due: float | None = None
        self.at: list[float] = []
        self.clock = Clock(lambda: self.due, self.alarm)

    def alarm(self) -> None:
        self.at.append(trio.current_time())
        self.due = None


async def test_the_alarm_rings_at_its_time(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    rung, now = Rung(), trio.current_time()
    rung.due = now + 5
    nursery.start_soon(rung.clock.run)
    await trio.sleep(100)
    assert rung.at == [now + 5]


async def test_an_input_can_make_it_earlier(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    rung, now = Rung(), trio.current_time()
    rung.due = now + 50
    nursery.start_soon(rung.clock.run)
    await wait_all_tasks_blocked()
    rung.due = now + 2
    rung.clock.look()
    await trio.sleep(10)
    assert rung.at == [now + 2]


async def test_an_alarm_that_is_overdue_again_at_once_keeps_a_distance(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    rung, now = Rung(), trio.current_time()

    def again() -> None:
        rung.at.append(trio.current_time())
        rung.due = now if len(rung.at) < 3 else None

    rung.clock = Clock(lambda: rung.due, again)
    rung.due = now
    nursery.start_soon(rung.clock.run)
    await trio.sleep(1)
    assert [round(at - now, 3) for at in rung.at] == [0, TICK_SECONDS, 2 * TICK_SECONDS]


async def test_hurry_is_not_lost_while_the_alarm_is_ringing(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    rung, now = Rung(), trio.current_time()

    def once_more() -> None:
        rung.at.append(trio.current_time())
        if len(rung.at) == 1:
            rung.clock.hurry()

    rung.clock = Clock(lambda: None, once_more)
    nursery.start_soon(rung.clock.run)
    await wait_all_tasks_blocked()
    rung.clock.hurry()
    await wait_all_tasks_blocked()
    assert rung.at == [now, now]
