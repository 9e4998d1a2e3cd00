"""What the streams of a description say to whoever would send to them (RFC 8866, RFC 3605)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from b2bua.call.events import Content
from b2bua.dialog.dialog import is_address
from b2bua.sdp.negotiation import audio_of
from b2bua.sdp.session import NEVER, Media, Session, parse
from b2bua.sip.errors import PeerError

_RELAYED: Final = ("RTP/", "UDP/", "UDPTL")
_CONNECTION: Final = re.compile(rb"^c=IN IP[46] (\S+)", re.MULTILINE)
_HIGHEST_PORT: Final = 65535


def described(content: Content | None) -> Session:
    """What a body says; one that cannot be read, or none, says nothing."""
    return _NOTHING if content is None else read(content.body)


def read(body: bytes) -> Session:
    """What these octets say; those that cannot be read say nothing."""
    return _remembered(body) if len(body) <= _USUAL_OCTETS else _read(body)


def _read(body: bytes) -> Session:
    try:
        return parse(body)
    except PeerError:
        return _NOTHING


_remembered: Final = lru_cache(maxsize=512)(_read)
_USUAL_OCTETS: Final = 4_096
_NOTHING: Final = parse(b"v=0\no=- 0 0 IN IP4 0.0.0.0\n")


def conversation(session: Session) -> Media | None:
    """The stream that people speak by: the first audio that is not refused."""
    number = audio_of(session)
    return None if number is None else session.media[number]


def stream_of(session: Session, number: int) -> Media | None:
    """A stream by its place."""
    return session.media[number] if number < len(session.media) else None


def is_relayed(stream: Media) -> bool:
    """Whether a relay of datagrams can carry this stream."""
    return stream.port != 0 and stream.protocol.upper().startswith(_RELAYED)


def remote_of(stream: Media | None) -> tuple[str, int] | None:
    """Where this stream's sender wants to have its RTP; None where it wants none, or names no address."""
    if stream is None or not stream.port or stream.connection is None:
        return None
    host = stream.connection.address
    return (host, stream.port) if host != NEVER and is_address(host) else None


def named_host(content: Content | None) -> str | None:
    """The address that a description wants its conversation sent to: mostly the only one that it names."""
    if content is None:
        return None
    named = _CONNECTION.findall(content.body)
    if len(named) == 1:
        return str(named[0], "ascii", "replace")
    remote = remote_of(conversation(described(content)))
    return None if remote is None else remote[0]


def control_of(stream: Media | None) -> tuple[str, int] | None:
    """Where it wants to have its RTCP: the port above, or what a=rtcp says (RFC 3605)."""
    remote = remote_of(stream)
    if remote is None or stream is None:
        return None
    host, port = remote[0], remote[1] + 1
    for name, value in stream.attributes:
        if name == "rtcp" and value is not None:
            words = value.split()
            if words and words[0].isascii() and words[0].isdigit():
                port = int(words[0])
            if len(words) == 4 and is_address(words[3]):
                host = words[3]
    return (host, port) if 0 < port <= _HIGHEST_PORT else None
