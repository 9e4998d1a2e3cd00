"""How large a message may be, and what is answered to one that is larger (RFC 3261 21.4.11 and 21.5.7).

Owns the bounds on what one peer's message may make us read, keep and repeat. Leaves to `framer` where a stream's
message ends. A message of up to `PLAIN_OCTETS` is never too large, so that the ordinary one pays nothing for this.
"""

from __future__ import annotations

from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request, Response
from b2bua.values import Frozen

PLAIN_OCTETS: Final = 2_048
"""What is not looked at: so few octets hold neither many fields nor long ones."""

LISTS: Final = (
    "Via",
    "Route",
    "Record-Route",
    "Contact",
    "Path",
    "Service-Route",
    "History-Info",
    "Diversion",
    "P-Asserted-Identity",
    "Require",
    "Supported",
    "Proxy-Require",
    "Allow",
    "Accept",
)
"""The fields that are lists of values, and are read or repeated here."""


class MessageLimits(Frozen):
    """In octets: all header fields together, one field, the body. In number: header lines, values of one field."""

    header_octets: int = 65_536
    field_octets: int = 8_192
    fields: int = 256
    values: int = 128
    body_octets: int = 1_048_576


NO_OTHERS: Final = MessageLimits()
"""What holds where nothing else is said."""


def check_size(message: Request | Response, head_octets: int, limits: MessageLimits) -> None:
    """Refuse a message whose head is larger than allowed. PeerError 513."""
    if head_octets > limits.header_octets:
        raise PeerError(513, "Message Too Large")
    fields = 0
    for lines in message.headers.values():
        fields += len(lines)
        if any(len(line) > limits.field_octets for line in lines):
            raise PeerError(513, "Header Field Too Large")
    if fields > limits.fields:
        raise PeerError(513, "Too Many Header Fields")
    for name in LISTS:
        found = message.headers.get(name)
        if found is None or len(found) + sum([line.count(",") for line in found]) <= limits.values:
            continue
        if len(message.values(name)) > limits.values:
            raise PeerError(513, f"Too Many {name} Values")
