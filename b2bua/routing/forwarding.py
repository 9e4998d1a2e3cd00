"""Who forwarded a call: Diversion (RFC 5806) and History-Info (RFC 7044), read and written.

Owns the two headers and the rule against going round. Leaves to the policy whether to forward at all.
"""

from __future__ import annotations

from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request
from b2bua.values import Frozen

# The most forwardings that one call may have been through, ours included.
MOST = 5

_REASONS = {
    "call": ("unconditional", 302),
    "busy": ("user-busy", 486),
    "no-answer": ("no-answer", 408),
    "unreachable": ("unavailable", 503),
    "failure": ("unknown", 404),
    "redirect": ("deflection", 302),
}


class History(Frozen):
    """What came with the caller's INVITE: Diversion values, newest first, and History-Info values, oldest first."""

    diversions: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()

    def users(self) -> set[str]:
        """The user parts of all that forwarded, or were called before, as these headers say."""
        found = set()
        for value in (*self.diversions, *self.entries):
            try:
                found.add(NameAddr.parse(value).uri.username or "")
            except PeerError:
                continue
        return found


def history_of(request: Request) -> History:
    """What an INVITE says of earlier forwarding."""
    if "Diversion" not in request.headers and "History-Info" not in request.headers:
        return NO_HISTORY
    diversions = request.values("Diversion")
    entries = request.values("History-Info")
    return History(tuple(diversions), tuple(entries))


NO_HISTORY = History()


def forwarded(history: History, forwarder_uri: str, event: str) -> History:
    """The history with one more forwarding on top, by the owner of this URI, because of this event."""
    reason, _ = _REASONS[event]
    diversion = f"<{forwarder_uri}>;reason={reason};counter=1"
    index = len(history.entries) + 1
    entry = f"<{forwarder_uri}>;index={index}"
    return History((diversion, *history.diversions), (*history.entries, entry))


def history_headers(history: History, target_uri: str, event: str) -> tuple[tuple[str, str], ...]:
    """The headers of an INVITE to where the call was forwarded (RFC 5806 section 5, RFC 7044 section 10)."""
    _, cause = _REASONS[event]
    index = len(history.entries)
    last = f"<{target_uri};cause={cause}>;index={index}.1;mp={index}"
    return (
        *[("Diversion", value) for value in history.diversions],
        ("History-Info", ", ".join((*history.entries, last))),
    )
