"""How a phone that registers can be reached: by the flow it came by, by a Path, or at its contact.

Owns the question whether a NAT stands between the phone and us (RFC 3581, RFC 5626 section 5.1 and 6).
Leaves the answering of requests, with `received` and `rport`, to the transaction layer.
"""

from __future__ import annotations

from ipaddress import ip_address

from b2bua.dialog.ways import port_of
from b2bua.effects import Flow
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri


def first_hop(request: Request) -> bool:
    """Whether the phone itself sent this to us: there is exactly one Via (RFC 5626 section 6)."""
    lines = request.headers["Via"]
    return len(lines) == 1 and ("," not in lines[0] or len(request.values("Via")) == 1)


def by_flow(request: Request, flow: Flow, contact: Uri) -> bool:
    """Whether requests to this contact have to go by the flow that its REGISTER came by.

    Always for a stream that the phone opened: it takes no connections in. For its datagrams, when the
    contact is not where they came from and something says that the contact's address means nothing to us:

    - The address is the source's and only the port differs. A phone that asks for `rport` sends from where
      it listens, so if that is not what its Via says, a NAT changed the port. Without `rport` it may well
      send from one port and listen on another.
    - The address is another one, and so is the Via's: it was translated.
    - The address is another one though the Via is right: somebody registers a third party's contact, which
      is not taken for one behind a NAT if it can be reached from anywhere (a public address or a name). Whether
      it may be registered is said by `contacts`.

    Deviation: RFC 3261 16.6 sends to whatever contact was registered. A private address other than the
    source's is taken for one behind a NAT even where the Via does not show it, since phones that learn their
    outer address for the Via only are many, and third parties that register a private contact are few.

    Behind a proxy the phone's own NAT is the proxy's concern: its Path counts, or else the contact.
    """
    if not first_hop(request):
        return False
    if flow.transport != "UDP":
        return True
    if same_host(contact.host, flow.remote):
        if port_of(contact) == flow.remote_port:
            return False
        return request.via.rport is not None and not _sent_from(request, flow)
    return not same_host(request.via.host, flow.remote) or not _public(contact.host)


def same_host(host: str, address: str) -> bool:
    """Whether a host is that IP address: IPv6 has more than one spelling."""
    if host == address:
        return True
    if ":" not in host or ":" not in address:
        return False
    try:
        return ip_address(host) == ip_address(address)
    except ValueError:
        return False


def _sent_from(request: Request, flow: Flow) -> bool:
    via = request.via
    return same_host(via.host, flow.remote) and (via.port or 5060) == flow.remote_port


def _public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return True
