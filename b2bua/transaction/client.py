"""The client's side of a transaction (RFC 3261 section 17.1, RFC 6026).

Owns sending a request again, acknowledging a failure, and waiting out stragglers, as `tables` says. Leaves to its
user (a leg) what a response means, and the ACK of a 2xx, which it only repeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from b2bua.effects import Flow, Send
from b2bua.sip.message import Response
from b2bua.transaction.derived import acknowledgement
from b2bua.transaction.tables import INVITE_CLIENT, REQUEST_CLIENT, RESPONSES, State, compiled
from b2bua.transaction.transaction import REACHING, Transaction

if TYPE_CHECKING:
    from b2bua.transaction.layer import Transactions


class ClientUser(Protocol):
    """Whoever sent the request."""

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """A response came; after a 2xx to an INVITE, further ones that no ACK was given for too."""

    def timed_out(self, transaction: ClientTransaction) -> None:
        """No response came in 64*T1: as good as 408 (RFC 3261 8.1.3.1)."""

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """The request could not be delivered: as good as 503 (RFC 3261 8.1.3.1)."""


class ClientTransaction(Transaction):
    """One request on its way. `request` is kept while it may be sent again, `response` while it is read."""

    __slots__ = ("acks", "branch", "method", "request", "response", "user")

    def __init__(
        self, layer: Transactions, method: str, branch: str, request: bytes, flow: Flow, user: ClientUser | None
    ) -> None:
        self.method = method
        self.branch = branch
        self.request = request
        self.response: Response | None = None
        self.user = user
        self.acks: dict[str, Send] | None = None
        layer.turn.effects.append(Send(request, flow))
        if method == "INVITE":
            super().__init__(layer, flow, _INVITE, _CALLING)
            self.repeat("A", "B")
        else:
            super().__init__(layer, flow, _REQUEST, _TRYING)
            self.repeat("E", "F")

    def received(self, response: Response) -> None:
        """A response with this transaction's branch and method came."""
        if self.acks is not None and 200 <= response.status < 300:
            ack = self.acks.get(response.to_tag or "")
            if ack is not None:
                self.layer.turn.effects.append(ack)
                return
        self.response = response
        self.step(RESPONSES[response.status // 100])
        self.response = None

    def acknowledged(self, tag: str, ack: bytes, flow: Flow) -> None:
        """The user's ACK of the 2xx with this To tag: sent now, and again whenever that 2xx comes again."""
        if self.acks is None:
            self.acks = {}
        send = self.acks[tag] = Send(ack, flow)
        self.layer.turn.effects.append(send)

    def drop(self) -> None:
        """Wait no longer: an INVITE that was cancelled and never got its final response (9.1)."""
        self.state = State.TERMINATED
        self.finish()

    # What the tables' words do.

    def send_again(self) -> None:
        """Send the request once more."""
        self.layer.turn.effects.append(Send(self.request, self.flow))

    def double_a(self) -> None:
        """Timer A doubles without bound (17.1.1.2)."""
        self.interval *= 2
        self.repeat("A", "B")

    def double_e(self) -> None:
        """Timer E doubles up to T2 (17.1.2.2)."""
        self.slower()
        self.repeat("E", "F")

    def slow_e(self) -> None:
        """After a provisional response timer E is T2 (17.1.2.2)."""
        self.interval = self.layer.turn.settings.timers.t2
        self.repeat("E", "F")

    def start_d(self) -> None:
        """Wait for repeated failures: at least 32 s over datagrams, nothing over a stream (17.1.1.2)."""
        self.linger("D", max(32.0, self.layer.life))

    def start_k(self) -> None:
        """Wait T4 for repeated responses over datagrams (17.1.2.2)."""
        self.linger("K", self.layer.turn.settings.timers.t4)
        self.request = b""

    def start_m(self) -> None:
        """Wait 64*T1 for 2xx of other forks, and repeated ones, over any transport (RFC 6026 8.4)."""
        self.timer = self.layer.turn.after(self.layer.life, self, "M")
        self.request = b""

    def send_ack(self) -> None:
        """Acknowledge a failure (17.1.1.3). The ACK takes the request's place: that is not sent any more."""
        assert self.response is not None
        self.request = acknowledgement(self.request, self.response.get("To") or "")
        self.send_again()

    def send_ack_again(self) -> None:
        """Acknowledge the same failure again."""
        self.send_again()

    def pass_up(self) -> None:
        """Tell the user, who after a final failure has nothing more to hear."""
        user, response = self.user, self.response
        assert response is not None
        if self.state is _COMPLETED:
            self.user = None
        if user is not None:
            user.responded(self, response)
        elif self.state is _ACCEPTED:
            self.layer.stray_success(response, self)

    def report_timeout(self) -> None:
        """Tell the user that nothing came."""
        if self.user is not None:
            self.user.timed_out(self)

    def report_transport_error(self) -> None:
        """Tell the user that nothing could be sent."""
        if self.user is not None:
            self.user.transport_failed(self)

    def finish(self) -> None:
        """Be gone."""
        self.stop_timer()
        self.user = None
        self.layer.forget_client(self)


# Looked up often: an enumeration's member costs more than a name of the module.
_CALLING: Final = State.CALLING
_TRYING: Final = State.TRYING
_COMPLETED: Final = State.COMPLETED
_ACCEPTED: Final = State.ACCEPTED

_INVITE: Final = compiled(ClientTransaction, INVITE_CLIENT, State, REACHING)
_REQUEST: Final = compiled(ClientTransaction, REQUEST_CLIENT, State, REACHING)
