"""A phone that writes REGISTERs, and a registrar that stores nothing: what these tests share."""

from __future__ import annotations

import pytest

from b2bua.effects import Flow
from b2bua.registrar.asked import Bounds
from b2bua.registrar.contacts import Contacts
from b2bua.registrar.registrar import Registrar, Registration
from b2bua.settings import Security, Settings
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.parser import parse
from b2bua.sip.uri import Uri

WALL = 1_760_000_000.0
AOR = "alice"
UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.7", 5060)
TCP = Flow("TCP", "192.0.2.1", 5060, "192.0.2.7", 40312, 9)
CONTACT = "<sip:alice@192.0.2.7:5060>"


def message(
    *headers: str, uri: str = "sip:example.com", call_id: str = "a@home", cseq: int = 1, via: str = ""
) -> Request:
    """A REGISTER for alice with these header lines."""
    lines = [
        f"REGISTER {uri} SIP/2.0",
        f"Via: {via or 'SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKnashds7'}",
        "Max-Forwards: 70",
        "To: <sip:alice@example.com>",
        "From: <sip:alice@example.com>;tag=456248",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
        *headers,
        "Content-Length: 0",
    ]
    return read("\r\n".join(lines) + "\r\n\r\n")


def read(text: str) -> Request:
    """The request that a text is, with either kind of line end."""
    request = parse(text.replace("\r\n", "\n").replace("\n", "\r\n").encode(errors="surrogateescape"))
    assert isinstance(request, Request)
    return request


def ours(uri: Uri) -> bool:
    return uri.host in ("example.com", "192.0.2.1")


def contacts(*allowed: str, trusted: tuple[str, ...] = ()) -> Contacts:
    """Which contacts are taken: those in `allowed` networks too, and all from `trusted` ones."""
    return Contacts(ours, Settings(listen=(), security=Security(contacts=allowed, trusted=trusted)))


class Home:
    """A registrar whose store always works, at once."""

    def __init__(self, bounds: Bounds | None = None, taken: Contacts | None = None) -> None:
        self.registrar = Registrar(taken or contacts())
        self.bounds = bounds or Bounds()
        self.wall = WALL

    def register(
        self, *headers: str, flow: Flow = UDP, call_id: str = "a@home", cseq: int = 1, via: str = ""
    ) -> Registration:
        request = message(*headers, call_id=call_id, cseq=cseq, via=via)
        return self.take(request, flow)

    def take(self, request: Request, flow: Flow = UDP) -> Registration:
        registration = self.registrar.register(AOR, request, flow, self.bounds, self.wall)
        self.registrar.commit(registration)
        return registration

    def headers(self, name: str, registration: Registration | None = None) -> list[str]:
        answer = self.registrar.response_headers(AOR, self.wall, registration)
        return [value for header, value in answer if header == name]

    def contacts(self) -> list[str]:
        """The contacts' URIs as a 200 would list them."""
        return [value[1 : value.index(">")] for value in self.headers("Contact")]

    def rung(self) -> list[str]:
        return [binding.contact for binding in self.registrar.bindings(AOR, self.wall)]


def refused(home: Home, *headers: str, cseq: int = 1) -> PeerError:
    """The error that a REGISTER meets, after which nothing may have changed."""
    before = home.headers("Contact")
    with pytest.raises(PeerError) as error:
        home.register(*headers, cseq=cseq)
    assert home.headers("Contact") == before
    return error.value
