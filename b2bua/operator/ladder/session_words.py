"""What a session description says, in a word: codecs, direction, hold, where the media is to go (RFC 8866, 3264).

Owns the words, and what of it is news after an earlier one of the same sender.
"""

from __future__ import annotations

from b2bua.sdp.session import Direction, Media, Session
from b2bua.sip.uri import host_port

_STATIC = {"0": "PCMU", "3": "GSM", "4": "G723", "8": "PCMA", "9": "G722", "15": "G728", "18": "G729"}
"""RFC 3551 section 6."""

_NO_CODECS = frozenset(("telephone-event", "cn", "red", "rtx", "ulpfec"))


def told_session(now: Session, before: Session | None, is_offer: bool) -> str:
    """In a word, next to what its sender said before."""
    if not now.media:
        return "no media"
    said = [_direction(now, before, is_offer)]
    streams = _streams(now)
    if before is None or streams != _streams(before):
        said.append(streams if before is None else f"now {streams}")
    elif not said[0]:
        moved = media_address(now) != media_address(before)
        said.append("moved" if moved else "as before")
    return ", ".join(filter(None, said))


def media_address(session: Session) -> str:
    """Where the first stream is to go; empty where there is none."""
    for media in session.media:
        if media.port and media.connection is not None:
            return host_port(media.connection.address, media.port)
    return ""


def _direction(now: Session, before: Session | None, is_offer: bool) -> str:
    stream = now.media[0]
    was_held = before is not None and bool(before.media) and before.media[0].held
    if stream.held:
        word = stream.direction if stream.direction != Direction.SENDRECV else "address 0.0.0.0"
        return f"on hold ({word})" if is_offer else str(word)
    if was_held and is_offer:
        return "resumed"
    return "" if stream.direction == Direction.SENDRECV else str(stream.direction)


def _streams(session: Session) -> str:
    accepted = [media for media in session.media if media.port]
    if not accepted:
        return " + ".join(f"{media.kind} refused" for media in session.media)
    return " + ".join(_stream(media) for media in accepted)


def _stream(media: Media) -> str:
    words = "/".join(dict.fromkeys(_codecs(media)))
    if "SAVP" in media.protocol:
        words = f"{words} srtp".lstrip()
    if media.kind == "audio":
        return words or "audio"
    return f"{media.kind} {words}".rstrip()


def _codecs(media: Media) -> list[str]:
    named = dict(_STATIC)
    for name, value in media.attributes:
        if name == "rtpmap" and value is not None:
            number, _, encoding = value.strip().partition(" ")
            named[number] = encoding.strip().partition("/")[0]
    codecs = [named.get(payload, payload) for payload in media.formats]
    return [codec for codec in codecs if codec.lower() not in _NO_CODECS and codec != "13"]
