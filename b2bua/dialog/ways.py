"""Our own addresses, and the way from one of them to a peer (RFC 3261 18.1.1 and 18.2.1, RFC 3581).

Owns what stands in our Via and Contact for a given flow, and which socket a request to an address leaves by. Knows
nothing of names: those are resolved before.
"""

from __future__ import annotations

from b2bua.effects import Address, Flow, Transport
from b2bua.settings import Settings
from b2bua.sip.uri import Uri

UNSPECIFIED = ("0.0.0.0", "::")
DEFAULT_PORT = 5060


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
        self._ports = {listener.port for listener in settings.listen}
        self._sent_by: dict[tuple[Transport, str, int], str] = {}

    def flow_to(self, address: Address) -> Flow | None:
        """The flow from the socket of ours that can reach this address; None when there is none."""
        local = self._locals.get((address.transport, ":" in address.host))
        if local is None:
            return None
        return Flow(address.transport, local[0], local[1], address.host, address.port)

    def has(self, transport: Transport, host: str) -> bool:
        """Whether some socket of ours can reach this address by this transport."""
        return (transport, ":" in host) in self._locals

    def via(self, flow: Flow, branch: str) -> str:
        """The value of our Via for a request by this flow."""
        return f"SIP/2.0/{flow.transport} {self.sent_by(flow)};branch={branch};rport"

    def contact(self, flow: Flow) -> str:
        """The value of our Contact for a dialog over this flow."""
        transport = ";transport=tcp" if flow.transport == "TCP" else ""
        return f"<sip:{self.sent_by(flow)}{transport}>"

    def sent_by(self, flow: Flow) -> str:
        """Our host and port as a peer on this flow should see them.

        A stream that we opened leaves from a passing port, so its sent-by is the listener's.
        """
        key = (flow.transport, flow.local, flow.local_port)
        text = self._sent_by.get(key)
        if text is None:
            text = self._sent_by[key] = self._spell(flow)
        return text

    def host(self, flow: Flow) -> str:
        """Our address as a peer on this flow should see it, IPv6 without brackets."""
        if self._advertise is not None and flow.local in UNSPECIFIED:
            return self._advertise
        return flow.local

    def _spell(self, flow: Flow) -> str:
        host, port = flow.local, flow.local_port
        if flow.transport == "TCP":
            port = self._locals.get(("TCP", ":" in host), (host, port))[1]
        host = self.host(flow)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def ours(self, uri: Uri) -> bool:
        """Whether this URI's host and port are one of our own addresses."""
        return uri.host in self._hosts and (uri.port or DEFAULT_PORT) in self._ports

    def is_host(self, host: str) -> bool:
        """Whether this is one of our own addresses, whatever the port."""
        return host in self._hosts
