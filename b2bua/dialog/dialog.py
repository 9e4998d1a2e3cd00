"""One dialog: its identifiers, sequence numbers, routes and remote target (RFC 3261 section 12).

Owns how a request inside the dialog is written, and where it goes. Leaves to the leg which requests are sent when.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from b2bua.dialog.ways import DEFAULT_PORT, SECURE_PORT, Place, Ways, port_of, transport_of
from b2bua.effects import Address, Flow, Transport
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request, Response
from b2bua.sip.uri import Uri
from b2bua.transaction.lines import check_ends, lines


class Dialog:
    """`local` and `remote` are whole From and To values with their tags; `target` is the remote target's URI.

    `flow` is the way that requests take: the route set's first hop, else the target, else, behind NAT, over a
    stream or where a Contact is a name, the way by which the peer's message came. In a `secure` one our Contact is a
    sips URI (12.1.1, 8.1.1.8).
    """

    __slots__ = (
        "call_id",
        "flow",
        "local",
        "local_cseq",
        "local_tag",
        "pinned",
        "remote",
        "remote_cseq",
        "remote_tag",
        "routes",
        "sdp_hash",
        "sdp_id",
        "sdp_version",
        "secure",
        "target",
    )

    def __init__(
        self,
        call_id: str,
        local: str,
        local_tag: str,
        remote: str,
        remote_tag: str,
        flow: Flow,
        sdp_id: int,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.local_tag = local_tag
        self.remote = remote
        self.remote_tag = remote_tag
        self.flow = flow
        self.pinned = False
        self.local_cseq = 0
        self.remote_cseq = -1
        self.routes: tuple[str, ...] = ()
        self.target = ""
        self.secure = False
        self.sdp_id = sdp_id
        self.sdp_version = 0
        self.sdp_hash = 0

    def beside(self, local_tag: str, sdp_id: int) -> Dialog:
        """Another dialog that the same INVITE makes, by a tag and session description of its own (12.1.1)."""
        local = self.local.replace(self.local_tag, local_tag)
        dialog = Dialog(self.call_id, local, local_tag, self.remote, self.remote_tag, self.flow, sdp_id)
        dialog.pinned = self.pinned
        dialog.local_cseq = self.local_cseq
        dialog.remote_cseq = self.remote_cseq
        dialog.routes = self.routes
        dialog.target = self.target
        dialog.secure = self.secure
        return dialog

    def write(
        self,
        method: str,
        cseq: int,
        place: Place,
        branch: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        max_forwards: int = 70,
    ) -> bytes:
        """A request inside this dialog (12.2.1.1), strict routers included, sent from where its flow's peer sees us.

        LocalError on a line end in a value.
        """
        uri, routes, route = self.target, self.routes, ""
        if routes:
            if ";lr" not in routes[0]:
                uri = str(NameAddr.parse(routes[0]).uri.without_headers())
                routes = (*routes[1:], f"<{self.target}>")
            check_ends("".join(routes))
            route = "".join(map("Route: {}\r\n".format, routes))
        check_ends(f"{uri}{self.local}{self.remote}{self.call_id}")
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: {place.via}{branch};rport\r\n{route}Max-Forwards: {max_forwards}\r\n"
            f"From: {self.local}\r\nTo: {self.remote}\r\nCall-ID: {self.call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"{lines(headers)}Content-Length: {len(body)}\r\n\r\n"
        )
        return text.encode("utf-8", "surrogateescape") + body

    def next_cseq(self) -> int:
        """The number of our next request (12.2.1.1)."""
        self.local_cseq += 1
        return self.local_cseq

    def in_order(self, request: Request) -> bool:
        """Whether a request's CSeq is higher than all before; then it counts as seen (12.2.2)."""
        number = request.cseq.number
        if number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def stream_closed(self, flow: Flow) -> None:
        """The connection is gone: the next request opens one to the target's port."""
        if self.flow == flow and self.target:
            target = Uri.parse(self.target)
            name = (flow.name or target.host) if flow.transport == "TLS" else ""
            self.flow = Flow(flow.transport, flow.local, flow.local_port, flow.remote, port_of(target), 0, name)

    def retarget(self, message: Request | Response, flow: Flow, ways: Ways) -> None:
        """Take the remote target from a message's Contact, if it has another one (12.2.1.2, 12.2.2)."""
        contacts = message.contacts
        if isinstance(contacts, list) and contacts and target_of(contacts[0].uri) != self.target:
            self.aim(contacts[0].uri, flow, ways)

    def aim(self, uri: Uri, flow: Flow, ways: Ways) -> None:
        """Have this remote target, named by a message that came by this flow."""
        self.target = target_of(uri)
        if not self.pinned:
            self.flow = way_to(uri, self.routes, flow, ways)


def target_of(uri: Uri) -> str:
    """A Contact's URI as a Request-URI, without header components (RFC 3261 19.1.5). Peers have the same few."""
    text = _targets.get(uri)
    if text is None:
        text = str(uri.without_headers())
        if len(text) <= _LONGEST_TARGET:
            if len(_targets) >= _MOST_TARGETS:
                _targets.clear()
            _targets[uri] = text
    return text


_LONGEST_TARGET: Final = 200
_MOST_TARGETS: Final = 4096
_targets: Final[dict[Uri, str]] = {}


def way_to(target: Uri, routes: Sequence[str], came_by: Flow, ways: Ways) -> Flow:
    """Where requests to this target go, given the flow by which the peer's last message came.

    A Contact with `ob` asks for its peer's own flow (RFC 5626 4.3).

    Deviation: a host name in a Contact or Record-Route is not looked up again (RFC 3263 4): the peer that we are
    talking to stays the next hop.
    """
    if routes:
        hop = NameAddr.parse(routes[0]).uri
        if not is_address(hop.host):
            return came_by
    else:
        hop = target
        if came_by.transport != "UDP" or hop.host != came_by.remote or (hop.params and hop.has("ob")):
            return came_by
    transport: Transport = "UDP"
    if hop.params or hop.scheme == "sips":
        try:
            transport = transport_of(hop) or "UDP"
        except KeyError:
            return came_by
        if transport == "TLS" and came_by.transport == "TLS" and hop.host == came_by.remote:
            # Whoever has connected by TLS need not take connections, nor prove an address (RFC 5923).
            return came_by
    port = hop.port or (SECURE_PORT if transport == "TLS" else DEFAULT_PORT)
    if transport == came_by.transport and hop.host == came_by.remote and port == came_by.remote_port:
        return came_by
    return ways.flow_to(Address(transport, hop.host, port)) or came_by


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    """Whether a URI's host is an IP address rather than a name."""
    return ":" in host or (host[-1:].isdigit() and host.replace(".", "").isdigit() and host.count(".") == 3)


def dialog_of_request(request: Request, flow: Flow, local_tag: str, ways: Ways, sdp_id: int) -> Dialog:
    """The dialog that our response to this INVITE makes (12.1.1).

    An RFC 2543 client's INVITE without Contact has its From as remote target, by the way that it came.
    """
    headers = request.headers
    local = f"{headers['To'][0]};tag={local_tag}"
    dialog = Dialog(request.call_id, local, local_tag, headers["From"][0], request.from_tag or "", flow, sdp_id)
    if "Record-Route" in headers:
        dialog.routes = tuple(request.values("Record-Route"))
    dialog.remote_cseq = request.cseq.number
    contacts = request.contacts
    if isinstance(contacts, list) and contacts:
        uri = contacts[0].uri
        dialog.flow = way_to(uri, dialog.routes, flow, ways)
    else:
        uri = request.from_.uri
    dialog.target = target_of(uri)
    if flow.transport == "TLS":
        secure = (request.uri, dialog.routes[0].lstrip("<") if dialog.routes else dialog.target)
        dialog.secure = any(text[:5].lower() == "sips:" for text in secure)
    return dialog


def complete(dialog: Dialog, response: Response, flow: Flow, ways: Ways) -> None:
    """Fill in what a 2xx that makes a dialog says of the peer (12.1.2).

    Deviation: a 2xx without the Contact that section 13.3.1.4 demands leaves the Request-URI as remote target, so that
    the call can at least be acknowledged and ended.
    """
    dialog.remote = response.headers["To"][0]
    dialog.remote_tag = response.to_tag or ""
    dialog.routes = _routes(response) if "Record-Route" in response.headers else ()
    contacts = response.contacts
    if isinstance(contacts, list) and contacts:
        dialog.aim(contacts[0].uri, flow, ways)


def _routes(response: Response) -> tuple[str, ...]:
    """The route set that a response gives its caller (12.1.2); none where one of its elements cannot be read."""
    routes = tuple(reversed(response.values("Record-Route")))
    try:
        for route in routes:
            NameAddr.parse(route)
    except PeerError:
        return ()
    return routes
