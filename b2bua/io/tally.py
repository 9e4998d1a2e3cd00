"""What became of calls, counted as their records go by.

Owns the outcomes' names, which dashboards and alarms go by. One record counts for a call: its calling leg's.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from b2bua.effects import Record
from b2bua.io.histogram import Histogram, Shown

OUTCOMES: Final = ("answered", "busy", "unanswered", "cancelled", "refused", "failed")
"""What may become of a call. Refused are those that a rule, a phone or a trunk wanted nothing of; failed those that
somebody could not serve (5xx).
"""

_BY_CAUSE: Final = {486: "busy", 600: "busy", 408: "unanswered", 480: "unanswered", 487: "cancelled"}
_SETUP_BOUNDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0)
_DURATION_BOUNDS: Final = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)


class Counted(msgspec.Struct, frozen=True):
    """The calls that are over, since the start of the server; times in seconds."""

    outcomes: dict[str, int]
    setup: Shown
    duration: Shown


class Tally:
    """Counts calls."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._setup = Histogram(_SETUP_BOUNDS)
        self._duration = Histogram(_DURATION_BOUNDS)

    def take(self, record: Record) -> None:
        """Count the call whose calling leg is over; of other legs, nothing."""
        if record.leg:
            return
        if record.answer is None:
            self._outcomes[outcome(record.cause)] += 1
        else:
            self._outcomes["answered"] += 1
            self._setup.add(max(0.0, record.answer - record.start))
            self._duration.add(max(0.0, record.end - record.answer))

    def counted(self) -> Counted:
        """What there is now: each outcome stands in it."""
        return Counted({name: self._outcomes[name] for name in OUTCOMES}, self._setup.shown(), self._duration.shown())


def outcome(cause: int) -> str:
    """What a final status makes of a call that nobody answered."""
    found = _BY_CAUSE.get(cause)
    if found is None:
        found = "failed" if 500 <= cause < 600 else "refused"
    return found
