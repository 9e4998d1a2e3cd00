"""The server's side of a transaction (RFC 3261 section 17.2, RFC 6026).

Owns repeating a response, and waiting for an ACK, as `tables` says. A response's unchanging headers are written once.
Leaves to its user what to answer, and a 2xx's retransmission to the leg that sent it (RFC 3261 13.3.1.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from b2bua.effects import Flow, Send
from b2bua.sip.message import REASONS, Request
from b2bua.transaction.responses import encode, reply_flow, response_head
from b2bua.transaction.tables import INVITE_SERVER, REQUEST_SERVER, RESPONSES, State, compiled
from b2bua.transaction.transaction import REACHING, Transaction

if TYPE_CHECKING:
    from b2bua.transaction.layer import Transactions

ServerKey: TypeAlias = tuple[str | int | None, ...]


class ServerUser(Protocol):
    """Whoever answers the request."""

    def cancelled(self) -> None:
        """A CANCEL came for the request."""

    def reply_failed(self, transaction: ServerTransaction) -> None:
        """A response could not be delivered."""


class ServerTransaction(Transaction):
    """One request that came. `head` holds the headers that all its responses share.

    `tag` is the To tag of its responses, once its user has chosen one: a CANCEL's response has the same (9.2).
    """

    __slots__ = ("head", "key", "merge_key", "method", "response", "tag", "user")

    def __init__(self, layer: Transactions, key: ServerKey, request: Request, flow: Flow) -> None:
        self.key = key
        self.method = method = request.method
        self.head = response_head(request, flow)
        self.user: ServerUser | None = None
        self.response = b""
        self.tag = ""
        self.merge_key: tuple[str, str, int, str] | None = None
        if method == "INVITE":
            super().__init__(layer, reply_flow(request, flow), _INVITE, _PROCEEDING)
        else:
            super().__init__(layer, reply_flow(request, flow), _REQUEST, _TRYING)

    def stream_closed(self) -> None:
        """Responses go over a new connection to where the request says it came from (RFC 3261 18.2.2)."""
        flow = self.flow
        host, port = (str(self.key[1]), self.key[2]) if len(self.key) == 4 else (flow.remote, None)
        secure = flow.transport == "TLS"
        port = int(port or (5061 if secure else 5060))
        name = host if secure else ""
        self.flow = Flow(flow.transport, flow.local, flow.local_port, flow.remote, port, 0, name)

    @property
    def answered(self) -> bool:
        """Whether a final response was given."""
        return self.state is not _PROCEEDING and self.state is not _TRYING

    def respond(
        self,
        status: int,
        tag: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        reason: str | None = None,
    ) -> None:
        """Send a response; `tag` goes into To unless the request had one there, or is empty (100).

        Without a `reason`, or with an empty one, it is the status's own.
        """
        self.response = encode(status, reason or REASONS.get(status, "Unknown"), self.head, tag, headers, body)
        self.step(RESPONSES[status // 100])

    def drop(self) -> None:
        """Give no answer any more."""
        self.state = State.TERMINATED
        self.finish()

    # What the tables' words do.

    def send(self) -> None:
        """Send the newest response."""
        self.layer.turn.effects.append(Send(self.response, self.flow))

    def send_again(self) -> None:
        """Send the newest response, if there is one, once more."""
        if self.response:
            self.layer.turn.effects.append(Send(self.response, self.flow))

    def start_g_and_h(self) -> None:
        """Repeat a failure until its ACK comes, over datagrams, and give up after 64*T1 (17.2.1)."""
        self.repeat("G", "H")
        self._shrink()

    def double_g(self) -> None:
        """Timer G doubles up to T2 (17.2.1)."""
        self.slower()
        self.repeat("G", "H")

    def start_i(self) -> None:
        """Absorb repeated ACKs for T4 over datagrams (17.2.1)."""
        self.linger("I", self.layer.turn.settings.timers.t4)

    def start_j(self) -> None:
        """Absorb repeated requests for 64*T1 over datagrams (17.2.2)."""
        self.linger("J", self.layer.life)
        self._shrink()

    def start_l(self) -> None:
        """Absorb repeated INVITEs for 64*T1 after a 2xx, over any transport (RFC 6026 8.2)."""
        self.timer = self.layer.turn.after(self.layer.life, self, "L")
        self._shrink()

    def report_transport_error(self) -> None:
        """Tell the user that its response went nowhere."""
        if self.user is not None:
            self.user.reply_failed(self)

    def finish(self) -> None:
        """Be gone. A leg may hold what is over for as long as its call lasts."""
        self.stop_timer()
        self.user = None
        self.response = b""
        self.layer.forget_server(self)

    def _shrink(self) -> None:
        # A finished transaction outlives its call by half a minute: it keeps only what it may have to send.
        self.user = None
        self.head = ""


# Looked up often: an enumeration's member costs more than a name of the module.
_PROCEEDING: Final = State.PROCEEDING
_TRYING: Final = State.TRYING

_INVITE: Final = compiled(ServerTransaction, INVITE_SERVER, State, REACHING)
_REQUEST: Final = compiled(ServerTransaction, REQUEST_SERVER, State, REACHING)
