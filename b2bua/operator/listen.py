"""Addresses of the settings as text: `udp:127.0.0.1:5060`, `tcp:[::1]:5060`, `tls:127.0.0.1:5061` to listen on, and
name servers: `192.0.2.53`, `127.0.0.1:5353`, `[::1]:53`; and a host with its port.
"""

from __future__ import annotations

import ipaddress
import re

from b2bua.effects import Transport
from b2bua.settings import Host, Listener, NameServer

ADVICE = "write `udp:127.0.0.1:5060`, `tcp:[::1]:5060` or `tls:127.0.0.1:5061`"

NAME_SERVER_ADVICE = "write `192.0.2.53`, `127.0.0.1:5353` or `[::1]:53`"

HOST_ADVICE = "write such as `127.0.0.1:9560` or `[::1]:9560`"

_HOST = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([0-9]{1,5})")
_NAME_SERVER = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::([0-9]{1,5}))?|([^\[\]]*)")
_LISTENER = re.compile(r"(udp|tcp|tls):(?:\[([^\[\]]*)\]|([^:\[\]]*)):([0-9]{1,5})", re.IGNORECASE)
_TRANSPORTS: dict[str, Transport] = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}


def parse_listener(text: str) -> Listener:
    """Read a listen address. Raises ValueError with a sentence for the operator."""
    found = _LISTENER.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is no listen address")
    transport, six, four, port = found.groups()
    return Listener(_TRANSPORTS[transport.lower()], _host(six, four), _port(port))


def parse_name_server(text: str) -> NameServer:
    """Read a name server's address; without a port it is 53. Raises ValueError with a sentence for the operator."""
    found = _NAME_SERVER.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is no name server")
    six, four, port, bare = found.groups()
    return NameServer(_host(six or bare, four), _port(port or "53"))


def parse_host(text: str) -> Host:
    """Read an IP address with its port. Raises ValueError with a sentence for the operator."""
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is no address with a port")
    six, four, port = found.groups()
    return Host(_host(six, four), _port(port))


def _host(six: str | None, four: str | None) -> str:
    try:
        return str(ipaddress.IPv6Address(six) if six is not None else ipaddress.IPv4Address(four or ""))
    except ValueError:
        raise ValueError(f"`{four if six is None else six}` is no IP address") from None


def _port(text: str) -> int:
    if not 1 <= int(text) <= 65_535:
        raise ValueError(f"`{text}` is no port: 1 to 65535")
    return int(text)
