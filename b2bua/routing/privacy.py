"""What a caller asks to be kept from the called side (RFC 3323 section 4.2, RFC 3325 section 9.3, RFC 7044 10.1).

Owns reading Privacy. `header` needs nothing more here: no Via, Contact or Record-Route of one side ever shows on the
other. Who is shown instead is `identity`'s, a relay for `session` the call's, old addresses `forwarding`'s.
"""

from __future__ import annotations

from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.message import Request, Response
from b2bua.sip.uri import Uri
from b2bua.values import Frozen

_KNOWN: Final = frozenset(("none", "header", "session", "user", "id", "history", "critical"))
_NAMELESS: Final = frozenset(("id", "user"))
_PAST: Final = frozenset(("history", "header", "session"))

PERSONAL: Final = frozenset(("Call-Info", "In-Reply-To", "Organization", "Reply-To", "Subject"))
"""Fields that a user agent adds by its own choice, and that name its user (RFC 3323 section 4.1)."""


class Privacy(Frozen):
    """What is not to be told. `nameless`: name and number; `session`: where the media comes from; `history`: whom the
    call was for before. `open` says that all may be told, `critical` that the call is not wanted otherwise.
    """

    nameless: bool = False
    session: bool = False
    history: bool = False
    open: bool = False
    critical: bool = False


NO_PRIVACY: Final = Privacy()


def privacy_of(request: Request) -> Privacy:
    """What the Privacy of this request asks for. PeerError 500 for what is not known, where it is critical (4.2)."""
    asked = _asked(request)
    critical = "critical" in asked
    if critical and not _KNOWN.issuperset(asked):
        raise PeerError(500, "Required Privacy Cannot Be Provided")
    if "none" in asked:
        return Privacy(open=True)
    return Privacy(
        not asked.isdisjoint(_NAMELESS),
        "session" in asked,
        not asked.isdisjoint(_PAST),
        critical=critical,
    )


def hides_person(message: Request | Response) -> bool:
    """Whether the Privacy of this message says that it is not to name whoever sends it."""
    return not _asked(message).isdisjoint(_NAMELESS)


def is_nameless(uri: Uri) -> bool:
    """Whether a From's URI names nobody (RFC 3323 section 4.1.1.3)."""
    return uri.host == "anonymous.invalid" or (uri.user or "").lower() == "anonymous"


def _asked(message: Request | Response) -> set[str]:
    """The values of Privacy, which semicolons separate; some write commas."""
    text = ";".join(message.headers["Privacy"]).replace(",", ";").lower()
    return {word for piece in text.split(";") if (word := piece.strip())}
