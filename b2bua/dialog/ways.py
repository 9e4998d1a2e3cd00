"""Our own addresses, and the way from one of them to a peer (RFC 3261 18.1.1 and 18.2.1, RFC 3581).

Owns what stands in our Via and Contact for a given flow, and which socket a request to an address leaves by. Knows
nothing of names: those are resolved before.
"""

from __future__ import annotations

from typing import Final

from b2bua.effects import Address, Flow, Transport
from b2bua.sdp.origin import located
from b2bua.settings import Settings
from b2bua.sip.uri import Uri
from b2bua.values import Frozen

UNSPECIFIED: Final = ("0.0.0.0", "::")
DEFAULT_PORT: Final = 5060
SECURE_PORT: Final = 5061
"""The port of TLS, and of sips URIs (RFC 3261 19.1.2)."""

_ASKED: Final[dict[str, Transport | None]] = {"": None, "udp": "UDP", "tcp": "TCP", "tls": "TLS"}
_ASKED_SECURELY: Final[dict[str, Transport | None]] = {"": "TLS", "tcp": "TLS", "tls": "TLS"}


def transport_of(uri: Uri) -> Transport | None:
    """The transport that a URI asks for (RFC 3261 19.1.4, RFC 3263 4.1): None where it leaves the choice.

    A sips URI asks for TLS, whether it says so, names TCP beneath it, or nothing. KeyError for a transport that we do
    not speak.
    """
    asked = (uri.param("transport") or "").lower() if uri.params else ""
    return (_ASKED_SECURELY if uri.scheme == "sips" else _ASKED)[asked]


def port_of(uri: Uri) -> int:
    """The port that a URI stands for where no SRV record says otherwise (RFC 3261 19.1.2)."""
    if uri.port is not None:
        return uri.port
    secure = uri.scheme == "sips" or (uri.param("transport") or "").lower() == "tls"
    return SECURE_PORT if secure else DEFAULT_PORT


class Place(Frozen):
    """Where a peer sees us: our Via up to its branch, our Contact, and that of a sips call, what our o= lines say, and
    our address itself.
    """

    via: str
    contact: tuple[str, str]
    secured: tuple[str, str]
    origin: str
    host: str


class Ways:
    """The addresses that one server has."""

    def __init__(self, settings: Settings) -> None:
        self._advertise = settings.advertise
        self._locals: dict[tuple[Transport, bool], tuple[str, int]] = {}
        self._hosts: set[str] = set()
        for listener in settings.listen:
            key = (listener.transport, ":" in listener.host)
            self._locals.setdefault(key, (listener.host, listener.port))
            self._hosts.add(listener.host)
        if settings.advertise is not None:
            self._hosts.add(settings.advertise)
        self._hosts.update(host for _, host in settings.advertise_in)
        self._ports = {listener.port for listener in settings.listen}
        self._seen: dict[tuple[Transport, str, int], Place] = {}

    def flow_to(self, address: Address) -> Flow | None:
        """The flow from the socket of ours that can reach this address; None when there is none."""
        local = self._locals.get((address.transport, ":" in address.host))
        if local is None:
            return None
        if address.transport == "TLS":
            name = address.name or address.host
            return Flow("TLS", local[0], local[1], address.host, address.port, 0, name)
        return Flow(address.transport, local[0], local[1], address.host, address.port)

    def has(self, transport: Transport, host: str) -> bool:
        """Whether some socket of ours can reach this address by this transport."""
        return (transport, ":" in host) in self._locals

    def place(self, flow: Flow) -> Place:
        """Where a peer on this flow should see us.

        A stream that we opened leaves from a passing port, so its sent-by is the listener's.
        """
        key = (flow.transport, flow.local, flow.local_port)
        return self._seen.get(key) or self._remember(key)

    def advertised(self, peer: str) -> str | None:
        """The address of ours that is known where this peer is; None where nothing special is said of its network."""
        return None

    def _remember(self, key: tuple[Transport, str, int]) -> Place:
        place = self._seen[key] = self.spell(*key, None)
        return place

    def spell(self, transport: Transport, host: str, port: int, known: str | None) -> Place:
        """How we are seen from elsewhere at this local address; `known` replaces it, where it is not None."""
        parameter = ""
        if transport != "UDP":
            parameter = f";transport={transport.lower()}"
            port = self._locals.get((transport, ":" in host), (host, port))[1]
        if known is not None:
            host = known
        elif self._advertise is not None and host in UNSPECIFIED:
            host = self._advertise
        sent_by = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        # Who knows our certificate may send us requests by the connection that we opened (RFC 5923 section 5).
        alias = ";alias" if transport == "TLS" else ""
        via = f"SIP/2.0/{transport} {sent_by}{alias};branch="
        contact, secured = ("Contact", f"<sip:{sent_by}{parameter}>"), ("Contact", f"<sips:{sent_by}>")
        return Place(via, contact, secured, located(host), host)

    def ours(self, uri: Uri) -> bool:
        """Whether this URI's host and port are one of our own addresses."""
        return uri.host in self._hosts and port_of(uri) in self._ports

    def is_host(self, host: str) -> bool:
        """Whether this is one of our own addresses, whatever the port."""
        return host in self._hosts

    def is_port(self, port: int | None) -> bool:
        """Whether we listen on this port of a name of ours; None: where DNS says that we do."""
        return port is None or port in self._ports
