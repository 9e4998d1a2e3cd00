"""What is answered before the policy is asked (RFC 3261 section 8.2, in its order).

Owns the checks that no routing script can change: methods, schemes, hosts, extensions, bodies, hops, overload. Each
raises PeerError, which the core answers without state.
"""

from __future__ import annotations

from typing import Final

from b2bua.call.events import DESCRIPTION, Content
from b2bua.call.headers import content_of
from b2bua.call.leg import ALLOW
from b2bua.dialog.session_timer import OPTION
from b2bua.effects import Flow
from b2bua.settings import Settings
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request
from b2bua.sip.rack import RELIABLE
from b2bua.sip.refer import SILENT
from b2bua.sip.replaces import REPLACES
from b2bua.sip.uri import Uri

# Methods that have no meaning here outside a dialog, or none at all, but are known (RFC 3261 8.2.1).
_INSIDE_ONLY: Final = frozenset(("BYE", "UPDATE", "INFO", "PRACK"))
_NOT_HERE: Final = frozenset(("SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH"))
_INSIDE: Final = frozenset(("INVITE", "BYE", "PRACK", "UPDATE", "INFO", "MESSAGE", "OPTIONS", "REFER"))
_OUTSIDE: Final = frozenset(("INVITE", "REGISTER", "OPTIONS", "MESSAGE"))
_KNOWN: Final = _INSIDE_ONLY | _NOT_HERE | _INSIDE | _OUTSIDE
_BODIES: Final = frozenset(("application/sdp", "multipart/mixed", "multipart/alternative", "multipart/related"))
_DESCRIPTIONS: Final = frozenset(("application/sdp", "application/*", "*/*"))

ACCEPT: Final = ("Accept", "application/sdp")
ACCEPT_ENCODING: Final = ("Accept-Encoding", "identity")
REGISTER_EXTENSIONS: Final = frozenset(("path", "outbound"))
_SCHEMES: Final = ("sip", "tel")
# RFC 3261 8.1.1.6
_MOST_HOPS: Final = 70


def check_method(method: str) -> None:
    """405 for a method that is known and not for us, 481 for one that needs a dialog, 501 for an unknown one."""
    if method in _OUTSIDE:
        return
    if method in _INSIDE_ONLY:
        raise PeerError(481, "Call/Transaction Does Not Exist")
    if method in _NOT_HERE:
        raise PeerError(405, "Method Not Allowed", (ALLOW,))
    raise PeerError(501, "Not Implemented", (ALLOW,))


def extensions(settings: Settings) -> frozenset[str]:
    """What an INVITE, or a request inside its dialog, may require of us."""
    always = (RELIABLE, SILENT, REPLACES)
    return frozenset((*always, OPTION) if settings.session_timers.expires else always)


def check_inside(request: Request, ours: frozenset[str]) -> None:
    """The same for a request inside a dialog, with the extensions that it requires."""
    if request.method not in _KNOWN:
        raise PeerError(501, "Not Implemented", (ALLOW,))
    if request.method not in _INSIDE:
        raise PeerError(405, "Method Not Allowed", (ALLOW,))
    check_extensions(request, ours)
    check_description(request)


def check_scheme(request: Request, uri: Uri, flow: Flow) -> None:
    """416 for a Request-URI that is neither sip nor tel (8.2.2.1); emergency calls have a URN (RFC 5031).

    A sips URI is for whoever came by TLS: that there is any is known then, and another way would break its promise
    (RFC 5630 section 3.1).
    """
    if uri.scheme in _SCHEMES or (flow.transport == "TLS" and uri.scheme == "sips"):
        return
    if request.method != "INVITE" or not request.uri.startswith("urn:service:sos"):
        raise PeerError(416, "Unsupported URI Scheme")


def check_extensions(request: Request, ours: frozenset[str]) -> None:
    """420 for a required extension that we don't have, with its name (8.2.2.3); a REGISTER's are others than `ours`."""
    if "Require" not in request.headers:
        return
    required = request.values("Require")
    known = REGISTER_EXTENSIONS if request.method == "REGISTER" else ours
    unsupported = [option for option in required if option.lower() not in known]
    if unsupported:
        raise PeerError(420, "Bad Extension", (("Unsupported", ", ".join(unsupported)),))


def check_body(request: Request) -> Content | None:
    """415 for a body that a call cannot be made of (8.2.3), unless its sender can do without. Gives what is taken."""
    if not request.body:
        return None
    content = content_of(request)
    if content is not None and content.headers is DESCRIPTION:
        return content
    fields = request.headers
    disposition = fields["Content-Disposition"][0] if "Content-Disposition" in fields else ""
    if disposition and "handling=optional" in disposition.lower().replace(" ", ""):
        return content
    if "Content-Encoding" in fields and fields["Content-Encoding"][0].strip().lower() != "identity":
        raise PeerError(415, "Unsupported Media Type", (ACCEPT_ENCODING,))
    if request.content_type not in _BODIES:
        raise PeerError(415, "Unsupported Media Type", (ACCEPT,))
    return check_description(request)


def check_description(request: Request) -> Content | None:
    """488 for a session description that no other side could be given (RFC 3261 13.3.1.3). Gives the content."""
    content = content_of(request)
    if content is None and request.body:
        raise PeerError(488, "Not Acceptable Here", (("Warning", '399 b2bua "session description without origin"'),))
    return content


def check_hops(request: Request) -> int:
    """483 for a request with no hop left (8.2.2.2, 16.3). Gives how many are left for what we send on its behalf."""
    hops = request.max_forwards
    if hops is None:
        return _MOST_HOPS
    if hops == 0:
        raise PeerError(483, "Too Many Hops")
    return hops - 1


def check_message(request: Request) -> None:
    """400 for a message that does not say what its body is (RFC 3261 20.15)."""
    if request.body and "Content-Type" not in request.headers:
        raise PeerError(400, "A body needs a Content-Type")


def check_invite(request: Request) -> None:
    """What an INVITE needs so that a call can be made of it: one Contact, and that it takes our SDP.

    An RFC 2543 client may leave Contact out: then From says where it is (RFC 4475 3.4.1).
    """
    contacts = request.contacts
    if not isinstance(contacts, list) or len(contacts) > 1:
        raise PeerError(400, "An INVITE needs exactly one Contact")
    target = contacts[0].uri if contacts else request.from_.uri
    if target.scheme not in ("sip", "sips"):
        raise PeerError(400, "The Contact of an INVITE must be a SIP URI")
    if "Accept" in request.headers:
        accept = request.values("Accept")
        if accept and not any(kind.partition(";")[0].strip().lower() in _DESCRIPTIONS for kind in accept):
            raise PeerError(406, "Not Acceptable")
