"""Whole messages from a stream (RFC 3261 18.3, keep-alives of RFC 5626 3.5.1).

Owns where one message ends and the next begins, and how much a peer may make us hold. Leaves reading what was framed
to `parser`, answering a ping and closing the stream to the edge.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from b2bua.sip.errors import Malformed
from b2bua.sip.head import body_length, malformed, read_head
from b2bua.sip.limits import NO_OTHERS, MessageLimits

PASSED_OVER: Final = 16
"""How many times the longest body may be so that it is passed over, and the stream goes on."""

_PING: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*+)(?!\r\n[ \t])", re.IGNORECASE)


class KeepAlive(Enum):
    """What a stream carries between messages. `PING` is a double CRLF: a single one is the answer (RFC 5626 4.4.1)."""

    PING = "ping"


class StreamFramer:
    """The messages of one stream. After Malformed was raised the stream is good for nothing but an answer.

    `limits` are the parser's. A body beyond them is passed over: the head is handed out without it, for `parse` to
    refuse.
    """

    __slots__ = ("_buffer", "_error", "_limits", "_passing", "_scanned", "_whole")

    def __init__(self, limits: MessageLimits = NO_OTHERS) -> None:
        self._buffer = bytearray()
        self._limits = limits
        self._passing = 0
        self._scanned = 0
        self._whole = 0
        self._error: Malformed | None = None

    @property
    def pending(self) -> bool:
        """Whether an unfinished message is held."""
        return bool(self._buffer) or self._passing > 0

    @property
    def error(self) -> Malformed | None:
        """Why framing is lost, as soon as it is. None while all is well."""
        return self._error

    def feed(self, data: bytes) -> list[bytes | KeepAlive]:
        """Take what was received; give the messages and pings that are complete with it, in order.

        A message may be wrong in itself: framing is lost, and Malformed raised, only when its end is unknown (400) or
        beyond all measure (513). If whole messages came before the fault, they are returned first: then `error` is set,
        and the next call raises it.
        """
        self._buffer += data
        found: list[bytes | KeepAlive] = []
        while self._error is None:
            try:
                item = self._next()
            except Malformed as error:
                self._error = error
                break
            if item is None:
                return found
            found.append(item)
        if not found and self._error is not None:
            self._buffer.clear()
            raise self._error
        return found

    def _next(self) -> bytes | KeepAlive | None:
        """The next item at the buffer's start, None while it is not complete."""
        buffer = self._buffer
        if self._passing:
            passed = min(self._passing, len(buffer))
            self._passing -= passed
            del buffer[:passed]
            if self._passing:
                return None
        if not self._whole:
            while buffer.startswith((b"\r", b"\n")):
                if buffer.startswith(_PING):
                    del buffer[:4]
                    return KeepAlive.PING
                if _PING.startswith(buffer):
                    return None
                del buffer[:1]
            if not self._find_end():
                return None
        if len(buffer) < self._whole:
            return None
        message = bytes(buffer[: self._whole])
        del buffer[: self._whole]
        self._whole = self._scanned = 0
        return message

    def _find_end(self) -> bool:
        """Look for the end of the head, and from it compute that of the message."""
        buffer = self._buffer
        most = self._limits.header_octets + 4
        end = buffer.find(b"\r\n\r\n", self._scanned, most)
        if end < 0:
            if len(buffer) >= most:
                raise self._too_long()
            self._scanned = max(0, len(buffer) - 3)
            return False
        length = self._body_length(bytes(buffer[:end]))
        self._whole = end + 4
        if length <= self._limits.body_octets:
            self._whole += length
        else:
            self._passing = length
        return True

    def _body_length(self, head: bytes) -> int:
        """Octets of the body. Only where that is not plain is the head read here, to have what an answer needs."""
        found = _LENGTH.findall(head)
        most = self._limits.body_octets * PASSED_OVER
        if len(found) == 1 and len(found[0]) <= 9 and found[0].isdigit() and int(found[0]) <= most:
            return int(found[0])
        message = read_head(head)
        length = body_length(message)
        if length is None:
            raise malformed(message, 400, "Missing Content-Length")
        if length > most:
            raise malformed(message, 513, "Message Too Large")
        return length

    def _too_long(self) -> Malformed:
        """The error for a head beyond the limit, with the fields in front of it if they are enough to answer."""
        head = bytes(self._buffer[: max(0, self._buffer.rfind(b"\r\n", 0, self._limits.header_octets))])
        try:
            return malformed(read_head(head), 513, "Message Too Large")
        except Malformed as error:
            return Malformed(513, "Message Too Large", error.request)
