"""How many branches a call may be on at once, here and behind us: Max-Breadth (RFC 5393 section 5.3).

Owns reading the field and sharing it out among the legs of a step. A request without it counts as having the default,
which goes into what we send only where several legs share it: one leg alone costs nothing.
"""

from __future__ import annotations

from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import is_number
from b2bua.sip.message import Request

# RFC 5393 section 5.3.3.
_DEFAULT: Final = 60


def breadth_of(request: Request) -> int | None:
    """What Max-Breadth leaves this request, None without one. PeerError 440 when nothing is left, 400 for no number."""
    text = request.get("Max-Breadth")
    if text is None:
        return None
    if not is_number(text) or len(text) > 9:
        raise PeerError(400, "Bad Max-Breadth")
    if int(text) == 0:
        raise PeerError(440, "Max-Breadth Exceeded")
    return int(text)


def shares(breadth: int | None, legs: int) -> list[int]:
    """What each of so many legs gets, in their order; 0 for those that are too many."""
    whole = min(_DEFAULT if breadth is None else breadth, _DEFAULT)
    each, more = divmod(whole, legs)
    return [each + 1 if number < more else each for number in range(legs)]
