"""How many REGISTERs a second are looked at: from one address, and from all where nobody is known together.

Owns the count, within a bound of memory whatever addresses are forged. Pure: `now` (monotonic seconds) is an argument.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

BURST_SECONDS: Final = 4.0
"""As many REGISTERs as so many seconds allow may come at once: an office whose power is back."""

_CAPACITY: Final = 10_000


class Pace:
    """`each` REGISTERs a second from one address, `strangers` from all together where nobody is known; 0: without end.

    An address is charged only for what is let in, and strangers are counted together first: they get no more than that
    many entries in the table a second, so that nobody who is over the rate is forgotten before he would be within it.
    """

    def __init__(self, each: int, strangers: int, capacity: int = _CAPACITY) -> None:
        self._each = 1.0 / each if each else 0.0
        self._all = 1.0 / strangers if strangers else 0.0
        self._capacity = capacity
        self._due: OrderedDict[str, float] = OrderedDict()
        self._strangers = float("-inf")

    def takes(self, address: str, stranger: bool, now: float) -> bool:
        """Whether one more from there is looked at; it is counted then."""
        strangers = max(self._strangers, now) + self._all
        if stranger and strangers - now > BURST_SECONDS:
            return False
        due = max(self._due.get(address, now), now) + self._each
        if due - now > BURST_SECONDS:
            return False
        if stranger:
            self._strangers = strangers
        if self._each:
            self._due[address] = due
            self._due.move_to_end(address)
            if len(self._due) > self._capacity:
                self._due.popitem(last=False)
        return True
