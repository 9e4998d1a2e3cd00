"""The header fields that cross from one leg to the other: this table, and nothing else.

What identifies a leg (Via, From, To, Call-ID, CSeq, Contact, routes), what authenticates it, and what negotiates
between two neighbours (Supported, Require, Allow, timers) is each leg's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from b2bua.call.events import DESCRIPTION, Content
from b2bua.routing.privacy import PERSONAL, hides_person
from b2bua.routing.verdicts import HeaderEdit
from b2bua.sdp.origin import around_origin
from b2bua.sip.message import Request, Response

# The fields that describe a body go wherever the body goes (RFC 3261 7.4.1, 20.11 to 20.15).
CONTENT: Final = ("Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "MIME-Version")

_RENDERING: Final = ("yes", "no", "unknown")

_RARE_CONTENT: Final = frozenset(CONTENT[1:])
_CALLER = (
    "Accept-Contact",
    "Accept-Language",
    "Alert-Info",
    "Call-Info",
    "In-Reply-To",
    "Organization",
    "Priority",
    "Reason",
    "Reply-To",
    "Subject",
    "User-To-User",
)

CROSSING: dict[str, tuple[str, ...]] = {
    "INVITE": _CALLER,
    "re-INVITE": ("Alert-Info", "Call-Info", "Priority", "Subject"),
    "UPDATE": (),
    "INFO": ("Info-Package",),
    "MESSAGE": ("Call-Info", "Date", "Expires", "Priority", "Subject"),
    "MESSAGE outside": ("Call-Info", "Date", "Expires", "In-Reply-To", "Priority", "Reply-To", "Subject"),
    "BYE": ("Reason", "User-To-User"),
    "1xx": ("Alert-Info", "Call-Info", "Reason"),
    "2xx": ("Call-Info", "Organization", "Reply-To", "User-To-User"),
    "3xx-6xx": ("Call-Info", "Error-Info", "Reason", "Reply-To", "Retry-After", "Warning"),
    "3xx-6xx outside": ("Accept", "Accept-Encoding", "Accept-Language", "Error-Info", "Retry-After", "Warning"),
}

_CROSSING_SETS: Final = {row: frozenset(names) for row, names in CROSSING.items()}


def crossing(message: Request | Response, row: str) -> tuple[tuple[str, str], ...]:
    """The fields of a message that cross, by the table's row."""
    headers = message.headers
    names = _CROSSING_SETS[row].intersection(headers)
    if not names:
        return ()
    if "Privacy" in headers and hides_person(message):
        names -= PERSONAL
    return tuple([(name, value) for name in sorted(names) for value in headers[name]])


def content_of(message: Request | Response) -> Content | None:
    """A message's body with the fields that describe it; None without one.

    A session description that cannot be passed on in our name counts as none: a request with such a one has been
    refused before (`admission`).
    """
    if not message.body:
        return None
    fields = message.headers
    if "Content-Type" in fields and fields["Content-Type"][0] == "application/sdp" and _RARE_CONTENT.isdisjoint(fields):
        around = around_origin(message.body)
        return Content(message.body, DESCRIPTION, around) if around is not None else None
    headers = tuple((name, value) for name in CONTENT for value in message.all(name))
    if message.content_type != "application/sdp":
        return Content(message.body, headers)
    around = around_origin(message.body)
    return Content(message.body, headers, around) if around is not None else None


def edited(headers: tuple[tuple[str, str], ...], edits: Iterable[HeaderEdit]) -> tuple[tuple[str, str], ...]:
    """Headers for the called side with the policy's `set` and `strip` done, in the order that it said them."""
    for edit in edits:
        name = edit.name.lower()
        headers = tuple(header for header in headers if header[0].lower() != name)
        if edit.value is not None:
            headers = (*headers, (edit.name, edit.value))
    return headers


def rendering_of(message: Request | Response) -> str | None:
    """What a Contact says of whether its sender renders media: yes, no or unknown (RFC 4235 section 5.2)."""
    contacts = message.contacts
    if not isinstance(contacts, list) or not contacts:
        return None
    value = (contacts[0].param("+sip.rendering") or "").strip('"').lower()
    return value if value in _RENDERING else None
