"""A kept message read: what it is, of which dialog, and how it is called in a ladder.

Owns the labels, and telling a retransmission from a new message. A message that cannot be read has its first line.
"""

from __future__ import annotations

import re

import msgspec

from b2bua.sdp.session import Session
from b2bua.sdp.session import parse as parse_session
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse
from b2bua.tape import Kept

_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_TARGETED = ("INVITE", "MESSAGE")
_SIPFRAG = "message/sipfrag"


class ReadMessage(msgspec.Struct, frozen=True):
    """A message of a call. `method` is the one of its CSeq, `status` 0 for a request, `to_user` who is asked for.

    `label` is what a ladder calls it, `short` where there is little room. `same` is equal for a message and its
    retransmissions.
    """

    kept: Kept
    call_id: str
    method: str
    status: int
    label: str
    short: str
    same: tuple[object, ...]
    in_dialog: bool = False
    to_user: str = ""
    session: Session | None = None

    @property
    def is_offer(self) -> bool:
        """Whether its session description asks, as one in a request does but in what acknowledges (RFC 6337 2.2)."""
        return self.status == 0 and self.method not in ("ACK", "PRACK")

    def begins(self, method: str) -> bool:
        """Whether it is such a request outside dialogs."""
        return self.status == 0 and self.method == method and not self.in_dialog


def read_message(kept: Kept) -> ReadMessage:
    """Read one."""
    try:
        message = parse(kept.data)
        cseq = message.cseq
        to, tag = message.to.uri, message.to_tag
    except PeerError:
        return _unreadable(kept)
    status = message.status if isinstance(message, Response) else 0
    peer = (kept.sent, kept.transport, kept.remote, kept.remote_port)
    return ReadMessage(
        kept=kept,
        call_id=message.call_id,
        method=cseq.method,
        status=status,
        label=_request_label(message) if isinstance(message, Request) else _response_label(message),
        short=_short(message, status),
        same=(*peer, message.via.branch, cseq.method, cseq.number, status, tag, message.get("RSeq")),
        in_dialog=tag is not None,
        to_user=to.username or to.host,
        session=_session(message),
    )


def user_of(uri: str) -> str:
    """The user part of a URI as text; its host where there is none."""
    text = uri.partition(":")[2] or uri
    user, at, host = text.partition("@")
    return user.partition(";")[0] if at else user.partition(";")[0].partition(":")[0] or host


def _unreadable(kept: Kept) -> ReadMessage:
    first = kept.data.partition(b"\n")[0].decode("utf-8", "replace").strip()
    found = _CALL_ID.search(kept.data)
    call_id = found[1].decode("utf-8", "surrogateescape") if found else ""
    return ReadMessage(kept, call_id, "", 0, f"unreadable: {first}", "unreadable", (kept.sent, kept.data))


def _request_label(request: Request) -> str:
    method = request.method
    if method in _TARGETED and request.to_tag is None:
        return f"{method} {user_of(request.uri)}"
    if method == "INVITE":
        return "re-INVITE"
    if method == "REFER" and (target := request.get("Refer-To")):
        return f"REFER to {_user_of_address(target)}"
    if method == "NOTIFY" and _is(request, _SIPFRAG):
        return f"NOTIFY ({_first_status(request.body)})"
    return method


def _response_label(response: Response) -> str:
    said = f"{response.status} {response.reason}".strip()
    return said if response.cseq.method == "INVITE" else f"{said} to {response.cseq.method}"


def _short(message: Request | Response, status: int) -> str:
    method = message.cseq.method
    if status:
        return str(status) if method == "INVITE" else f"{status} {method}"
    if method == "NOTIFY" and _is(message, _SIPFRAG):
        return f"NOTIFY ({_first_status(message.body).partition(' ')[0]})"
    return method


def _user_of_address(text: str) -> str:
    try:
        uri = NameAddr.parse(text).uri
    except PeerError:
        return "somebody"
    return uri.username or uri.host


def _first_status(body: bytes) -> str:
    line = body.partition(b"\n")[0].decode("utf-8", "replace").strip()
    return line.removeprefix("SIP/2.0 ")


def _is(message: Request | Response, kind: str) -> bool:
    return (message.get("Content-Type") or "").partition(";")[0].strip().lower() == kind


def _session(message: Request | Response) -> Session | None:
    if not message.body or not _is(message, "application/sdp"):
        return None
    try:
        return parse_session(message.body)
    except PeerError:
        return None
