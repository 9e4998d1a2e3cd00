"""TLS in the simulated office: which phones and gateways use it, what they prove, and what may not leave without it.

Owns the choice of parties and of sips URIs, and the rule that no leg of a call to one goes by anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from b2bua.effects import Flow, Record, Transport
from b2bua.sip.message import Request

from .agent import Agent
from .link import Link, Place
from .wire import Message

# By their number among the phones.
_STREAMS: dict[int, Transport] = {3: "TCP", 7: "TLS", 9: "TLS"}
_SIPS = frozenset((9,))
# The gateways that take calls by TLS, and the name that each one's certificate is for.
GATEWAYS = {"gw2": "gw2.carrier.example", "gw2-false": "else.example"}


def phone_place(number: int, host: str) -> Place:
    """Where a phone is."""
    transport = _STREAMS.get(number, "UDP")
    return Place(transport, host, port_of(transport))


def gateway_place(name: str, host: str) -> Place:
    """Where a gateway is."""
    transport: Transport = "TLS" if name in GATEWAYS else "UDP"
    return Place(transport, host, port_of(transport))


def port_of(transport: Transport) -> int:
    """Where that is listened for."""
    return 5061 if transport == "TLS" else 5060


def certify(link: Link, agent: Agent) -> None:
    """Let a gateway prove its name, and a phone its address: so it is reached when its connection has closed."""
    host = agent.place.host
    if agent.place.transport == "TLS":
        link.proofs[host] = frozenset((GATEWAYS.get(agent.name, host),))


def scheme_of(agent: Agent, draw: Random) -> str:
    """By which kind of URI a party calls."""
    return "sips" if agent.place.transport == "TLS" and draw.random() < 0.5 else "sip"


def uses_sips(number: int) -> bool:
    """Whether a phone's own URI is a sips URI."""
    return number in _SIPS


class Secrecy:
    """Which calls are to sips URIs, and which left by something else than TLS, by their Call-IDs."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._broken: set[str] = set()

    def came_in(self, message: Message) -> None:
        """What reaches the core."""
        if not isinstance(message, Request) or message.to_tag is not None:
            return
        if message.method == "INVITE" and message.uri.startswith("sips:"):
            self._wanted.add(message.call_id)

    def goes_out(self, message: Message, flow: Flow) -> None:
        """What leaves it."""
        if flow.transport != "TLS":
            self._broken.add(message.call_id)

    def betrayed(self, caller: str, legs: Iterable[Record]) -> list[str]:
        """The Call-IDs of a call's legs that should have gone by TLS and did not."""
        if caller not in self._wanted:
            return []
        return [record.sip_call_id for record in legs if record.sip_call_id in self._broken]
