"""Which dialog a call is to take the place of (RFC 3891).

Owns reading Replaces, as a header field and as a component of the URI in Refer-To (RFC 3891 section 6.1). Leaves which
dialog that is, and who may say so, to the call.
"""

from __future__ import annotations

import re
from typing import Final

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import decode_percent
from b2bua.sip.uri import Uri
from b2bua.values import Frozen

REPLACES: Final = "replaces"
"""The option tag (RFC 3891 section 6.2)."""

# What a Call-ID or a tag can be made of, and a little more: nothing that ends it, and no line end.
_NAMED: Final = re.compile(r"[!-+\--:<-~]+").fullmatch


class Replaces(Frozen):
    """A dialog as whoever is to be called knows it: `to_tag` is that one's own tag, `from_tag` its peer's.

    `early_only`: not once the dialog is confirmed.
    """

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool

    def __str__(self) -> str:
        """The field's value."""
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"


def replaces_of(text: str) -> Replaces:
    """Read a Replaces header field. PeerError 400 for what names no dialog."""
    call_id, *params = [part.strip() for part in text.split(";")]
    tags: dict[str, str] = {}
    early_only = False
    for param in params:
        name, equals, value = param.partition("=")
        name = name.strip().lower()
        if name in ("to-tag", "from-tag") and equals:
            if name in tags:
                raise PeerError(400, "A Replaces Names A Tag Twice")
            tags[name] = value.strip()
        elif name == "early-only":
            early_only = True
    named = (call_id, tags.get("to-tag", ""), tags.get("from-tag", ""))
    if not all(map(_NAMED, named)):
        raise PeerError(400, "A Replaces Names One Dialog")
    return Replaces(*named, early_only)


def replaces_in(uri: Uri) -> Replaces | None:
    """The dialog that a URI's header components name, None where they name none. PeerError 400 as above."""
    pieces = [component.partition("=") for component in (uri.headers or "").split("&")]
    named = [value for name, _, value in pieces if decode_percent(name).lower() == REPLACES]
    if len(named) > 1:
        raise PeerError(400, "More Than One Replaces")
    return replaces_of(decode_percent(named[0])) if named else None
