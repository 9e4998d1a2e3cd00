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
        # By whether the request was ours: its offer, empty when it had none; and the offer in the 2xx to such a one.
        self._offers = {True: b"", False: b""}
        self._late = {True: b"", False: b""}

    def pass_by(self, message: Message, sent: bool) -> None:
        """A message of this dialog: we sent it, or it came."""
        if isinstance(message, Request):
            self._request(message, sent)
        elif message.cseq.method in ("INVITE", "UPDATE"):
            self._response(message, not sent)

    def _request(self, request: Request, ours: bool) -> None:
        body = request.body if has_sdp(request) else b""
        if request.method in ("INVITE", "UPDATE"):
            self._offers[ours], self._late[ours] = body, b""
        elif request.method == "ACK" and body and self._late[ours]:
            self._set(body, self._late[ours], ours)
            self._late[ours] = b""
        elif request.method == "BYE":
            self.over = True

    def _response(self, response: Response, ours: bool) -> None:
        """A response to a request that was ours, or theirs."""
        if response.status >= 300:
            self._offers[ours] = b""
            self.over = self.over or (not self._established and response.status not in (401, 407))
            return
        self._established = self._established or response.status >= 200
        if not has_sdp(response):
            return
        if self._offers[ours]:
            self._set(self._offers[ours], response.body, ours)
        else:
            self._late[ours] = response.body

    def _set(self, asker: bytes, answerer: bytes, ours: bool) -> None:
        self.mine, self.theirs = (asker, answerer) if ours else (answerer, asker)
