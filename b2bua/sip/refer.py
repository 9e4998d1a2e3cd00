"""What a REFER asks for (RFC 3515, RFC 4488, RFC 5589).

Owns reading Refer-To and Refer-Sub. Leaves whether it may be, and who that is, to the call.
"""

from __future__ import annotations

from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request
from b2bua.sip.replaces import Replaces, replaces_in
from b2bua.sip.uri import Uri
from b2bua.values import Frozen

SILENT: Final = "norefersub"
"""The option tag of a REFER without subscription (RFC 4488)."""

NO_SUBSCRIPTION: Final = ("Refer-Sub", "false")
_CALLED: Final = ("sip", "sips", "tel")


class Reference(Frozen):
    """Whom somebody is referred to. `silent`: no NOTIFY is wanted.

    `replaces` is the dialog there whose place the call is to take, None for a call like any other.
    """

    uri: Uri
    silent: bool
    replaces: Replaces | None


def reference_of(request: Request) -> Reference:
    """Read a REFER. PeerError 400, 416 for what cannot be called, 403 for what is not to be called so."""
    value = request.get("Refer-To")
    if value is None:
        raise PeerError(400, "A REFER Needs A Refer-To")
    uri = NameAddr.parse(value).uri
    if uri.scheme not in _CALLED:
        raise PeerError(416, "Unsupported URI Scheme")
    method = uri.param("method")
    if method is not None and method.upper() != "INVITE":
        raise PeerError(403, "Only Calls Can Be Referred To")
    silent = (request.get("Refer-Sub") or "").lower() == "false"
    return Reference(uri.without_headers(), silent, replaces_in(uri))
