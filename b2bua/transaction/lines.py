"""Header fields of ours as lines (RFC 3261 7.3.1): the one place where a line end in a value would be let out."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.sip.errors import LocalError


def lines(fields: Sequence[tuple[str, str]]) -> str:
    """Each field on a line of its own. LocalError for a CR or LF in a name or value."""
    if not fields:
        return ""
    each = list(map(": ".join, fields))
    check_ends("".join(each))
    return "\r\n".join(each) + "\r\n"


def check_ends(text: str) -> None:
    """LocalError for a CR or LF in what is to stand within lines."""
    if "\n" in text or "\r" in text:
        raise LocalError("a header value of ours has a line end")
