"""What both ends of one dialog have told each other of their media: offers with their answers (RFC 3264).

Read from the messages of one end as they pass; nothing of it comes from the core.
"""

from __future__ import annotations

from b2bua.sip.message import Request, Response

from .wire import Message, has_sdp


class Agreed:
    """`mine` and `theirs` are in force, empty while nothing is; `over` once a BYE or a refusal has ended the dialog."""

    def __init__(self) -> None:
        self.mine = b""
        self.theirs = b""
        self.over = False
        self._established = False
        # By whether the request was ours, and its method: its offer, empty when it had none; and the offer in the
        # response to an INVITE of that kind.
        self._offers: dict[tuple[bool, str], bytes] = {}
        self._late = {True: b"", False: b""}

    def pass_by(self, message: Message, sent: bool) -> None:
        """A message of this dialog: we sent it, or it came."""
        if isinstance(message, Request):
            self._request(message, sent)
        elif message.cseq.method in ("INVITE", "UPDATE", "PRACK"):
            self._response(message, not sent)

    def _request(self, request: Request, ours: bool) -> None:
        body = request.body if has_sdp(request) else b""
        if request.method in ("INVITE", "UPDATE"):
            self._offers[ours, request.method] = body
            if request.method == "INVITE":
                self._late[ours] = b""
        elif request.method == "PRACK" and not self._late[ours]:
            self._offers[ours, "PRACK"] = body
        elif request.method in ("ACK", "PRACK") and body and self._late[ours]:
            self._set(body, self._late[ours], ours)
            self._late[ours] = b""
        elif request.method == "BYE":
            self.over = True

    def _response(self, response: Response, ours: bool) -> None:
        """A response to a request that was ours, or theirs."""
        method = response.cseq.method
        if response.status >= 300:
            self._offers[ours, method] = b""
            refused = method == "INVITE" and not self._established and response.status not in (401, 407)
            self.over = self.over or refused
            return
        self._established = self._established or (method == "INVITE" and response.status >= 200)
        if not has_sdp(response):
            return
        if self._offers.get((ours, method)):
            self._set(self._offers[ours, method], response.body, ours)
        elif method == "INVITE":
            self._late[ours] = response.body

    def _set(self, asker: bytes, answerer: bytes, ours: bool) -> None:
        self.mine, self.theirs = (asker, answerer) if ours else (answerer, asker)
