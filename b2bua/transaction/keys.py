"""Which transaction a message belongs to (RFC 3261 17.1.3 and 17.2.3)."""

from __future__ import annotations

from typing import Final

from b2bua.sip.message import Request
from b2bua.transaction.server import ServerKey

MAGIC: Final = "z9hG4bK"


def server_key(request: Request, method: str) -> ServerKey:
    """The key of the server transaction that a request belongs to; `method` is INVITE for ACK and CANCEL.

    A branch without the magic cookie comes from an RFC 2543 client, whose transactions are told apart by everything
    that does not change between the request, its repetitions and its ACK (17.2.3).
    """
    via = request.via
    branch = via.branch
    if branch is not None and branch[:7] == MAGIC and branch != MAGIC:
        return (branch, via.host, via.port, method)
    return (
        request.uri,
        request.from_tag or "",
        request.call_id,
        str(request.cseq.number),
        str(via),
        method,
    )


def merge_key(request: Request) -> tuple[str, str, int, str]:
    """What a request that reached us twice by different ways has in common (RFC 3261 8.2.2.2)."""
    cseq = request.cseq
    return (request.from_tag or "", request.call_id, cseq.number, cseq.method)
