"""A user agent that does what the test says, message by message: for races, and for bad peers.

Owns one UDP socket, the text of requests and responses, digest credentials (RFC 2617) and just enough of a
dialog (RFC 3261 section 12) to write in-dialog requests. It retransmits nothing and answers nothing by
itself.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from .message import Address, Message
from .ports import block
from .program import WireError

Header = tuple[str, str]


class Peer:
    """One socket. `received` has every message that came, repetitions included; `repeated` counts those."""

    def __init__(self, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.address = Address(host, block(2, host) if port is None else port)
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self.received: list[Message] = []
        self.repeated = 0
        self._seen: set[bytes] = set()
        self._source: Address | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._socket.close()

    def send(self, text: str, to: Address) -> Message:
        """Send one message; line ends are made CRLF."""
        self._socket.sendto(text.replace("\n", "\r\n").encode(), to)
        return Message("sent", text)

    def receive(self, start: str, timeout: float = 15.0, *, passing: str = r"SIP/2\.0 100 ") -> Message:
        """Return the next new message, whose start line must match `start`.

        Repetitions are passed over, and so is what matches `passing`. Raises WireError for anything else,
        and when nothing came in `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while (message := self._next(deadline)) is not None:
            if re.match(start, message.start):
                return message
            if not re.match(passing, message.start):
                raise WireError(f"{self.address} waited for {start!r} and received:\n{message.text}")
        raise WireError(f"{self.address} received no {start!r} in {timeout:g} s; so far: {self._heard()}")

    def receive_all(self, starts: Sequence[str], timeout: float = 15.0) -> list[Message]:
        """Return one message for each of these start lines, in their order, in whatever order they come."""
        found: dict[str, Message] = {}
        deadline = time.monotonic() + timeout
        while len(found) < len(starts):
            missing = [start for start in starts if start not in found]
            message = self._next(deadline)
            if message is None:
                raise WireError(f"{self.address} received no {missing} in {timeout:g} s; so far: {self._heard()}")
            if fitting := [start for start in missing if re.match(start, message.start)]:
                found[fitting[0]] = message
            elif not message.start.startswith("SIP/2.0 100 "):
                raise WireError(f"{self.address} waited for {missing} and received:\n{message.text}")
        return [found[start] for start in starts]

    def receive_nothing(self, seconds: float) -> None:
        """Hold for `seconds` that no new message comes; WireError with the one that does."""
        message = self._next(time.monotonic() + seconds)
        if message is not None:
            raise WireError(f"{self.address} was to be left alone and received:\n{message.text}")

    def answer(
        self,
        request: Message,
        status: int,
        reason: str = "",
        *,
        tag: str = "",
        body: str = "",
        headers: Sequence[Header] = (),
    ) -> Message:
        """Answer a request (RFC 3261 section 8.2.6), to where the last message came from."""
        assert self._source is not None
        lines = [f"SIP/2.0 {status} {reason or 'Because'}"]
        lines += [f"Via: {via}" for via in request.headers("Via")]
        lines += [f"From: {request.header('From')}"]
        to = request.header("To")
        lines += [f"To: {to};tag={tag}" if tag and ";tag=" not in to else f"To: {to}"]
        lines += [f"{name}: {request.header(name)}" for name in ("Call-ID", "CSeq")]
        lines += [f"Contact: <sip:{self.address}>"] if 100 < status < 300 else []
        lines += [f"{name}: {value}" for name, value in headers]
        return self.send(_whole(lines, body), self._source)

    def sdp(self, *, direction: str = "sendrecv", version: int = 1, payloads: str = "0 101") -> str:
        """Return a description of one audio stream at the port after this one."""
        family = "IP6" if ":" in self.address.host else "IP4"
        return "\n".join(
            [
                "v=0",
                f"o=peer 1 {version} IN {family} {self.address.host}",
                "s=-",
                f"c=IN {family} {self.address.host}",
                "t=0 0",
                f"m=audio {self.address.port + 1} RTP/AVP {payloads}",
                "a=rtpmap:101 telephone-event/8000",
                f"a={direction}",
                "",
            ]
        )

    def _next(self, deadline: float) -> Message | None:
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                return None
            self._source = Address(source[0], source[1])
            message = Message("received", data.decode("utf-8", "replace").replace("\r\n", "\n"))
            self.received.append(message)
            if data not in self._seen:
                self._seen.add(data)
                return message
            self.repeated += 1
        return None

    def _heard(self) -> list[str]:
        return [message.start for message in self.received]


@dataclass
class Dialog:
    """One side of a dialog, or of a request outside any: what its requests say."""

    peer: Peer
    server: Address
    local: str
    remote: str
    target: str
    call_id: str = field(default_factory=lambda: f"{secrets.token_hex(6)}@wire")
    cseq: int = 0
    branch: str = ""

    @classmethod
    def calling(cls, peer: Peer, server: Address, user: str, dialed: str) -> Self:
        """Begin outside a dialog: `user` is to call `dialed` at the server."""
        local = f"<sip:{user}@{server}>;tag={secrets.token_hex(4)}"
        return cls(peer, server, local, f"<sip:{dialed}@{server}>", f"sip:{dialed}@{server}")

    @classmethod
    def registering(cls, peer: Peer, server: Address, user: str) -> Self:
        """Begin a sequence of REGISTER requests for a user's address-of-record (section 10.2)."""
        aor = f"<sip:{user}@{server}>"
        return cls(peer, server, f"{aor};tag={secrets.token_hex(4)}", aor, f"sip:{server}")

    @classmethod
    def called(cls, peer: Peer, server: Address, invite: Message, tag: str) -> Self:
        """Be the called side of this INVITE, under that To tag."""
        target = uri_of(invite.header("Contact"))
        to = f"{invite.header('To')};tag={tag}"
        return cls(peer, server, to, invite.header("From"), target, invite.header("Call-ID"))

    def request(self, method: str, *, body: str = "", headers: Sequence[Header] = ()) -> Message:
        """Send a request of the next CSeq number under a fresh branch."""
        self.cseq += 1
        self.branch = f"z9hG4bK{secrets.token_hex(8)}"
        return self._send(method, self.branch, self.cseq, body, headers)

    def invite(self, user: str, password: str, *, body: str | None = None, headers: Sequence[Header] = ()) -> Message:
        """Call with digest, an offer in it unless `body` says otherwise; return the INVITE that was taken."""
        offer = self.peer.sdp() if body is None else body
        return self.authorized("INVITE", user, password, body=offer, headers=headers)

    def authorized(
        self, method: str, user: str, password: str, *, body: str = "", headers: Sequence[Header] = ()
    ) -> Message:
        """Send a request, be challenged, send it again with credentials; return the second."""
        self.request(method, body=body, headers=headers)
        challenge = self.peer.receive(r"SIP/2\.0 401 ")
        if method == "INVITE":
            self.acknowledge_failure(challenge)
        proof = credentials(challenge.header("WWW-Authenticate"), method, self.target, user, password)
        return self.request(method, body=body, headers=[("Authorization", proof), *headers])

    def confirm(self, ok: Message) -> None:
        """Take the remote tag and target from a 2xx, without acknowledging it."""
        self.remote = ok.header("To")
        self.target = uri_of(ok.header("Contact"))

    def acknowledge(self, *, body: str = "") -> Message:
        """Send the ACK of a 2xx: a transaction of its own (RFC 3261 section 13.2.2.4)."""
        return self._send("ACK", f"z9hG4bK{secrets.token_hex(8)}", self.cseq, body, ())

    def acknowledge_failure(self, response: Message) -> Message:
        """Send the ACK of a final response that is no 2xx: it belongs to the INVITE (section 17.1.1.3)."""
        kept, self.remote = self.remote, response.header("To")
        sent = self._send("ACK", self.branch, self.cseq, "", ())
        self.remote = kept
        return sent

    def cancel(self) -> Message:
        """Send the CANCEL of the INVITE last sent (section 9.1)."""
        return self._send("CANCEL", self.branch, self.cseq, "", ())

    def _send(self, method: str, branch: str, cseq: int, body: str, headers: Sequence[Header]) -> Message:
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.peer.address};branch={branch};rport",
            *(() if any(name == "Max-Forwards" for name, _ in headers) else ("Max-Forwards: 70",)),
            f"From: {self.local}",
            f"To: {self.remote}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            *(() if method in ("REGISTER", "CANCEL") else (f"Contact: <sip:{self.peer.address}>",)),
            *(f"{name}: {value}" for name, value in headers),
        ]
        return self.peer.send(_whole(lines, body), self.server)


def uri_of(value: str) -> str:
    """Return the URI of a Contact, From or To value."""
    found = re.search(r"<([^>]+)>", value)
    return found[1] if found else value.split(";")[0]


def credentials(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """Return the Authorization value that answers an MD5 challenge with `qop=auth`."""
    asked = parameters(challenge)
    if "auth" not in asked.get("qop", "").split(","):
        raise WireError(f"no qop=auth in {challenge}")
    cnonce = secrets.token_hex(4)
    response = digest(user, asked["realm"], password, method, uri, asked["nonce"], cnonce)
    opaque = f', opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    return (
        f'Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm=MD5, cnonce="{cnonce}", nc=00000001, qop=auth{opaque}'
    )


def digest(user: str, realm: str, password: str, method: str, uri: str, nonce: str, cnonce: str) -> str:
    """Return the MD5 response of `qop=auth` for a nonce's first use (RFC 2617 section 3.2.2.1)."""
    secret = _md5(f"{user}:{realm}:{password}")
    return _md5(f"{secret}:{nonce}:00000001:{cnonce}:auth:{_md5(f'{method}:{uri}')}")


def parameters(value: str) -> dict[str, str]:
    """Return the parameters of a challenge or of credentials, without quotes."""
    return dict(re.findall(r'(\w+)="?([^",]*)"?', value.partition(" ")[2]))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _whole(lines: Sequence[str], body: str) -> str:
    kind = ["Content-Type: application/sdp"] if body else []
    octets = len(body.replace("\n", "\r\n").encode())
    return "\n".join([*lines, *kind, f"Content-Length: {octets}", "", body])
