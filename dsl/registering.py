"""What becomes of a REGISTER that a policy accepts, in a test: for how long it is good, or why it is refused.

Owns what holds where the policy sets no bounds: the server's own, as they are unless its settings say otherwise.
"""

from __future__ import annotations

from dsl.decision import Accept, Facts, Reject

_LEAST_SECONDS = 60
_MOST_SECONDS = 3600
_MOST_CONTACTS = 10
_NEVER_TOO_BRIEF = 3600
"""An interval that no registrar may refuse as too brief (RFC 3261 10.2.8)."""

_TOO_BRIEF = Reject(423, "Interval Too Brief")
_TOO_MANY = Reject(403, "Too Many Contacts")


def registered(accept: Accept, facts: Facts) -> int | Reject:
    """For how many seconds an accepted REGISTER is good, 0 if the phone is registered no more; or how it is refused."""
    asked, contacts = facts.expires or 0, facts.contacts or 0
    least = _LEAST_SECONDS if accept.min_expires is None else accept.min_expires
    most = _MOST_SECONDS if accept.max_expires is None else accept.max_expires
    room = _MOST_CONTACTS if accept.max_contacts is None else accept.max_contacts
    if asked == 0:
        return 0
    if asked < least and asked < _NEVER_TOO_BRIEF:
        return _TOO_BRIEF
    return _TOO_MANY if contacts > room else min(asked, most)
