"""What a REFER asks for (RFC 3515, RFC 4488).

Owns reading Refer-To and Refer-Sub. Leaves whether it may be, and who that is, to the call.

Deviation: a REFER to somebody whom its sender talks to already (Replaces in Refer-To, RFC 3891) is refused with 501:
the call stays what it is, and its sender can connect the two by a transfer of the other kind.
"""

from __future__ import annotations

from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request
from b2bua.sip.uri import Uri
from b2bua.values import Frozen

SILENT: Final = "norefersub"
"""The option tag of a REFER without subscription (RFC 4488)."""

NO_SUBSCRIPTION: Final = ("Refer-Sub", "false")
_CALLED: Final = ("sip", "sips", "tel")


class Reference(Frozen):
    """Whom somebody is referred to. `silent`: no NOTIFY is wanted."""

    uri: Uri
    silent: bool


def reference_of(request: Request) -> Reference:
    """Read a REFER. PeerError 400, 416 for what cannot be called, 403 and 501 for what is not to be called so."""
    value = request.get("Refer-To")
    if value is None:
        raise PeerError(400, "A REFER Needs A Refer-To")
    uri = NameAddr.parse(value).uri
    if uri.scheme not in _CALLED:
        raise PeerError(416, "Unsupported URI Scheme")
    method = uri.param("method")
    if method is not None and method.upper() != "INVITE":
        raise PeerError(403, "Only Calls Can Be Referred To")
    if any(component.lower().startswith("replaces=") for component in (uri.headers or "").split("&")):
        raise PeerError(501, "Attended Transfers Are Not Implemented")
    return Reference(uri.without_headers(), (request.get("Refer-Sub") or "").lower() == "false")
