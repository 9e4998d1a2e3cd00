"""What a called side's refusal means to the call: the status, the fields and the contacts that cross to the caller.

Owns reading it (RFC 3261 sections 21.3 to 21.6). Leaves to `hunt` what becomes of the dial.
"""

from __future__ import annotations

import re
from typing import Final

from b2bua.call.events import Rejected
from b2bua.call.headers import crossing
from b2bua.call.leg import TOO_SMALL
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Response


def rejection_of(response: Response) -> Rejected:
    """What the call hears of a 3xx to 6xx; the contacts of a 3xx come best first."""
    status, reason = response.status, response.reason
    contacts: tuple[str, ...] = ()
    if 300 <= status < 400 and isinstance(response.contacts, list):
        best_first = sorted(response.contacts, key=_lateness)
        contacts = tuple(str(contact.uri) for contact in best_first)
    headers = crossing(response, "3xx-6xx")
    if status == TOO_SMALL:
        # What was too small is between that side and us.
        status, reason = 500, ""
    return Rejected(status, reason, headers, contacts)


def _lateness(contact: NameAddr) -> float:
    """Where a redirection's target stands among the others: by its q, where that is one (RFC 3261 20.10)."""
    q = contact.param("q") or "1"
    return -float(q) if _Q(q) else 0.0


_Q: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?").fullmatch
