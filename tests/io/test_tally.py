"""What becomes of calls, counted; and how late the loop is."""

from __future__ import annotations

import pytest
import trio

from b2bua.io.histogram import Histogram
from b2bua.io.pulse import Pulse
from b2bua.io.tally import Tally, outcome
from tests.operator.measured import record


@pytest.mark.parametrize(
    ("cause", "name"),
    [(486, "busy"), (600, "busy"), (480, "unanswered"), (408, "unanswered"), (487, "cancelled"), (403, "refused"),
     (404, "refused"), (603, "refused"), (500, "failed"), (503, "failed")],
)  # fmt: skip
def test_a_final_status_is_an_outcome(cause: int, name: str) -> None:
    assert outcome(cause) == name


def test_a_call_counts_once_by_its_calling_leg() -> None:
    tally = Tally()
    for one in (record(answer=2.0, end=12.0), record(answer=2.0, end=12.0, leg=1), record(503, leg=2)):
        tally.take(one)
    counted = tally.counted()
    assert {name: count for name, count in counted.outcomes.items() if count} == {"answered": 1}
    assert counted.setup.total == 2.0
    assert counted.duration.total == 10.0


def test_what_equals_a_bound_lies_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for seconds in (1.0, 1.5, 2.5):
        histogram.add(seconds)
    assert histogram.shown().counts == (1, 1, 1)


async def test_the_pulse_tells_how_late_it_is(autojump_clock: trio.testing.MockClock) -> None:
    beats = []
    pulse = Pulse(lambda: beats.append(trio.current_time()), 0.5)
    with trio.move_on_after(1.75):
        await pulse.run()
    assert beats == [0.5, 1.0, 1.5]
    assert sum(pulse.lag().counts) == 3
    assert pulse.lag().total == 0.0
