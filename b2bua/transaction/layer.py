"""All transactions of a core: which one a message belongs to, and their coming and going (RFC 3261 17.1.3, 17.2.3).

Owns the two tables of transactions. Leaves to the core what a new request is about, and a response that belongs to
none.
"""

from __future__ import annotations

from collections.abc import Callable

from b2bua.effects import Flow
from b2bua.sip.message import Request, Response
from b2bua.transaction.client import ClientTransaction, ClientUser
from b2bua.transaction.keys import merge_key, server_key
from b2bua.transaction.server import ServerKey, ServerTransaction
from b2bua.transaction.tables import Event, State
from b2bua.transaction.turn import Turn


class Transactions:
    """The transactions. `life` is how long they try, in seconds: 64*T1.

    `stray_success` is told of a 2xx to an INVITE that nobody waits for any more.
    """

    def __init__(self, turn: Turn, stray_success: Callable[[Response, ClientTransaction], None]) -> None:
        self.turn = turn
        self.t1 = turn.settings.timers.t1
        self.life = 64 * self.t1
        self.stray_success = stray_success
        self.clients: dict[tuple[str | None, str], ClientTransaction] = {}
        self.servers: dict[ServerKey, ServerTransaction] = {}
        self._merged: dict[tuple[str, str, int, str], ServerTransaction] = {}

    def __len__(self) -> int:
        return len(self.clients) + len(self.servers)

    def absorb(self, request: Request, key: ServerKey) -> bool:
        """Whether a request with this key repeats one that is known, or acknowledges a failure: then all is done."""
        transaction = self.servers.get(key)
        if transaction is None:
            return False
        if request.method != "ACK":
            transaction.step(Event.REQUEST)
            return True
        if transaction.state is State.ACCEPTED:
            return False
        transaction.step(Event.ACK)
        return True

    def merged(self, request: Request) -> bool:
        """Whether this request without a To tag has come already by another way: 482 (8.2.2.2)."""
        return merge_key(request) in self._merged

    def begin_server(self, request: Request, flow: Flow, key: ServerKey) -> ServerTransaction:
        """Start the transaction of a request that `absorb` did not know by this key."""
        transaction = ServerTransaction(self, key, request, flow)
        self.servers[key] = transaction
        if request.to_tag is None:
            transaction.merge_key = merge_key(request)
            self._merged[transaction.merge_key] = transaction
        return transaction

    def cancelled(self, request: Request) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is meant for (9.2)."""
        return self.servers.get(server_key(request, "INVITE"))

    def begin_client(
        self, method: str, branch: str, request: bytes, flow: Flow, user: ClientUser | None
    ) -> ClientTransaction:
        """Send a request and wait for its responses."""
        transaction = ClientTransaction(self, method, branch, request, flow, user)
        self.clients[branch, method] = transaction
        return transaction

    def response(self, response: Response) -> bool:
        """Hand a response to its transaction; False when there is none."""
        transaction = self.clients.get((response.via.branch, response.cseq.method))
        if transaction is None:
            return False
        transaction.received(response)
        return True

    def transport_error(self, flow: Flow) -> None:
        """What was sent by this flow did not arrive (17.1.4, 17.2.4)."""
        for client in [c for c in self.clients.values() if c.flow == flow]:
            client.step(Event.TRANSPORT_ERROR)
        for server in [s for s in self.servers.values() if s.flow == flow]:
            server.step(Event.TRANSPORT_ERROR)

    def stream_closed(self, flow: Flow) -> None:
        """A connection is gone: nothing more is received by it, and responses find another way."""
        for client in [c for c in self.clients.values() if c.flow == flow]:
            client.step(Event.TRANSPORT_ERROR)
        for server in self.servers.values():
            if server.flow == flow:
                server.stream_closed()

    def forget_client(self, transaction: ClientTransaction) -> None:
        """A client transaction is over."""
        self.clients.pop((transaction.branch, transaction.method), None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        """A server transaction is over."""
        self.servers.pop(transaction.key, None)
        if transaction.merge_key is not None:
            self._merged.pop(transaction.merge_key, None)
