"""The descriptions that we make ourselves: for a holder, for whom we invite to music, for a caller whom we answer.

Owns what they say (RFC 3264 sections 5, 6 and 8). Leaves when they are sent to `talk`, and ports to `media`.
"""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.call.events import Content, description
from b2bua.call.media import CallMedia
from b2bua.call.side import Side
from b2bua.call.streams import conversation, described, read, stream_of
from b2bua.effects import Codec
from b2bua.routing.verdicts import Answer
from b2bua.sdp.negotiation import (
    PLAIN,
    TELEPHONE_EVENT,
    answer,
    answer_direction,
    audio_of,
    common_formats,
    direction_of,
    first_answer,
    first_offer,
    formats_of,
    playable,
    receives,
    sends,
)
from b2bua.sdp.rewriting import directed, limited, relayed
from b2bua.sdp.session import Direction
from b2bua.sdp.session import Media as Stream


def own_answer(media: CallMedia, side: Side, offer: Content | None) -> Content | None:
    """Our own answer to this side's offer, or our offer where it made none; None where the other side has to.

    We say for the other side what that one can do; whoever hears music is sent it.
    """
    told, other = side.told, media.other(side)
    if told is None:
        return None
    before = read(told)
    streams = range(len(before.media))
    if offer is None:
        return description(directed(told, [direction_of(*_abilities(side, other, number)) for number in streams]))
    session = described(offer)
    asked, known = conversation(session), conversation(before)
    if asked is None or known is None or not common_formats(asked, known):
        return None
    ways = [answer_direction(stream, *_abilities(side, other, n)) for n, stream in enumerate(session.media)]
    body = answer(session, told, before, ways)
    if not receives(asked) and other is not None and not media.is_relayed:
        body = media.led_away(side, body)
    return description(body)


def service(media: CallMedia, answered: Answer, offer: Content | None) -> Content | None:
    """Our own description for a caller whom we answer ourselves; None where we cannot serve it."""
    near, codecs = media.near, media.codecs
    media.service = answered
    if offer is None:
        port = media.port_for_service(0) if codecs else None
        return None if port is None else description(first_offer(near.host, port.port, codecs))
    session = described(offer)
    number, stream = audio_of(session), conversation(session)
    if number is None or stream is None:
        return None
    chosen = _spoken(stream, codecs, any_codec=answered.kind == "echo")
    port = media.port_for_service(number) if chosen else None
    return None if port is None else description(first_answer(session, near.host, port.port, chosen))


def invitation(media: CallMedia, side: Side) -> Content | None:
    """Our offer of music to a side whose media passes by us: its own codecs, our address; None without a port."""
    told = side.told
    stream = conversation(side.said)
    if told is None or stream is None:
        return None
    session = read(told)
    number = audio_of(session)
    port = None if number is None else media.port_beside(side)
    if number is None or port is None:
        return None
    streams = range(len(session.media))
    body = directed(told, [Direction.SENDONLY if i == number else Direction.INACTIVE for i in streams])
    body = limited(body, [common_formats(stream, session.media[i]) if i == number else None for i in streams])
    return description(relayed(body, side.host, [port.port if i == number else None for i in streams]))


def _abilities(side: Side, other: Side | None, number: int) -> tuple[bool, bool]:
    """Whether we would send to this side, and would take what it sends, on the other's behalf."""
    if other is None:
        return True, True
    stream = stream_of(other.said, number)
    if stream is None or not stream.port:
        return False, False
    music = other.plays and number == audio_of(other.said)
    return music or sends(stream.direction), receives(stream)


def _spoken(stream: Stream, codecs: Sequence[Codec], any_codec: bool) -> list[str]:
    """The payload types of our answer: the one that we speak, and keys pressed (RFC 4733) if they were offered."""
    formats = formats_of(stream)
    first = next((text for text, format in formats.items() if format[0] != TELEPHONE_EVENT), None)
    found = playable(stream, codecs)
    spoken = first if any_codec else None if found is None else str(found[1])
    if spoken is None or stream.protocol.upper() not in PLAIN:
        return []
    return [spoken, *(text for text, format in formats.items() if format[0] == TELEPHONE_EVENT)]
