"""How a response is put together and where it goes (RFC 3261 8.2.6 and 18.2.2, RFC 3581).

Via, From, Call-ID, CSeq, Record-Route and To are the same in every response to a request: they are written once, as
the response's head, and To stands last so that a tag can follow it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from b2bua.effects import Flow, Send
from b2bua.sip.headers import Via
from b2bua.sip.message import REASONS, Request
from b2bua.transaction.lines import lines

_DEFAULT_PORT: Final = 5060


def reply_flow(request: Request, flow: Flow) -> Flow:
    """Where responses go: back along a stream; for datagrams to the source port only if rport asks for it."""
    if flow.transport != "UDP":
        return flow
    via = request.via
    port = via.port or _DEFAULT_PORT
    if port == flow.remote_port or via.rport is not None:
        return flow
    return Flow("UDP", flow.local, flow.local_port, flow.remote, port)


def response_head(request: Request, flow: Flow) -> str:
    """The unchanging headers of all responses to this request, To last and without a line end."""
    headers = request.headers
    vias = headers["Via"]
    if "," in vias[0]:
        vias = request.values("Via")
    before = f"Via: {_seen_from(vias[0], request.via, flow)}\r\n"
    if len(vias) > 1:
        before += "".join(map("Via: {}\r\n".format, vias[1:]))
    if "Record-Route" in headers:
        before += "".join(map("Record-Route: {}\r\n".format, headers["Record-Route"]))
    end = "" if request.to_tag is None else "\r\n"
    return (
        f"{before}From: {headers['From'][0]}\r\nCall-ID: {request.call_id}\r\n"
        f"CSeq: {headers['CSeq'][0]}\r\nTo: {headers['To'][0]}{end}"
    )


def _seen_from(text: str, via: Via, flow: Flow) -> str:
    """The topmost Via with what it asks for: where the request was seen to come from (RFC 3581 section 4)."""
    head, asked, tail = text.partition(";rport")
    if asked and tail[:1] in ("", ";") and ";received" not in text:
        return f"{head};received={flow.remote};rport={flow.remote_port}{tail}"
    if via.rport is None and via.host == flow.remote:
        return text
    return str(via.seen_from(flow.remote, flow.remote_port))


def encode(status: int, reason: str, head: str, tag: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """A response. `tag` ends To where the request had none; LocalError on a line end in what we add."""
    to_end = "" if head.endswith("\r\n") else f";tag={tag}\r\n" if tag else "\r\n"
    length = len(body)
    text = f"SIP/2.0 {status} {reason}\r\n{head}{to_end}{lines(headers)}Content-Length: {length}\r\n\r\n"
    return text.encode("utf-8", "surrogateescape") + body


def stateless_tag(request: Request, key: bytes) -> str:
    """The To tag of a response sent without state: the same for a repeated request (RFC 3261 8.2.7)."""
    seed = f"{request.call_id}|{request.from_tag}|{request.headers['CSeq'][0]}"
    return hashlib.blake2b(seed.encode("utf-8", "surrogateescape"), key=key, digest_size=8).hexdigest()


def stateless(
    request: Request,
    flow: Flow,
    key: bytes,
    status: int,
    headers: Sequence[tuple[str, str]] = (),
    reason: str | None = None,
) -> Send:
    """A final response that leaves nothing behind here (RFC 3261 8.2.7)."""
    tag = stateless_tag(request, key)
    text = reason or REASONS.get(status, "Unknown")
    return Send(encode(status, text, response_head(request, flow), tag, headers, b""), reply_flow(request, flow))
