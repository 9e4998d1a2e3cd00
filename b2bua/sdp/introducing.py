"""One party's offer in a dialog where another was described before, and the answer to it on the way back (RFC 3725).

Owns what RFC 3264 section 8 asks of an offer in a dialog that has had others: as many streams at the least, and no
payload number with another meaning than it is known to have. Leaves who is introduced to whom to the call.

Deviation: what a payload number meant before the last description is not known, and not looked at (RFC 3264 8.3.2).
"""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.sdp.negotiation import (
    TELEPHONE_EVENT,
    answer_direction,
    audio_of,
    formats_of,
    receives,
    refused_stream,
    sends,
)
from b2bua.sdp.rewriting import directed, limited, shortened
from b2bua.sdp.session import Direction, Media, Session, parse
from b2bua.sip.errors import PeerError


def introduced(body: bytes, freely: bool, before: Sequence[Session]) -> bytes | None:
    """An offer as it can be made where `before` holds; None where nothing to speak by is left, or it cannot be read.

    `freely`: whoever its maker could not hear before is no matter.
    """
    try:
        session = parse(body)
    except PeerError:
        return None
    ways = [Direction.SENDRECV if freely else media.direction for media in session.media]
    known = [[each.media[number] for each in before if number < len(each.media)] for number in range(len(ways))]
    left = [_unambiguous(media, others) for media, others in zip(session.media, known, strict=True)]
    changed = limited(directed(body, ways), left)
    if _speaks(session) and not _speaks(parse(changed)):
        return None
    longest = max(before, key=lambda each: len(each.media), default=session)
    return changed + b"".join([refused_stream(media) for media in longest.media[len(ways) :]])


def returned(body: bytes, offer: Session) -> bytes:
    """The answer to that, which can be read, as one to the offer itself."""
    answers = parse(body).media[: len(offer.media)]
    ways = [
        answer_direction(offered, sends(media.direction), receives(media))
        for offered, media in zip(offer.media, answers, strict=False)
    ]
    missing = offer.media[len(answers) :]
    return directed(shortened(body, len(answers)), ways) + b"".join([refused_stream(media) for media in missing])


def _speaks(session: Session) -> bool:
    """Whether there is a stream to speak by, and not but for keys pressed (RFC 4733)."""
    number = audio_of(session)
    if number is None:
        return False
    media = session.media[number]
    meanings = formats_of(media)
    return any(text not in meanings or meanings[text][0] != TELEPHONE_EVENT for text in media.formats)


def _unambiguous(media: Media, before: Sequence[Media]) -> frozenset[str] | None:
    """The formats whose numbers have had no other meaning; None where that is all of them."""
    meanings = formats_of(media)
    known = [formats_of(each) for each in before if each.kind == media.kind]
    other = [text for text, format in meanings.items() if any(each.get(text, format) != format for each in known)]
    return frozenset(media.formats).difference(other) if other else None
