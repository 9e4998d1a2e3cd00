"""What a called side's refusal means to the call: the status, the fields and the contacts that cross to the caller.

Owns reading it (RFC 3261 sections 21.3 to 21.6). Leaves to `hunt` what becomes of the dial.
"""

from __future__ import annotations

from b2bua.call.events import Rejected
from b2bua.call.headers import crossing
from b2bua.call.leg import TOO_SMALL
from b2bua.sip.message import Response


def rejection_of(response: Response) -> Rejected:
    """What the call hears of a 3xx to 6xx; the contacts of a 3xx come best first."""
    status, reason = response.status, response.reason
    contacts: tuple[str, ...] = ()
    if 300 <= status < 400 and isinstance(response.contacts, list):
        best_first = sorted(response.contacts, key=lambda c: -float(c.param("q") or 1))
        contacts = tuple(str(contact.uri) for contact in best_first)
    headers = crossing(response, "3xx-6xx")
    if status == TOO_SMALL:
        # What was too small is between that side and us.
        status, reason = 500, ""
    return Rejected(status, reason, headers, contacts)
