"""What becomes of a REGISTER that a policy accepts, in a test: for how long it is good, or why it is refused.

Owns what holds where the policy sets no bounds: the server's own, as they are unless its settings say otherwise.
"""

from __future__ import annotations

import msgspec

from dsl.decision import Accept, Facts

_LEAST_SECONDS = 60
_MOST_SECONDS = 3600
_MOST_CONTACTS = 10
_NEVER_TOO_BRIEF = 3600
"""An interval that no registrar may refuse as too brief (RFC 3261 10.2.8)."""


class Registered(msgspec.Struct, frozen=True):
    """The status that the phone is sent, and for how many seconds it is registered; 0 if it is not, or no more."""

    status: int
    seconds: int


def registered(accept: Accept, facts: Facts) -> Registered:
    """What an accepted REGISTER comes to."""
    asked, contacts = facts.expires or 0, facts.contacts or 0
    least = _LEAST_SECONDS if accept.min_expires is None else accept.min_expires
    most = _MOST_SECONDS if accept.max_expires is None else accept.max_expires
    room = _MOST_CONTACTS if accept.max_contacts is None else accept.max_contacts
    if asked == 0:
        return Registered(200, 0)
    if asked < least and asked < _NEVER_TOO_BRIEF:
        return Registered(423, 0)
    return Registered(403, 0) if contacts > room else Registered(200, min(asked, most))
