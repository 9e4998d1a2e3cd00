"""What a party of a flow knows of one Call-ID: the dialog's state as RFC 3261 section 12 has it, and what passed.

Owns learning from messages; writing them is the party's.
"""

from __future__ import annotations

from b2bua.effects import Flow
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse
from tests.sim.agreed import Agreed
from tests.sim.session import Session
from tests.sim.wire import has_sdp


class Conversation:
    """What a party knows of one Call-ID."""

    def __init__(self, call_id: str, local_tag: str, session: Session) -> None:
        self.call_id = call_id
        self.local_tag = local_tag
        self.local = ""
        self.remote = ""
        self.target = ""
        self.route: list[str] = []
        self.seq = 0
        self.session = session
        self.agreed = Agreed()
        self.asked: dict[str, Request] = {}
        self.got: dict[str, Request] = {}
        self.sent: dict[str, bytes] = {}
        self.heard: dict[str, Response] = {}
        self.flows: dict[str, Flow] = {}
        self.reliable: Response | None = None
        self.rseq = 0

    def number_for(self, method: str) -> int:
        """The CSeq number of the next such request: an ACK has its INVITE's."""
        if method == "ACK":
            return self.heard["INVITE"].cseq.number
        self.seq += 1
        return self.seq

    def asks_with_sdp(self, method: str) -> bool:
        """INVITE and UPDATE offer; an INVITE that does not is answered by the first PRACK, else by the ACK."""
        if method == "ACK":
            return "INVITE" in self.asked and not has_sdp(self.asked["INVITE"]) and "PRACK" not in self.asked
        if method == "PRACK":
            return "INVITE" in self.asked and not has_sdp(self.asked["INVITE"]) and "PRACK" not in self.asked
        return method in ("INVITE", "reINVITE", "UPDATE")

    def rack(self) -> str:
        """The RAck for the reliable response that came last (RFC 3262 7.2)."""
        reliable = self.reliable
        return "" if reliable is None else f"{reliable.get('RSeq')} {reliable.cseq.number} INVITE"

    def remember(self, method: str, data: bytes) -> None:
        """A request was sent."""
        request = parse(data)
        if isinstance(request, Request):
            self.asked[request.method] = request
            if method == "INVITE":
                self.local, self.remote = request.get("From") or "", request.get("To") or ""
        self.sent[method] = data

    def note(self, data: bytes, sent: bool) -> None:
        """What passes agrees on media, or does not."""
        self.agreed.pass_by(parse(data), sent)

    def learn_request(self, request: Request, flow: Flow) -> None:
        """A request came."""
        self.got[request.method] = request
        self.flows[request.method] = flow
        if request.method == "INVITE" and request.to_tag is None:
            self.local = f"{request.get('To')};tag={self.local_tag}"
            self.remote = request.get("From") or ""
            self.route = request.values("Record-Route")
        if request.method in ("INVITE", "UPDATE"):
            self.target = _target(request)

    def learn_response(self, response: Response) -> None:
        """A response came; one to INVITE with a tag makes or refreshes the dialog (RFC 3261 12.1.2, 12.2.1.2)."""
        self.heard[response.cseq.method] = response
        if response.cseq.method == "INVITE" and 100 < response.status < 300:
            if response.get("RSeq"):
                self.reliable = response
            self.remote = response.get("To") or ""
            self.target = _target(response)
            self.route = response.values("Record-Route")[::-1]


def answer_has_sdp(request: Request, status: int) -> bool:
    """Whether a response of that status carries a description by itself."""
    if request.method == "INVITE":
        return status == 200 or (status == 183 and has_sdp(request))
    return request.method in ("UPDATE", "PRACK") and status == 200 and has_sdp(request)


def _target(message: Request | Response) -> str:
    contacts = message.contacts
    return str(contacts[0].uri) if isinstance(contacts, list) and contacts else ""
