"""A gateway that sends every request back to where it came from: as a proxy, as a B2BUA, or to two places at once.

It keeps no state: what it writes follows from what it read, so that lost and doubled datagrams change nothing. As a
proxy it keeps From and Call-ID; as a B2BUA it has its own, and takes one hop off Max-Forwards all the same (RFC 7332).
One that forks shares out Max-Breadth (RFC 5393), while there is some to share.
"""

from __future__ import annotations

from typing import Literal

from b2bua.effects import Flow
from b2bua.sip.message import Request, Response, encode_request, encode_response
from b2bua.sip.parser import parse

from .link import Link, Place
from .wire import write_response

Kind = Literal["proxy", "b2bua", "fork"]
_DEFAULT_BREADTH = 60


class Mirror:
    """Sits at `place` and sends to `server`; `invited` counts the INVITEs that it was sent."""

    def __init__(self, kind: Kind, place: Place, server: Place, domain: str, link: Link) -> None:
        self.kind = kind
        self.place = place
        self.invited: set[str] = set()
        self._domain = domain
        self._link = link
        self._flow = Flow("UDP", place.host, place.port, server.host, server.port)
        link.attach(place, self)
        link.names[place.host] = "mirror"

    def broken(self, flow: Flow) -> None:
        """Nothing depends on it."""

    def received(self, data: bytes, flow: Flow) -> None:
        """Send it back, changed as little as its kind must."""
        message = parse(data)
        if isinstance(message, Response):
            self._response(message)
            return
        if message.method == "INVITE" and message.to_tag is None:
            self.invited.add(message.via.branch or "")
        if message.max_forwards == 0:
            if message.method != "ACK":
                self._link.send(write_response(message, 483, to_tag="mirror"), self._flow)
            return
        breadth = int(message.get("Max-Breadth") or _DEFAULT_BREADTH)
        if self.kind != "fork" or breadth < 2:
            self._request(message, "a", breadth)
        else:
            self._request(message, "a", breadth - breadth // 2)
            self._request(message, "b", breadth // 2)

    def _request(self, request: Request, fork: str, breadth: int) -> None:
        via = f"SIP/2.0/UDP {self.place.host}:{self.place.port};branch=z9hG4bK{fork}{request.via.branch}"
        headers = [("Via", via)]
        for name in request.headers:
            headers += [(name, self._changed(name, value, fork)) for value in request.all(name)]
        headers = [header for header in headers if header[0] not in ("Content-Length", "Max-Breadth")]
        if self.kind == "fork":
            headers.append(("Max-Breadth", str(breadth)))
        uri = f"sip:{request.request_uri.user}@{self._domain}" if request.to_tag is None else request.uri
        self._link.send(encode_request(request.method, uri, headers, request.body), self._flow)

    def _changed(self, name: str, value: str, fork: str) -> str:
        if name == "Max-Forwards":
            return str(int(value) - 1)
        if self.kind != "proxy" and name == "Call-ID":
            return fork + value
        if self.kind != "proxy" and name == "From":
            return value.replace(";tag=", f";tag={fork}")
        return value

    def _response(self, response: Response) -> None:
        headers = []
        for name in response.headers:
            values = response.all(name)
            if name == "Via":
                values = values[1:]
            elif self.kind != "proxy" and name == "Call-ID":
                values = [values[0][1:]]
            elif self.kind != "proxy" and name == "From":
                before, tag, after = values[0].partition(";tag=")
                values = [before + tag + after[1:]]
            headers += [(name, value) for value in values if name != "Content-Length"]
        data = encode_response(response.status, response.reason, headers, response.body)
        if response.status > 100:
            self._link.send(data, self._flow)
