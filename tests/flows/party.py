"""A party of a flow: it builds the message that a line names from what it has seen, and keeps what it is sent.

Owns the writing, its own way to the server, and one `Conversation` per Call-ID. It has no timers and no will: nothing
is repeated, answered or acknowledged unless a line says so, the ACK to a failure alone excepted.
"""

from __future__ import annotations

from random import Random

import msgspec

from b2bua.effects import Flow, Transport
from b2bua.sip.digest import answer as answer_challenge
from b2bua.sip.digest import choose
from b2bua.sip.headers import Challenge, NameAddr
from b2bua.sip.message import Request, Response, encode_request
from b2bua.sip.parser import parse
from tests.sim.link import Link, Place
from tests.sim.session import MIRRORED, Session
from tests.sim.wire import Header, has_sdp, kind, write_request, write_response

from .conversation import Conversation, answer_has_sdp
from .script import FlowError, Line, Message
from .words import Wording, wording_of

_PADDING = b"".join(b"a=x-padding:%060d\r\n" % number for number in range(20))
_WITH_CONTACT = range(101, 300)
_INSIDE = ("reINVITE", "BYE", "ACK", "PRACK", "UPDATE", "INFO")
_BEGINNING = ("INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE")


class Received(msgspec.Struct):
    """A message that came. `quiet` ones need no line of the flow; `taken` ones had one."""

    time: float
    message: Request | Response
    data: bytes
    quiet: bool
    taken: bool = False


class Actor:
    """One party. `address` is its address-of-record or the URI that From shows."""

    def __init__(self, name: str, address: str, account: tuple[str, str], place: Place, server: Place) -> None:
        self.name = name
        self.address = address
        self.place = place
        self.inbox: list[Received] = []
        self.conversations: dict[str, Conversation] = {}
        self.labels: dict[str, str] = {}
        self.current = ""
        self.last_body = b""
        self.unacknowledged: dict[str, str] = {}
        self.shows_retransmissions = False
        self.acknowledges = True
        self.hears_streams = True
        self.answers_checks = False
        self.link: Link
        self.draw: Random
        self.others: dict[str, Actor] = {}
        self.account = account
        self.behind = ""
        self.scheme = "sip"
        self.domain = ""
        self.proves = ""
        self._server = server
        self._seen: set[bytes] = set()
        self._stream: Flow | None = None
        self._nonce_uses: dict[str, int] = {}

    def join(self, link: Link, draw: Random) -> None:
        """Take a place on the network."""
        self.link, self.draw = link, draw
        link.names[self.place.host] = self.name
        link.attach(self.place, self)
        if self.hears_streams:
            stream: Transport = "TLS" if self.place.transport == "TLS" else "TCP"
            link.attach(Place(stream, self.place.host, self.place.port), self)
        if self.proves:
            link.proofs[self.place.host] = frozenset((self.proves,))

    @property
    def contact(self) -> str:
        """Its Contact."""
        transport = self.place.transport
        parameter = "" if transport == "UDP" or self.scheme == "sips" else f";transport={transport.lower()}"
        user = self.address.removeprefix("sip:").partition("@")[0]
        return f"<{self.scheme}:{user}@{self.behind or self.place.host}:{self.place.port}{parameter}>"

    # -- sending

    def perform(self, line: Line, message: Message) -> None:
        """Send what a line says. Raises FlowError where it cannot be said here."""
        if message.kind.startswith("octets"):
            text = message.kind.partition(" ")[2].strip().strip('"')
            self._transmit(text.encode().decode("unicode_escape").encode("latin-1"), None)
            return
        wording = wording_of(message, line.where)
        if wording.replacing:
            self._replace(wording, message.kind, line)
        status, _, method = message.kind.partition(" ")
        talk = self._conversation(line, status, wording)
        if wording.again:
            if message.kind not in talk.sent:
                raise FlowError(f"{line.where}: {self.name} has sent no {message.kind} before")
            data = talk.sent[message.kind]
            if wording.merged:
                branch = (talk.asked[status].via.branch or "").encode()
                data = data.replace(branch, branch + b"x", 1)
            self._transmit(data, talk.flows.get(method) if status.isdigit() else None)
        elif wording.returned:
            self._return(talk, line, status, wording)
        elif status.isdigit():
            self._respond(talk, line, int(status), method, wording)
        else:
            self._ask(talk, line, status, wording)

    def _replace(self, wording: Wording, method: str, line: Line) -> None:
        """Name a dialog as we know it (RFC 3891): in Replaces, or with what Refer-To names (RFC 3891 section 6.1)."""
        name, _, label = wording.replacing.partition(".")
        owner = self.others.get(name)
        talk = None if owner is None else owner.conversations.get(owner.labels.get(label, ""))
        if talk is None:
            raise FlowError(f"{line.where}: nobody has a call `{wording.replacing}`")
        ours = "" if "wrong" in wording.how else NameAddr.parse(talk.remote).tag or ""
        text = f"{talk.call_id};to-tag={ours or 'wrong'};from-tag={talk.local_tag}"
        text += ";early-only" * ("early-only" in wording.how)
        if method != "REFER":
            wording.headers.append(("Replaces", text))
            return
        escaped = text.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        wording.headers = [
            (key, f"{value.rstrip('>')}?Replaces={escaped}>" if key == "Refer-To" else value)
            for key, value in wording.headers
        ]

    def _conversation(self, line: Line, method: str, wording: Wording) -> Conversation:
        """The one that a line means, or a new one: a request outside dialogs begins it, unless it answers a 401."""
        label = "register" if method == "REGISTER" else line.call
        talk = self.conversations.get(self.labels.get(label, "") if label else self.current)
        if talk is not None:
            challenged = method in talk.heard and talk.heard[method].status in (401, 407)
            inside = bool(talk.target) and method != "INVITE" and not wording.uri
            again = wording.again or wording.returned
            if inside or challenged or again or method not in _BEGINNING:
                return talk
        if method not in (*_BEGINNING, "REGISTER") and not wording.uri:
            raise FlowError(f"{line.where}: {self.name} is in no such call")
        talk = self._new_conversation(f"{self.name}-{self.draw.getrandbits(48):012x}")
        self.follow(label, talk.call_id)
        return talk

    def _new_conversation(self, call_id: str) -> Conversation:
        host = self.behind or self.place.host
        session = Session(f"{self.name}-{len(self.conversations) + 1}", host, self.draw)
        talk = self.conversations[call_id] = Conversation(call_id, f"{self.draw.getrandbits(40):010x}", session)
        talk.seq = self.draw.randrange(1, 1_000)
        return talk

    def follow(self, label: str, call_id: str) -> None:
        """That call has this label from now on; without one it is the current call."""
        if label:
            self.labels[label] = call_id
        else:
            self.current = call_id

    def _return(self, talk: Conversation, line: Line, method: str, wording: Wording) -> None:
        """Send the request that came back, as a proxy does: with a Via and one hop less (RFC 3261 16.6)."""
        came = talk.got.get(method)
        if came is None:
            raise FlowError(f"{line.where}: {self.name} has got no {method} to send back")
        headers = [(name, value) for name in came.headers for value in came.all(name) if name != "Content-Length"]
        at = next(number for number, (name, _) in enumerate(headers) if name == "Via")
        headers.insert(at, ("Via", self._via(f"z9hG4bK{self.draw.getrandbits(48):012x}")))
        hops = ("Max-Forwards", str((came.max_forwards or 0) - 1))
        headers = [hops if header[0] == "Max-Forwards" else header for header in headers]
        data = encode_request(method, wording.uri or came.uri, headers, came.body)
        sent = parse(data)
        assert isinstance(sent, Request)
        talk.asked[method] = sent
        self._transmit(data, None)

    def _respond(self, talk: Conversation, line: Line, status: int, method: str, wording: Wording) -> None:
        request = talk.got.get(method)
        if request is None:
            raise FlowError(f"{line.where}: {self.name} has got no {method} to answer")
        body = wording.body or self._body(talk, wording, answer_has_sdp(request, status), request)
        extra = [*wording.headers, *_typed(wording)]
        if wording.reliable:
            talk.rseq = talk.rseq + 1 if wording.reliable == "next" else int(wording.reliable)
            extra += [("Require", "100rel"), ("RSeq", str(talk.rseq))]
        if wording.challenge:
            name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
            nonce, stale = wording.nonce or talk.local_tag, ", stale=true" if wording.stale else ""
            extra.append((name, f'Digest realm="{wording.challenge}", nonce="{nonce}", qop="auth"{stale}'))
        data = write_response(
            request,
            status,
            to_tag="" if status == 100 else wording.to_tag or talk.local_tag,
            contact=self._contact(wording, method in ("INVITE", "UPDATE") and status in _WITH_CONTACT),
            extra=extra,
            body=body,
        )
        if method == "INVITE" and status >= 300:
            self.unacknowledged[request.via.branch or ""] = f"{status} INVITE of {line.where}"
        talk.note(data, sent=True)
        self._transmit(data, talk.flows[method])
        talk.sent[f"{status} {method}"] = data

    def _ask(self, talk: Conversation, line: Line, method: str, wording: Wording) -> None:
        in_dialog = bool(talk.target) and method not in ("INVITE", "REGISTER", "CANCEL")
        if method in _INSIDE and not in_dialog and not wording.uri:
            raise FlowError(f"{line.where}: {self.name} has no dialog for {method}")
        wire_method = "INVITE" if method == "reINVITE" else method
        branch = f"z9hG4bK{self.draw.getrandbits(48):012x}"
        uri = wording.uri or (talk.target if in_dialog else self._outside_uri(method, wording))
        if method == "CANCEL":
            number, uri, branch = self._of_invite(talk, line)
        else:
            number = talk.number_for(method)
        local, remote = self._ends(talk, method, uri, in_dialog)
        answers = talk.heard.get("INVITE") if method in ("ACK", "PRACK") else None
        body = wording.body or self._body(talk, wording, talk.asks_with_sdp(method), answers)
        extra = [*wording.headers, *self._credentials(talk, wire_method, uri, wording)]
        if method == "PRACK" and not any(name == "RAck" for name, _ in extra):
            extra.append(("RAck", talk.rack()))
        hops = next((int(value) for name, value in extra if name == "Max-Forwards"), 70)
        data = write_request(
            wire_method,
            uri,
            via=self._via(branch),
            from_=next((value for name, value in extra if name == "From"), local),
            to=remote,
            call_id=talk.call_id,
            cseq=number if wording.cseq is None else wording.cseq,
            contact=self._contact(wording, wire_method in ("INVITE", "UPDATE", "REGISTER")),
            route=talk.route if in_dialog else (),
            extra=[header for header in extra if header[0] not in ("Max-Forwards", "From")] + _typed(wording),
            body=body,
            max_forwards=hops,
        )
        talk.remember(method, data)
        talk.note(data, sent=True)
        self._transmit(data, None)

    def _outside_uri(self, method: str, wording: Wording) -> str:
        """Where a request outside dialogs goes: our domain for REGISTER and OPTIONS, bob when a line says nothing."""
        if method in ("REGISTER", "OPTIONS") and not wording.target:
            return f"{self.scheme}:{self.domain}"
        target = wording.target or "bob"
        return target if ":" in target else f"{self.scheme}:{target}@{self.domain}"

    def _contact(self, wording: Wording, usual: bool) -> str | None:
        said = any(name == "Contact" for name, _ in wording.headers)
        return self.contact if usual and not said and "Contact" not in wording.left_out else None

    def _of_invite(self, talk: Conversation, line: Line) -> tuple[int, str, str]:
        invite = talk.asked.get("INVITE")
        if invite is None:
            raise FlowError(f"{line.where}: {self.name} has no INVITE to cancel")
        return invite.cseq.number, invite.uri, invite.via.branch or ""

    def _ends(self, talk: Conversation, method: str, uri: str, in_dialog: bool) -> tuple[str, str]:
        """From and To."""
        if method == "CANCEL":
            invite = talk.asked["INVITE"]
            return invite.get("From") or "", invite.get("To") or ""
        if in_dialog:
            return talk.local, talk.remote
        local = f"<{self.address}>;tag={talk.local_tag}"
        return local, f"<{self.address}>" if method == "REGISTER" else f"<{uri}>"

    def _body(self, talk: Conversation, wording: Wording, usual: bool, offered: Request | Response | None) -> bytes:
        if wording.sdp == "none" or (wording.sdp == "usual" and not usual):
            return b""
        offer = offered.body if offered is not None and has_sdp(offered) else b""
        for kind_of_stream, wanted in wording.streams:
            talk.session.want(kind_of_stream, wanted)
        if wording.protocol:
            talk.session.protocol = wording.protocol
        if wording.codecs:
            talk.session.speak(wording.codecs)
        if wording.sdp == "new":
            talk.session.move()
        direction = wording.sdp if wording.sdp in MIRRORED else ""
        body = talk.session.body(direction, offer, wording.connection)
        self.last_body = body + (_PADDING if wording.sdp == "big" else b"")
        return self.last_body

    def _credentials(self, talk: Conversation, method: str, uri: str, wording: Wording) -> list[Header]:
        """What answers the last challenge of this conversation, if that request was challenged."""
        challenged = talk.heard.get(method)
        if wording.plain or challenged is None or challenged.status not in (401, 407):
            return []
        proxy = challenged.status == 407
        lines = challenged.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")
        challenge = choose([Challenge.parse(line) for line in lines])
        if challenge is None:
            return []
        uses = self._nonce_uses[challenge.nonce] = self._nonce_uses.get(challenge.nonce, 0) + 1
        user, known = self.account
        made = answer_challenge(challenge, method, uri, user, wording.password or known, "0a4f113b", uses, b"")
        return [("Proxy-Authorization" if proxy else "Authorization", str(made))]

    def _via(self, branch: str) -> str:
        return f"SIP/2.0/{self.place.transport} {self.place.host}:{self.place.port};branch={branch};rport"

    def _transmit(self, data: bytes, flow: Flow | None) -> None:
        self.link.send(data, flow or self._own_flow())

    def _own_flow(self) -> Flow:
        if self.place.transport == "UDP":
            return Flow("UDP", self.place.host, self.place.port, self._server.host, self._server.port)
        if self._stream is None:
            outgoing = Place(self.place.transport, self.place.host, 40_000 + self.draw.randrange(20_000))
            self._stream = self.link.connect(outgoing, self._server)
        return self._stream

    # -- receiving

    def broken(self, flow: Flow) -> None:
        """A stream closed: the next request opens another."""
        if self._stream is not None and flow.connection == self._stream.connection:
            self._stream = None

    def received(self, data: bytes, flow: Flow) -> None:
        """Keep what came, and learn from it."""
        message = parse(data)
        quiet = data in self._seen and not self.shows_retransmissions
        self._seen.add(data)
        if isinstance(message, Request):
            quiet = self._request(message, flow) or quiet
        else:
            talk = self.conversations.get(message.call_id)
            if talk is not None:
                talk.learn_response(message)
                talk.agreed.pass_by(message, sent=False)
                if message.status >= 300 and message.cseq.method == "INVITE":
                    self._acknowledge_failure(talk, message)
            quiet = quiet or message.status == 100 or kind(message) == "200 CANCEL"
        self.inbox.append(Received(self.link.clock.now, message, data, quiet))

    def _request(self, request: Request, flow: Flow) -> bool:
        """Whether it needs no line: the ACK to a failure of ours, a check that is answered as a matter of course."""
        if request.method == "ACK" and self.unacknowledged.pop(request.via.branch or "", ""):
            return True
        if request.method == "OPTIONS" and self.answers_checks:
            self._transmit(write_response(request, 200, to_tag=f"{self.draw.getrandbits(40):010x}"), flow)
            return True
        talk = self.conversations.get(request.call_id) or self._new_conversation(request.call_id)
        talk.learn_request(request, flow)
        talk.agreed.pass_by(request, sent=False)
        return False

    def _acknowledge_failure(self, talk: Conversation, response: Response) -> None:
        """The ACK that its transaction would send (RFC 3261 17.1.1.3)."""
        if not self.acknowledges:
            return
        invite = talk.asked["INVITE"]
        data = write_request(
            "ACK",
            invite.uri,
            via=self._via(response.via.branch or ""),
            from_=invite.get("From") or "",
            to=response.get("To") or "",
            call_id=talk.call_id,
            cseq=invite.cseq.number,
        )
        self._transmit(data, None)


def _typed(wording: Wording) -> list[Header]:
    """The type of a body that a line gives, unless it gives that too."""
    if not wording.body or any(name == "Content-Type" for name, _ in wording.headers):
        return []
    return [("Content-Type", "text/plain")]
