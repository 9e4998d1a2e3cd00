"""What comes of saying the same once more (RFC 3264 section 8): whether the answer changes anything.

An answer to our last description may differ from what its sender said before and yet mean the same: it leaves out what
we have not, and has a direction that fits. Owns that comparison.
"""

from __future__ import annotations

from b2bua.sdp.negotiation import common_formats, receives, sends
from b2bua.sdp.session import Media, Session


def changes(answer: Session, said: Session, told: Session) -> bool:
    """Whether this answer to `told`, in place of what was `said` before, moves a stream, turns it or takes a format."""
    if not len(answer.media) == len(said.media) == len(told.media):
        return True
    streams = zip(answer.media, said.media, told.media, strict=True)
    return any(_changes(stream, before, ours) for stream, before, ours in streams)


def _changes(answer: Media, said: Media, told: Media) -> bool:
    if not (answer.port and told.port):
        return bool(answer.port) != bool(said.port and told.port)
    place, before = (answer.connection, answer.port), (said.connection, said.port)
    if answer.kind != said.kind or place != before:
        return True
    if _ways(answer, told) != _ways(said, told):
        return True
    return not common_formats(answer, told) >= common_formats(said, told)


def _ways(peer: Media, told: Media) -> tuple[bool, bool]:
    """Whether the peer sends, and whether it hears us."""
    return sends(peer.direction) and receives(told), receives(peer) and sends(told.direction)
