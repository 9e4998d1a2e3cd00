"""The head of a message: start line, header fields, and what each message must have (RFC 3261 7.1 to 7.3, 8.1.1).

Owns the fields without which a message is none, and the error for one that breaks the rules. Leaves the body and its
length to `parser` and `framer`, all other fields to whoever asks for them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from b2bua.sip.errors import Malformed, PeerError
from b2bua.sip.grammar import BLANK, is_number, is_token
from b2bua.sip.message import Headers, Request, Response, has_stray_nul
from b2bua.sip.names import SPELLINGS, canonical
from b2bua.sip.uri import CACHED_LENGTH

LINES_KEPT: Final = 4096
"""Lines that are remembered as they were read."""

ORDINARY_OCTETS: Final = 2_048
"""The longest head whose lines are remembered: all of them together then never hold more than some 20 MB."""

_FOLD: Final = re.compile(r"\r\n[ \t]+")
_VERSION: Final = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_KEPT: Final = frozenset(SPELLINGS.values())
_STATUSES: Final = {str(status): status for status in range(100, 700)}
_USUAL_METHODS: Final = frozenset(("ACK", "BYE", "CANCEL", "INVITE", "OPTIONS", "REGISTER"))
"""Methods that need no look at their characters."""

_ONCE: Final = frozenset(
    ("Call-ID", "Content-Length", "Content-Type", "CSeq", "From", "Max-Breadth", "Max-Forwards", "Refer-To", "To")
)
"""Fields whose repetition leaves no one meaning."""


def read_head(head: bytes) -> Request | Response:
    """The message that starts so, up to and without the empty line; its body is empty. Malformed."""
    start, headers, fault = _read_fields(head)
    if start[:4].upper() == "SIP/":
        return _read_response(start, headers, fault)
    return _read_request(start, headers, fault)


def malformed(message: Request | Response, status: int, reason: str) -> Malformed:
    """The error for a message whose head is in order."""
    if isinstance(message, Request) and message.method != "ACK":
        return Malformed(status, reason, message)
    return Malformed(status, reason)


def body_length(message: Request | Response) -> int | None:
    """Octets that Content-Length announces, None without one. Malformed for anything that is no number of octets."""
    text = message.get("Content-Length")
    if text is None:
        return None
    if not is_number(text) or len(text) > 9:
        raise malformed(message, 400, "Bad Content-Length")
    return int(text)


def _read_fields(head: bytes) -> tuple[str, Headers, str | None]:
    """Start line, fields, and the first thing that is wrong with them; what can be read is read all the same."""
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")
    start = lines.pop(0)
    # Most lines of a message were met before: in the call's last one, or in its peer's other calls.
    headers: Headers = dict(map(_remembered if len(head) <= ORDINARY_OCTETS else _read_line, lines))
    # The ordinary case: each name as we keep it, none twice, no line folded.
    if len(headers) == len(lines) and "" not in headers and not _has_ends(start):
        return start, headers, None
    return _read_unusual(text)


def _read_line(line: str) -> tuple[str, tuple[str]]:
    """Name and value of an ordinary field; the name is empty where the line has to be looked at more closely."""
    name, _, value = line.partition(":")
    if name in _KEPT and value and not _has_ends(value):
        return name, (value.strip(BLANK),)
    return "", ("",)


_remembered: Final = lru_cache(maxsize=LINES_KEPT)(_read_line)


def _has_ends(text: str) -> bool:
    """Whether there is what a line has only at its end, or a NUL."""
    return "\n" in text or "\r" in text or "\0" in text


def _read_unusual(text: str) -> tuple[str, Headers, str | None]:
    """The same for lines of which some are repeated, unknown, compact, folded, empty, or wrong."""
    start, *lines = _FOLD.sub(" ", text).split("\r\n")
    ends = text.count("\r\n")
    stray = text.count("\n") != ends or text.count("\r") != ends or has_stray_nul(text)
    headers, unread = _read_lines(lines)
    return start, headers, "Stray CR, LF Or NUL" if stray else unread


def _read_lines(lines: list[str]) -> tuple[Headers, str | None]:
    headers: dict[str, list[str]] = {}
    fault = None
    for line in lines:
        name, colon, value = line.partition(":")
        key = SPELLINGS.get(name)
        if key is None:
            name = name.rstrip(BLANK)
            if not is_token(name):
                fault = fault or "Bad Header Line"
                continue
            key = canonical(name)
        if not colon:
            fault = fault or "Bad Header Line"
        elif key in headers:
            headers[key].append(value.strip(BLANK))
            if key in _ONCE:
                fault = fault or f"Repeated {key}"
        else:
            headers[key] = [value.strip(BLANK)]
    return dict(headers), fault


def _read_response(start: str, headers: Headers, fault: str | None) -> Response:
    code, reason = _read_status(start) if len(start) > CACHED_LENGTH else _status(start)
    if fault is not None:
        raise Malformed(400, fault)
    response = Response(code, reason, headers, b"")
    try:
        response.read_mandatory()
    except PeerError as error:
        raise Malformed(error.status, error.reason) from None
    return response


def _read_status(start: str) -> tuple[int, str]:
    version, _, rest = start.partition(" ")
    status, _, reason = rest.partition(" ")
    code = _STATUSES.get(status)
    if code is None or (version != "SIP/2.0" and version.upper() != "SIP/2.0"):
        raise Malformed(400, "Bad Status Line")
    return code, reason


_status: Final = lru_cache(maxsize=1024)(_read_status)


def _read_request(start: str, headers: Headers, fault: str | None) -> Request:
    parts = start.split(" ")
    method = parts[0]
    request = Request(method, parts[1] if len(parts) > 1 else "", headers, b"")
    try:
        if len(parts) != 3 or not (method in _USUAL_METHODS or is_token(method)):
            raise PeerError(400, "Bad Request Line")
        if parts[2] != "SIP/2.0" and parts[2].upper() != "SIP/2.0":
            known = _VERSION.fullmatch(parts[2]) is not None
            raise PeerError(505, "Version Not Supported") if known else PeerError(400, "Bad Request Line")
        if fault is not None:
            raise PeerError(400, fault)
        request.read_mandatory()
        if request.cseq.method != method:
            raise PeerError(400, "CSeq Names Another Method")
        request.read_uri()
    except PeerError as error:
        answerable = method != "ACK" and request.salvage()
        raise Malformed(error.status, error.reason, request if answerable else None) from None
    return request
