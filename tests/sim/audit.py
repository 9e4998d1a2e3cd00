"""What must hold of every message that leaves the core, whatever the call: checked as it is sent.

The rules are those of RFC 3261 that one can see from outside (7.2, 8.1.1, 8.2.6, 9.1, 12.2.1.1, 13.2.2.4, 17.1.3,
18.2.2), RFC 3264 section 8 for the o= line, and FLOWS.md's that nothing of one leg shows in the other. It knows what
came in and what went out, and nothing of how the core works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from b2bua.effects import Flow
from b2bua.sdp.negotiation import formats_of
from b2bua.sdp.session import parse as parse_sdp
from b2bua.sip.errors import Malformed, PeerError
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse

from .secure import Secrecy
from .wire import Message, has_sdp, split_origin

Report = Callable[[str, str, str], None]
_MAGIC = "z9hG4bK"


class _Asked:
    """A request that came in: where from, its headers that a response repeats, and the final response it got.

    After a 401 there may be others: challenges keep no state, so a repetition is answered anew.
    """

    __slots__ = ("final", "flow", "request")

    def __init__(self, request: Request, flow: Flow) -> None:
        self.request = request
        self.flow = flow
        self.final = 0


class Audit:
    """`report(rule, text, call_id)` is told what is wrong. `server` is the core's host address, `known` what else it is
    known as.

    The times are those of each Call-ID's first ACK to a 2xx, BYE (or CANCEL, coming in), INVITE and final response.
    """

    def __init__(self, server: str, report: Report, known: Iterable[str] = ()) -> None:
        self.first_ack_in: dict[str, float] = {}
        self.first_ack_out: dict[str, float] = {}
        self.first_bye_in: dict[str, float] = {}
        self.first_bye_out: dict[str, float] = {}
        self.invited: dict[str, float] = {}
        self.final_at: dict[str, float] = {}
        self.strangers: set[str] = set()
        self.secrecy = Secrecy()
        self._server = server
        self._ours = (server, *known)
        self._report = report
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._sent: dict[str, Request] = {}
        self._provisional: set[str] = set()
        self._cseq: dict[tuple[str, str, str], int] = {}
        self._invited_with: dict[tuple[str, str, str, int], int] = {}
        self._said: dict[tuple[str, str], tuple[tuple[str, ...], bytes]] = {}
        self._seen: set[bytes] = set()
        self._meant: dict[tuple[str, str, int], dict[str, tuple[str, int, int]]] = {}
        self._foreign: set[str] = set()

    def came_in(self, data: bytes, flow: Flow, now: float) -> None:
        """Octets that reach the core, as it sees the flow. What cannot be read is none of ours."""
        try:
            self._came_in(parse(data), flow, now)
        except Malformed as error:
            request = error.request
            if request is not None:
                method = (request.get("CSeq") or "").rpartition(" ")[2]
                self._asked.setdefault((request.via.branch or "", method), _Asked(request, flow))
        except PeerError:
            return

    def _came_in(self, message: Message, flow: Flow, now: float) -> None:
        self.secrecy.came_in(message)
        key = (message.via.branch or "", message.cseq.method)
        if isinstance(message, Response):
            if message.status < 200:
                self._provisional.add(key[0])
            return
        self._asked.setdefault(key, _Asked(message, flow))
        if message.method == "ACK":
            if (key[0], "INVITE") not in self._asked:
                self.first_ack_in.setdefault(message.call_id, now)
        elif message.method == "INVITE" and message.to_tag is None and message.call_id not in self.invited:
            self._foreign |= {message.call_id, message.from_tag or ""}
        elif message.method in ("BYE", "CANCEL"):
            self.first_bye_in.setdefault(message.call_id, now)

    def goes_out(self, data: bytes, flow: Flow, now: float) -> None:
        """Octets that the core sends."""
        if flow.remote in self.strangers:
            if not data.startswith((b"SIP/2.0 4", b"SIP/2.0 5")):
                self._report("place", f"a stranger is sent {data[:60]!r}", "")
            return
        if data in self._seen:
            return
        self._seen.add(data)
        try:
            message = parse(data)
            self.secrecy.goes_out(message, flow)
            if isinstance(message, Request):
                self._request(message, flow, now)
            else:
                self._response(message, flow, now)
            if has_sdp(message):
                self._origin(message)
        except PeerError as error:
            self._report("readable", f"the core sends {data[:60]!r}: {error}", "")

    # -- requests

    def _request(self, request: Request, flow: Flow, now: float) -> None:
        call_id, branch = request.call_id, request.via.branch or ""
        wrong = self._wrong_with(request)
        if wrong:
            self._report("request", f"{request.method}: {wrong}", call_id)
        if request.method == "CANCEL":
            self._check_cancel(request, branch)
            return
        if request.method == "ACK":
            if branch not in self._sent:
                self.first_ack_out.setdefault(call_id, now)
            return
        if request.method == "BYE":
            self.first_bye_out.setdefault(call_id, now)
        if request.method == "INVITE" and request.to_tag is None:
            self.invited.setdefault(call_id, now)
        if branch in self._sent:
            self._report("branch", f"{request.method} uses the branch of another request", call_id)
        self._sent[branch] = request
        self._check_cseq(request, flow)

    def _check_cseq(self, request: Request, flow: Flow) -> None:
        """It rises in each dialog, and from the INVITE that made several of them (RFC 3261 12.2.1.1).

        An INVITE that is tried elsewhere is the same request (RFC 3263 4.3): its number stays, its place does not. In a
        dialog that one of these places makes all the same, the numbers go on from what was sent there.
        """
        before = (request.call_id, request.from_tag or "", "")
        dialog = (*before[:2], request.to_tag or "")
        place = (request.call_id, flow.transport, flow.remote, flow.remote_port)
        last, again = self._cseq.get(dialog, -1), False
        if request.to_tag is None:
            again = request.cseq.number == last and self._invited_with.get(place, -1) < last
            self._invited_with[place] = request.cseq.number
        else:
            last = max(last, self._invited_with.get(place, self._cseq.get(before, -1)))
        if request.cseq.number <= last and not again:
            text = f"{request.method} has CSeq {request.cseq.number} after {last}"
            self._report("cseq", text, request.call_id)
        self._cseq[dialog] = request.cseq.number

    def _wrong_with(self, request: Request) -> str:
        """What an honest request of ours never lacks; empty when all is there."""
        via, vias = request.via, request.values("Via")
        if len(vias) != 1:
            return f"{len(vias)} Via values"
        if via.host not in self._ours or not (via.branch or "").startswith(_MAGIC):
            return f"Via {via}"
        if request.max_forwards is None or not 0 < request.max_forwards <= 70:
            return f"Max-Forwards {request.max_forwards}"
        if request.from_tag is None:
            return "no tag in From"
        if request.method in ("INVITE", "UPDATE"):
            contacts = request.values("Contact")
            if len(contacts) != 1 or not any(host in contacts[0] for host in self._ours):
                return f"Contact {contacts}"
        if request.from_tag in self._foreign or (request.to_tag is None and request.call_id in self._foreign):
            return "the Call-ID or the From tag of another leg"
        return ""

    def _check_cancel(self, request: Request, branch: str) -> None:
        invite = self._sent.get(branch)
        if invite is None or invite.method != "INVITE":
            self._report("cancel", "CANCEL for no INVITE", request.call_id)
        elif branch not in self._provisional:
            self._report("cancel", "CANCEL before any 1xx", request.call_id)
        elif (invite.uri, invite.cseq.number) != (request.uri, request.cseq.number):
            self._report("cancel", "CANCEL differs from its INVITE in Request-URI or CSeq", request.call_id)

    # -- responses

    def _response(self, response: Response, flow: Flow, now: float) -> None:
        call_id = response.call_id
        asked = self._asked.get((response.via.branch or "", response.cseq.method))
        name = f"{response.status} {response.cseq.method}"
        if asked is None:
            self._report("response", f"{name} answers no request", call_id)
            return
        request = asked.request
        wrong = _differs(request, response)
        if wrong:
            self._report("response", f"{name}: {wrong}", call_id)
        if flow.remote != asked.flow.remote or flow.remote_port not in _ports(asked):
            self._report("place", f"{name} goes to {flow.remote}:{flow.remote_port}", call_id)
        if asked.final and asked.final != 401:
            self._report("one final", f"{name} after {asked.final}", call_id)
        if response.status >= 200:
            asked.final = response.status
            if request.method == "INVITE" and request.to_tag is None:
                self.final_at[call_id] = now
        forms_dialog = request.method == "INVITE" and 100 < response.status < 300
        if forms_dialog and not any(host in (response.get("Contact") or "") for host in self._ours):
            self._report("response", f"{name}: Contact {response.get('Contact')}", call_id)

    # -- session descriptions

    def _origin(self, message: Message) -> None:
        own_tag = message.from_tag if isinstance(message, Request) else message.to_tag
        dialog = (message.call_id, own_tag or "")
        origin, rest = split_origin(message.body)
        if len(origin) != 6 or not origin[2].isdigit():
            self._report("origin", f"o={' '.join(origin)}", message.call_id)
            return
        self._check_formats(message, dialog)
        before = self._said.get(dialog)
        self._said[dialog] = (origin, rest)
        if before is None:
            return
        version, due = int(origin[2]), int(before[0][2]) + (rest != before[1])
        if version != due:
            text = (
                f"version {version} where {due} is due: the body {'changed' if rest != before[1] else 'did not change'}"
            )
            self._report("origin", text, message.call_id)
        if origin[:2] + origin[3:] != before[0][:2] + before[0][3:]:
            self._report("origin", f"o={' '.join(origin)} was o={' '.join(before[0])}", message.call_id)

    def _check_formats(self, message: Message, dialog: tuple[str, str]) -> None:
        """A payload number keeps the meaning that it had before, stream by stream (RFC 3264 8.3.2)."""
        for number, media in enumerate(parse_sdp(message.body).media):
            formats = formats_of(media)
            before = self._meant.get((*dialog, number), formats)
            self._meant[*dialog, number] = formats
            for text, format in formats.items():
                meant = before.get(text, format)
                if meant != format:
                    self._report("formats", f"{text} is {format} and was {meant}", message.call_id)


def _ports(asked: _Asked) -> tuple[int, ...]:
    """Where a response may go: to where its request came from, and to sent-by when that stream has closed (18.2.2)."""
    if asked.flow.transport == "UDP":
        return (asked.flow.remote_port,)
    return asked.flow.remote_port, asked.request.via.port or 5060


def _differs(request: Request, response: Response) -> str:
    """What a response must repeat of its request and does not (RFC 3261 8.2.6.2)."""
    if response.call_id != request.call_id or response.get("CSeq") != request.get("CSeq"):
        return "another Call-ID or CSeq"
    if response.get("From") != request.get("From"):
        return f"From {response.get('From')}"
    if response.status > 100 and response.to_tag is None:
        return "no tag in To"
    if request.to_tag is not None and response.to_tag != request.to_tag:
        return f"To tag {response.to_tag} for {request.to_tag}"
    asked, told = request.values("Via"), response.values("Via")
    if len(asked) != len(told) or asked[1:] != told[1:]:
        return f"Via {told}"
    return ""
