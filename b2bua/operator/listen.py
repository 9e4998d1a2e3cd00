"""Listen addresses as text: `udp:127.0.0.1:5060`, `tcp:[::1]:5060`, `tls:127.0.0.1:5061`."""

from __future__ import annotations

import ipaddress
import re

from b2bua.effects import Transport
from b2bua.settings import Listener

ADVICE = "write `udp:127.0.0.1:5060`, `tcp:[::1]:5060` or `tls:127.0.0.1:5061`"

_LISTENER = re.compile(r"(udp|tcp|tls):(?:\[([^\[\]]*)\]|([^:\[\]]*)):([0-9]{1,5})", re.IGNORECASE)
_TRANSPORTS: dict[str, Transport] = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}


def parse_listener(text: str) -> Listener:
    """Read a listen address. Raises ValueError with a sentence for the operator."""
    found = _LISTENER.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is no listen address")
    transport, six, four, port = found.groups()
    try:
        host = ipaddress.IPv6Address(six) if six is not None else ipaddress.IPv4Address(four)
    except ValueError:
        raise ValueError(f"`{four if six is None else six}` is no IP address") from None
    if not 1 <= int(port) <= 65_535:
        raise ValueError(f"`{port}` is no port: 1 to 65535")
    return Listener(_TRANSPORTS[transport.lower()], str(host), int(port))
