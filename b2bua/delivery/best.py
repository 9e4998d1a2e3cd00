"""Which of several answers to a message its sender is given (RFC 3261 16.7, items 6 and 7).

Owns the choice, and which header fields cross with it. What the sender may be told at all is routing's to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from b2bua.call.headers import crossing
from b2bua.delivery.copy import Copy
from b2bua.routing.verdicts import told_of_message
from b2bua.sip.message import Response
from b2bua.values import Frozen

# What can be mended by sending it otherwise is told before what cannot.
_TELLING: Final = (415, 420, 484)


class Told(Frozen):
    """What the sender hears; an empty `reason` is the status's own."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


NOBODY: Final = Told(480, "")
TOO_LARGE: Final = Told(413, "")


def told_of(response: Response) -> Told:
    """What the sender hears of a phone's final answer."""
    status = told_of_message(response.status)
    if status != response.status:
        return NOBODY
    row = "2xx" if status < 300 else "3xx-6xx outside"
    return Told(status, response.reason, crossing(response, row))


def best_of(copies: Iterable[Copy], nobody: Told) -> Told:
    """What the sender hears where no phone took it: of those that answered the best, else why `nobody` was reached."""
    found: Response | None = None
    too_large = False
    for copy in copies:
        response = copy.response
        too_large = too_large or (response is None and copy.too_large)
        if response is not None and (found is None or _order(response.status) < _order(found.status)):
            found = response
    if found is None:
        return TOO_LARGE if too_large else nobody
    return told_of(found)


def _order(status: int) -> tuple[bool, int, bool]:
    """A 6xx speaks for the user; else the lowest class counts, and in it the first that came."""
    return status < 600, status // 100, status not in _TELLING
