"""What goes by each listen address, counted: messages and connections.

Owns the counts and how an operator sees them. Leaves counting to whoever takes and sends.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from b2bua.io.listening import listener_text
from b2bua.settings import Listener


class Traffic:
    """Of one listen address since the start. `connections` are open now, of those that peers opened (`taken`) and
    those that we did (`opened`).
    """

    __slots__ = ("connections", "opened", "received", "sent", "taken")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0
        self.taken = 0
        self.opened = 0
        self.connections = 0


class TransportView(msgspec.Struct, frozen=True):
    """One listen address as `udp:127.0.0.1:5060`. `received` and `sent` are messages; `dropped` found no room in the
    socket's buffer. `certificate` is how many days are left of the first of its certificates to end, None without TLS.
    """

    listen: str
    received: int
    sent: int
    dropped: int
    connections: int
    taken: int
    opened: int
    certificate: int | None


def transport_view(listener: Listener, traffic: Traffic, dropped: int, days: Iterable[int]) -> TransportView:
    """A listen address with what was counted there; `days` are left of each of the server's certificates."""
    return TransportView(
        listen=listener_text(listener),
        received=traffic.received,
        sent=traffic.sent,
        dropped=dropped,
        connections=traffic.connections,
        taken=traffic.taken,
        opened=traffic.opened,
        certificate=min(days, default=None) if listener.transport == "TLS" else None,
    )
