"""Header fields of ours as lines (RFC 3261 7.3.1): the one place where a line end in a value would be let out."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.sip.errors import LocalError


def lines(fields: Sequence[tuple[str, str]]) -> str:
    """Each field on a line of its own. LocalError for a CR or LF in a name or value."""
    if not fields:
        return ""
    text = "\r\n".join([*map(": ".join, fields), ""])
    if text.count("\n") + text.count("\r") != 2 * len(fields):
        raise LocalError("a header value of ours has a line end")
    return text
