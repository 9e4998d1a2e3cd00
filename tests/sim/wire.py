"""Messages as an honest user agent writes them (RFC 3261 8.1.1, 8.2.6), and the lines that ladders show of them."""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.sip.message import REASONS, Request, Response, encode_request, encode_response

Header = tuple[str, str]
Message = Request | Response
SDP = "application/sdp"


def write_request(
    method: str,
    uri: str,
    *,
    via: str,
    from_: str,
    to: str,
    call_id: str,
    cseq: int,
    contact: str | None = None,
    route: Sequence[str] = (),
    extra: Sequence[Header] = (),
    body: bytes = b"",
    max_forwards: int = 70,
) -> bytes:
    """A request. A body is SDP unless `extra` names its Content-Type."""
    headers = [("Via", via), ("Max-Forwards", str(max_forwards))]
    headers += [("Route", each) for each in route]
    headers += [("From", from_), ("To", to), ("Call-ID", call_id), ("CSeq", f"{cseq} {method}")]
    return encode_request(method, uri, _finish(headers, contact, extra, body), body)


def write_response(
    request: Request,
    status: int,
    *,
    to_tag: str = "",
    reason: str = "",
    contact: str | None = None,
    extra: Sequence[Header] = (),
    body: bytes = b"",
) -> bytes:
    """A response to that request. `to_tag` is added where its To has none; "" adds none (100)."""
    to = request.get("To") or ""
    if to_tag and request.to_tag is None:
        to += f";tag={to_tag}"
    headers = [("Via", each) for each in request.all("Via")]
    headers += [("Record-Route", each) for each in request.all("Record-Route")]
    headers += [("From", request.get("From") or ""), ("To", to)]
    headers += [("Call-ID", request.call_id), ("CSeq", request.get("CSeq") or "")]
    return encode_response(status, reason or REASONS.get(status, ""), _finish(headers, contact, extra, body), body)


def _finish(headers: list[Header], contact: str | None, extra: Sequence[Header], body: bytes) -> list[Header]:
    if contact is not None:
        headers.append(("Contact", contact))
    headers += extra
    if body and not any(name == "Content-Type" for name, _ in extra):
        headers.append(("Content-Type", SDP))
    return headers


def has_sdp(message: Message) -> bool:
    """Whether it carries a session description."""
    return bool(message.body) and message.content_type == SDP


def split_origin(body: bytes) -> tuple[tuple[str, ...], bytes]:
    """The fields of the o= line (username, id, version, IN, IP4, address), and the body without that line."""
    lines = body.split(b"\r\n")
    origin = next((line for line in lines if line.startswith(b"o=")), b"o=")
    rest = b"\r\n".join(line for line in lines if not line.startswith(b"o="))
    return tuple(origin[2:].decode("utf-8", "replace").split()), rest


def kind(message: Message) -> str:
    """`INVITE`, or `180 INVITE`: what a line of a flow calls it."""
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.cseq.method}"


def describe(data: bytes) -> str:
    """One line of a ladder; octets that are no message are shown as they begin."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    wanted = {"call-id": "", "cseq": ""}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() in wanted:
            wanted[name.strip().lower()] = value.strip()
    start = lines[0] if len(lines[0]) <= 60 else lines[0][:57] + "..."
    if not wanted["cseq"]:
        return f"{data[:50]!r}"
    session = ""
    if b"\r\nm=" in body:
        origin, _rest = split_origin(body)
        session = f" sdp v{origin[2]}" if len(origin) > 2 else " sdp"
    number = wanted["cseq"].partition(" ")[0]
    method = wanted["cseq"] if start.startswith("SIP/2.0") else number
    return f"{start.removeprefix('SIP/2.0 ').removesuffix(' SIP/2.0')}  [{method}] {wanted['call-id'][:12]}{session}"
