"""A user agent on the network: who it is, its transactions by their keys, its calls (RFC 3261 sections 8 and 17).

Owns what every party does with a message before anybody decides anything: matching responses to what was asked,
repetitions to what was answered, ACK and CANCEL to their INVITE. What comes to nothing is reported, for nobody but
the core speaks to these parties. What a party wants of its calls stands in its `Plan`; `phone` and `gateway` say who
registers and who challenges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from b2bua.effects import Flow
from b2bua.sip.digest import answer as answer_challenge
from b2bua.sip.digest import choose
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import Challenge
from b2bua.sip.message import Request, Response
from b2bua.sip.parser import parse
from b2bua.sip.uri import Uri

from .call import Call
from .called import IncomingCall
from .caller import OutgoingCall
from .clock import Clock
from .link import Link, Place
from .plan import Plan
from .reliable import ReliableIncoming, ReliableOutgoing
from .transactions import ClientTransaction, ServerTransaction
from .wire import Header, write_request, write_response

Report = Callable[[str, str, str], None]


class Agent:
    """One party. `server` is where it sends everything; `report(rule, text, call_id)` is told what must not be.

    One that is `secure` has a sips URI.
    """

    def __init__(
        self, name: str, place: Place, server: Place, clock: Clock, link: Link, draw: Random, report: Report
    ) -> None:
        self.name = name
        self.place = place
        self.clock = clock
        self.draw = draw
        self.report = report
        self.calls: dict[str, Call] = {}
        self.dead = False
        self.secure = False
        self.realms: dict[str, tuple[str, str]] = {}
        self._server = server
        self._link = link
        self._stream: Flow | None = None
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str], ServerTransaction] = {}
        self._nonces: dict[str, tuple[Challenge, int]] = {}
        link.attach(place, self)

    @property
    def reliable(self) -> bool:
        """Whether its transport is a stream."""
        return self.place.transport != "UDP"

    @property
    def contact(self) -> str:
        """Its Contact, in angle brackets."""
        if self.secure:
            return f"<sips:{self.name}@{self.place.host}:{self.place.port}>"
        parameter = f";transport={self.place.transport.lower()}" if self.reliable else ""
        return f"<sip:{self.name}@{self.place.host}:{self.place.port}{parameter}>"

    def plan_for(self, request: Request) -> Plan:
        """What it will do with a call that comes in."""
        raise NotImplementedError(f"{self.name} takes no calls: {request.uri}")

    def fall_silent(self) -> None:
        """It dies as it stands: nothing is sent or heard any more."""
        self.dead = True

    # -- sending

    def token(self, prefix: str = "") -> str:
        """A new branch, tag or Call-ID."""
        return f"{prefix}{self.draw.getrandbits(64):016x}"

    def transmit(self, data: bytes, flow: Flow | None = None) -> None:
        """Send octets: by the flow a request came on, or the party's own."""
        if not self.dead:
            self._link.send(data, flow or self._own_flow())

    def _own_flow(self) -> Flow:
        if not self.reliable:
            return Flow("UDP", self.place.host, self.place.port, self._server.host, self._server.port)
        if self._stream is None:
            outgoing = Place(self.place.transport, self.place.host, 30_000 + self.draw.randrange(30_000))
            self._stream = self._link.connect(outgoing, self._server)
        return self._stream

    def via(self, branch: str) -> str:
        """Its Via, with rport (RFC 3581)."""
        return f"SIP/2.0/{self.place.transport} {self.place.host}:{self.place.port};branch={branch};rport"

    def ask(
        self,
        method: str,
        uri: str,
        *,
        from_: str,
        to: str,
        call_id: str,
        cseq: int,
        heard: Callable[[Response], None],
        timed_out: Callable[[], None],
        contact: bool = True,
        branch: str = "",
        route: Sequence[str] = (),
        extra: Sequence[Header] = (),
        body: bytes = b"",
    ) -> str:
        """Send a request and start its transaction; its branch."""
        branch = branch or self.token("z9hG4bK")
        write = partial(
            write_request, from_=from_, call_id=call_id, cseq=cseq, via=self.via(branch), route=tuple(route)
        )
        data = write(method, uri, to=to, contact=self.contact if contact else None, extra=tuple(extra), body=body)
        self._clients[branch, method] = ClientTransaction(
            self.clock,
            self.transmit,
            data,
            invite=method == "INVITE",
            reliable=self.reliable,
            heard=heard,
            timed_out=timed_out,
            write_ack=lambda response: write("ACK", uri, to=response.get("To") or to),
        )
        return branch

    def abandon(self, branch: str) -> None:
        """Stop waiting for an INVITE's answer."""
        self._clients[branch, "INVITE"].abandon()

    def reply(
        self,
        request: Request,
        transaction: ServerTransaction,
        status: int,
        *,
        to_tag: str = "",
        contact: str | None = None,
        extra: Sequence[Header] = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request."""
        data = write_response(request, status, to_tag=to_tag, contact=contact, extra=extra, body=body)
        transaction.respond(status, data)

    # -- digest, as the one who is asked

    def credentials(self, method: str, uri: str, response: Response | None = None) -> list[Header]:
        """The header that answers a 401 or 407; without one, what an earlier challenge still allows (RFC 7616 3.3).

        Empty when there is no challenge that this party can answer.
        """
        proxy = response is not None and response.status == 407
        if response is not None:
            lines = response.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")
            challenge = choose([Challenge.parse(line) for line in lines])
            if challenge is None or challenge.realm not in self.realms:
                return []
            self._nonces[challenge.realm] = (challenge, 0)
        if not self._nonces:
            return []
        realm, (challenge, count) = next(iter(self._nonces.items()))
        self._nonces[realm] = (challenge, count + 1)
        username, password = self.realms[realm]
        made = answer_challenge(challenge, method, uri, username, password, self.token(), count + 1, b"")
        return [("Proxy-Authorization" if proxy else "Authorization", str(made))]

    # -- receiving

    def drop_stream(self) -> None:
        """Close the connection to the server, if there is one; the next request opens another."""
        if self._stream is not None:
            self._link.close(self._stream.connection)
            self._stream = None

    def broken(self, flow: Flow) -> None:
        """A stream closed, or nobody was there: the next request opens another."""
        if self._stream is not None and flow.connection == self._stream.connection:
            self._stream = None

    def received(self, data: bytes, flow: Flow) -> None:
        """Octets have come from the network."""
        if self.dead:
            return
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._response(message)
            else:
                self._request(message, flow)
        except PeerError as error:
            self.report("readable", f"{self.name} cannot read {data[:60]!r}: {error}", "")

    def _response(self, response: Response) -> None:
        transaction = self._clients.get((response.via.branch or "", response.cseq.method))
        if transaction is None:
            text = f"{self.name} asked nothing that {response.status} {response.cseq.method} answers"
            self.report("known", text, response.call_id)
        else:
            transaction.receive(response)

    def _request(self, request: Request, flow: Flow) -> None:
        branch = request.via.branch or ""
        if request.method == "ACK":
            self._acknowledge(request, branch)
            return
        transaction = self._servers.get((branch, request.method))
        if transaction is not None:
            transaction.repeated()
            return
        call = self.calls.get(request.call_id)
        transaction = ServerTransaction(
            self.clock,
            partial(self.transmit, flow=flow),
            invite=request.method == "INVITE",
            reliable=self.reliable,
            unacknowledged=partial(self._unacknowledged, request.call_id),
        )
        self._servers[branch, request.method] = transaction
        if request.method == "CANCEL":
            self._cancel(request, transaction, branch, call)
        elif request.to_tag is not None:
            self._in_dialog(request, transaction, call)
        elif request.method == "INVITE":
            self.invited(request, transaction)
        else:
            self.asked(request, transaction)

    def asked(self, request: Request, transaction: ServerTransaction) -> None:
        """Something else than a call: OPTIONS are answered."""
        self.reply(request, transaction, 200 if request.method == "OPTIONS" else 405, to_tag=self.token())

    def _acknowledge(self, request: Request, branch: str) -> None:
        transaction = self._servers.get((branch, "INVITE"))
        call = self.calls.get(request.call_id)
        if transaction is not None:
            transaction.ack()
        elif call is not None:
            call.acknowledged(request)
        else:
            self.report("known", f"{self.name} gets an ACK for no call of its own", request.call_id)

    def _cancel(self, request: Request, transaction: ServerTransaction, branch: str, call: Call | None) -> None:
        if call is None or (branch, "INVITE") not in self._servers:
            self.reply(request, transaction, 481, to_tag=self.token())
            return
        self.reply(request, transaction, 200, to_tag=call.local_tag)
        call.cancelled()

    def _in_dialog(self, request: Request, transaction: ServerTransaction, call: Call | None) -> None:
        if call is None or request.to_tag != call.local_tag:
            self.report("known", f"{self.name} gets {request.method} for no dialog of its own", request.call_id)
            self.reply(request, transaction, 481)
        else:
            call.requested(request, transaction)

    def _unacknowledged(self, call_id: str) -> None:
        if self.dead:
            return
        self.report("acknowledged", f"{self.name} waits in vain for the ACK to its final response", call_id)
        if call_id in self.calls:
            self.calls[call_id].unacknowledged()

    # -- calls

    def call(self, target: str, plan: Plan, caller: str) -> Call:
        """Call a URI; `caller` is the From URI."""
        kind = ReliableOutgoing if plan.reliable else OutgoingCall
        call = kind(self, plan, call_id=self.token(), local=caller, remote=f"<{target}>")
        self.calls[call.id] = call
        call.invite(target)
        return call

    def invited(self, request: Request, transaction: ServerTransaction) -> None:
        """A call comes in."""
        plan = self.plan_for(request)
        required = "100rel" in request.values("Require")
        kind = ReliableIncoming if plan.reliable or required else IncomingCall
        call = kind(self, plan, request, transaction)
        self.calls[call.id] = call
        call.begin()

    def address_of(self, contact: str) -> str:
        """The URI inside a Contact, as a Request-URI."""
        return str(Uri.parse(contact.strip("<>")))
