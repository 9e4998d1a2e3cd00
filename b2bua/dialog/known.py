"""Our addresses as the networks of our peers know them (settings `advertise_in`; RFC 3261 18.1.1, 8.1.1.8).

Owns the case in which it depends on the peer what stands in our Via and Contact, and in session descriptions.
"""

from __future__ import annotations

from b2bua.dialog.networks import Networks
from b2bua.dialog.ways import Place, Ways
from b2bua.effects import Flow, Transport
from b2bua.settings import Settings


class WaysByNetwork(Ways):
    """Ways that differ from network to network."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._known = Networks(settings.advertise_in)
        self._known_as: dict[tuple[Transport, str, int, str], Place] = {}

    def place(self, flow: Flow) -> Place:
        """Where a peer on this flow should see us."""
        known = self._known.of(flow.remote)
        key = (flow.transport, flow.local, flow.local_port, known or "")
        place = self._known_as.get(key)
        if place is None:
            place = self._known_as[key] = self.spell(flow.transport, flow.local, flow.local_port, known)
        return place

    def advertised(self, peer: str) -> str | None:
        """The address of ours that is known where this peer is; None where nothing special is said of its network."""
        return self._known.of(peer)
