"""Offer and answer (RFC 3264): directions, formats, and the answers and offers that we make ourselves.

Owns what follows from two descriptions; remembers nothing. Directions are computed from an offer each time anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from b2bua.effects import Codec
from b2bua.sdp.rewriting import directed, limited
from b2bua.sdp.session import Direction, Media, Session

Format: TypeAlias = tuple[str, int, int]
"""An encoding: its name in lower case, clock rate in hertz, channels (RFC 8866 section 6.6)."""

TELEPHONE_EVENT = "telephone-event"
PLAIN = frozenset(("RTP/AVP", "RTP/AVPF"))
"""The protocols of streams that we can send and understand ourselves."""

# RFC 3551 table 4: payload types that need no rtpmap.
_STATIC: dict[str, Format] = {
    "0": ("pcmu", 8000, 1),
    "3": ("gsm", 8000, 1),
    "4": ("g723", 8000, 1),
    "8": ("pcma", 8000, 1),
    "9": ("g722", 8000, 1),
    "13": ("cn", 8000, 1),
    "15": ("g728", 8000, 1),
    "18": ("g729", 8000, 1),
}

# What says where a stream goes or which way, but not what it is (RFC 8445, RFC 3605, RFC 3264).
_PASSING = frozenset(
    (*Direction, "candidate", "remote-candidates", "end-of-candidates", "ice-ufrag", "ice-pwd", "ice-options", "rtcp")
)


class Own(msgspec.Struct, frozen=True, gc=False):
    """A format that we can speak: `name` as rtpmap spells it, and the payload type by which we offer it."""

    name: str
    payload_type: int
    clock: int
    channels: int


OWN: dict[Codec, Own] = {
    "PCMU": Own("PCMU", 0, 8000, 1),
    "PCMA": Own("PCMA", 8, 8000, 1),
    "G722": Own("G722", 9, 8000, 1),
    "opus": Own("opus", 96, 48000, 2),
}
"""What we can play, by the names that the media process has for it; opus always has two channels (RFC 7587)."""


def sends(direction: Direction) -> bool:
    """Whether whoever says this sends."""
    return direction in (Direction.SENDRECV, Direction.SENDONLY)


def receives(media: Media) -> bool:
    """Whether whoever describes this stream wants to hear us: refused and held streams are not (RFC 3264 8.4)."""
    return media.port != 0 and not media.held


def direction_of(sending: bool, receiving: bool) -> Direction:
    """The direction of one who does these two."""
    if sending:
        return Direction.SENDRECV if receiving else Direction.SENDONLY
    return Direction.RECVONLY if receiving else Direction.INACTIVE


def answer_direction(offered: Media, sending: bool, receiving: bool) -> Direction:
    """What we answer to this stream when we would send and receive so (RFC 3264 section 6.1)."""
    return direction_of(sending and receives(offered), receiving and sends(offered.direction))


def audio_of(session: Session) -> int | None:
    """Which stream is the conversation: the first audio that is not refused."""
    return next((i for i, m in enumerate(session.media) if m.kind == "audio" and m.port), None)


def holds(session: Session) -> bool:
    """Whether the one who says this does not hear its peer's audio; a description without audio holds nothing."""
    number = audio_of(session)
    return number is not None and not receives(session.media[number])


def formats_of(media: Media) -> dict[str, Format]:
    """The encodings of a stream by payload type as text, in its order of preference."""
    mapped: dict[str, Format] = {}
    for name, value in media.attributes:
        if name == "rtpmap" and value is not None:
            payload_type, _, encoding = value.partition(" ")
            words = encoding.strip().split("/")
            if len(words) >= 2 and words[1].isascii() and words[1].isdigit():
                channels = int(words[2]) if len(words) > 2 and words[2].isascii() and words[2].isdigit() else 1
                mapped[payload_type] = (words[0].lower(), int(words[1]), channels)
    found = {}
    for text in media.formats:
        format = mapped.get(text) or _STATIC.get(text)
        if format is not None:
            found[text] = format
    return found


def same_content(one: Session, other: Session) -> bool:
    """Whether two descriptions say the same of their streams, but for where they are sent to."""
    return _content_of(one) == _content_of(other)


def _content_of(session: Session) -> list[tuple[object, ...]]:
    return [
        (
            media.kind,
            bool(media.port),
            media.port and (media.protocol, media.formats, media.held, sends(media.direction), _lasting(media)),
        )
        for media in session.media
    ]


def _lasting(media: Media) -> list[tuple[str, str | None]]:
    return [each for each in media.attributes if each[0] not in _PASSING]


def common_formats(offered: Media, told: Media) -> frozenset[str]:
    """The payload types that mean the same in both: a number never changes its meaning within a dialog."""
    ours = formats_of(told)
    return frozenset(text for text, format in formats_of(offered).items() if ours.get(text) == format)


def playable(media: Media, codecs: Sequence[Codec]) -> tuple[Codec, int] | None:
    """The first format of a stream that we can play: our name for it, and its payload type there.

    Nothing of a stream that is encrypted (RFC 3711).
    """
    if media.protocol.upper() not in PLAIN:
        return None
    for text, format in formats_of(media).items():
        for name in codecs:
            own = OWN[name]
            if format == (own.name.lower(), own.clock, own.channels) and text.isdigit():
                return name, int(text)
    return None


def answer(offer: Session, told: bytes, told_session: Session, directions: Sequence[Direction]) -> bytes:
    """Our answer to a later offer of a peer who has been told `told`: the same streams, as far as it still offers them.

    `directions` has an entry for each stream of the offer. Streams that are new are refused. The o= line is the one of
    `told`, to be replaced by the sender's.
    """
    formats = [
        common_formats(offered, before) if offered.kind == before.kind and offered.port else frozenset[str]()
        for offered, before in zip(offer.media, told_session.media, strict=False)
    ]
    streams = len(told_session.media)
    ways = [directions[i] if i < len(directions) else Direction.INACTIVE for i in range(streams)]
    body = limited(directed(told, ways), formats)
    return body + b"".join([refused_stream(media) for media in offer.media[streams:]])


def first_answer(offer: Session, host: str, port: int, chosen: Sequence[str]) -> bytes:
    """Our answer to a first offer: its conversation with the `chosen` payload types, every other stream refused.

    The o= line is a placeholder for the sender's own.
    """
    number = audio_of(offer)
    lines = [_head(host)]
    for i, media in enumerate(offer.media):
        if i != number:
            lines.append(refused_stream(media))
            continue
        direction = answer_direction(media, sending=True, receiving=True)
        formats = formats_of(media)
        text = f"m=audio {port} {media.protocol} {' '.join(chosen)}\r\n"
        for payload_type in chosen:
            if payload_type in formats:
                text += f"a=rtpmap:{payload_type} {_encoding(media, payload_type, formats[payload_type])}\r\n"
        for name, value in media.attributes:
            if name == "fmtp" and value is not None and value.partition(" ")[0] in chosen:
                text += f"a=fmtp:{value}\r\n"
        lines.append(f"{text}a=ptime:20\r\na={direction}\r\n".encode("utf-8", "surrogateescape"))
    return b"".join(lines)


def first_offer(host: str, port: int, codecs: Sequence[Codec]) -> bytes:
    """Our offer to one who called without any. The o= line is a placeholder for the sender's own."""
    own = [OWN[name] for name in codecs]
    types = " ".join([*(str(each.payload_type) for each in own), "101"])
    text = f"m=audio {port} RTP/AVP {types}\r\n"
    for each in own:
        channels = f"/{each.channels}" if each.channels > 1 else ""
        text += f"a=rtpmap:{each.payload_type} {each.name}/{each.clock}{channels}\r\n"
    text += f"a=rtpmap:101 {TELEPHONE_EVENT}/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    return _head(host) + text.encode()


def _head(host: str) -> bytes:
    family = "IP6" if ":" in host else "IP4"
    return f"v=0\r\no=- 0 0 IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n".encode()


def _encoding(media: Media, payload_type: str, format: Format) -> str:
    """An encoding as the peer spelt it."""
    for name, value in media.attributes:
        if name == "rtpmap" and value is not None and value.partition(" ")[0] == payload_type:
            return value.partition(" ")[2].strip()
    name, clock, _ = format
    return f"{name.upper()}/{clock}"


def refused_stream(media: Media) -> bytes:
    """A stream that is not wanted (RFC 3264 section 6)."""
    return f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}\r\n".encode("utf-8", "surrogateescape")
