"""The names of header fields: compact forms, and the spelling under which each is kept (RFC 3261 7.3.1 and 7.3.3)."""

from __future__ import annotations

from typing import Final

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""The letters of the IANA registry of SIP header fields."""

_IRREGULAR = (
    "Call-ID",
    "CSeq",
    "Content-ID",
    "MIME-Version",
    "Min-SE",
    "P-Called-Party-ID",
    "RAck",
    "RSeq",
    "Remote-Party-ID",
    "SIP-ETag",
    "SIP-If-Match",
    "WWW-Authenticate",
)

_REGULAR = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authentication-Info",
    "Authorization",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Expires",
    "From",
    "History-Info",
    "In-Reply-To",
    "Max-Breadth",
    "Max-Forwards",
    "Min-Expires",
    "Organization",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "Reason",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Replaces",
    "Reply-To",
    "Require",
    "Retry-After",
    "Route",
    "Server",
    "Service-Route",
    "Session-Expires",
    "Subject",
    "Subscription-State",
    "Supported",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "User-To-User",
    "Via",
    "Warning",
)

_BY_LOWER: Final = {name.lower(): name for name in (*_IRREGULAR, *_REGULAR)} | COMPACT

SPELLINGS: Final[dict[str, str]] = {
    spelling: name for lower, name in _BY_LOWER.items() for spelling in (lower, lower.upper(), lower.title(), name)
}
"""What is met on the wire, to be found with one look-up; `canonical` knows the rest."""


def canonical(name: str) -> str:
    """The spelling under which a field is kept; an unknown one has each of its words capitalized."""
    lower = name.lower()
    known = _BY_LOWER.get(lower)
    return known if known is not None else "-".join([word.capitalize() for word in lower.split("-")])
