"""Octets become a message (RFC 3261 sections 7 and 18.3).

Owns datagrams: where the head ends and how long the body is. Leaves streams to `framer` (whose messages come here
afterwards), the head to `head`. Reading is tolerant where the meaning is clear: compact, folded and oddly spaced
fields, line feeds without carriage returns throughout, octets that are no UTF-8 (they stay what they are).
"""

from __future__ import annotations

from typing import Final

from b2bua.sip.errors import Malformed, PeerError
from b2bua.sip.framer import KeepAlive, StreamFramer
from b2bua.sip.head import body_length, malformed, read_head
from b2bua.sip.limits import NO_OTHERS, PLAIN_OCTETS, MessageLimits, check_size
from b2bua.sip.message import Request, Response

__all__ = ["KeepAlive", "Malformed", "StreamFramer", "is_keep_alive", "parse"]


_RETURN: Final = ord("\r")


def parse(data: bytes, limits: MessageLimits = NO_OTHERS) -> Request | Response:
    """The message in one datagram; octets after its body are ignored (18.3). Raises Malformed, nothing else."""
    if data < b"\x0e":
        data = data.lstrip(b"\r\n")
    head, end, body = data.partition(b"\r\n\r\n")
    line = head.find(b"\n")
    if end and (line < 0 or head[line - 1] == _RETURN):
        message = read_head(head)
    else:
        message, body = _read_without_returns(data)
    if len(data) > PLAIN_OCTETS:
        _check(message, len(data) - len(body), limits)
        if len(body) > limits.body_octets:
            raise malformed(message, 413, "Request Entity Too Large")
    lengths = message.headers.get("Content-Length")
    if lengths is not None and lengths[0] != (str(len(body)) if body else "0"):
        length = body_length(message) or 0
        if length > limits.body_octets:
            raise malformed(message, 413, "Request Entity Too Large")
        if length > len(body):
            raise malformed(message, 400, "Body Shorter Than Content-Length")
        body = body[:length]
    message.body = body
    return message


def _check(message: Request | Response, head_octets: int, limits: MessageLimits) -> None:
    try:
        check_size(message, head_octets, limits)
    except PeerError as error:
        raise malformed(message, error.status, error.reason) from None


def is_keep_alive(data: bytes) -> bool:
    """Whether a datagram only keeps a NAT binding open: nothing but line ends and NULs."""
    return not data.strip(b"\r\n\0")


def _read_without_returns(data: bytes) -> tuple[Request | Response, bytes]:
    """A message whose lines end with LF alone, or whose head has no end."""
    head, end, body = data.partition(b"\n\n")
    if b"\r" not in head:
        head = head.replace(b"\n", b"\r\n")
    message = read_head(head.removesuffix(b"\r\n"))
    if not end:
        raise malformed(message, 400, "No Empty Line After Headers")
    return message, body
