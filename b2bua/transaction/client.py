"""The client's side of a transaction (RFC 3261 section 17.1, RFC 6026).

Owns sending a request again, acknowledging a failure, and waiting out stragglers, as `tables` says. Leaves to its
user (a leg) what a response means, and the ACK of a 2xx, which it only repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from b2bua.effects import Flow, Send
from b2bua.sip.message import Response
from b2bua.transaction.derived import acknowledgement
from b2bua.transaction.tables import INVITE_CLIENT, REQUEST_CLIENT, Event, State, compiled, event_of
from b2bua.transaction.timers import Timer

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


class ClientTransaction:
    """One request on its way. `request` is kept as long as it may have to be sent again."""

    __slots__ = (
        "acks",
        "branch",
        "flow",
        "interval",
        "layer",
        "life",
        "method",
        "request",
        "retry",
        "state",
        "table",
        "user",
    )

    def __init__(
        self, layer: Transactions, method: str, branch: str, request: bytes, flow: Flow, user: ClientUser | None
    ) -> None:
        self.layer = layer
        self.method = method
        self.branch = branch
        self.request = request
        self.flow = flow
        self.user = user
        self.acks: dict[str, Send] | None = None
        self.retry: Timer | None = None
        turn = layer.turn
        timers = turn.settings.timers
        self.interval = timers.t1
        invite = method == "INVITE"
        self.table: _Compiled = _INVITE if invite else _REQUEST
        self.state = State.CALLING if invite else State.TRYING
        turn.effects.append(Send(request, flow))
        if flow.transport == "UDP":
            self.retry = turn.after(timers.t1, self, "A" if invite else "E")
        self.life: Timer | None = turn.after(64 * timers.t1, self, "B" if invite else "F")

    def timer_fired(self, name: str) -> None:
        """One of this transaction's timers is due."""
        self.step(_TIMERS[name], None)

    def received(self, response: Response) -> None:
        """A response with this transaction's branch and method came."""
        if self.acks is not None:
            ack = self.acks.get(response.to_tag or "")
            if ack is not None and 200 <= response.status < 300:
                self.layer.turn.effects.append(ack)
                return
        self.step(event_of(response.status), response)

    def acknowledged(self, tag: str, ack: bytes, flow: Flow) -> None:
        """The user's ACK of the 2xx with this To tag: sent now, and again whenever that 2xx comes again."""
        if self.acks is None:
            self.acks = {}
        send = self.acks[tag] = Send(ack, flow)
        self.layer.turn.effects.append(send)

    def drop(self) -> None:
        """Wait no longer: an INVITE that was cancelled and never got its final response (9.1)."""
        self.stop_timers(None)
        self.state = State.TERMINATED
        self.user = None
        self.layer.forget_client(self)

    def step(self, event: Event, response: Response | None) -> None:
        """Do what the table says for this event."""
        row = self.table[self.state].get(event)
        if row is None:
            return
        self.state = row[0]
        for action in row[1]:
            action(self, response)
        if row[0] is _TERMINATED:
            self.stop_timers(None)
            self.user = None
            self.layer.forget_client(self)

    # What the tables' words do.

    def send_again(self, _: Response | None) -> None:
        """Send the request once more."""
        self.layer.turn.effects.append(Send(self.request, self.flow))

    def double_a(self, _: Response | None) -> None:
        """Timer A doubles without bound (17.1.1.2)."""
        self.interval *= 2
        self.retry = self.layer.turn.after(self.interval, self, "A")

    def double_e(self, _: Response | None) -> None:
        """Timer E doubles up to T2 (17.1.2.2)."""
        self.interval = min(2 * self.interval, self.layer.turn.settings.timers.t2)
        self.retry = self.layer.turn.after(self.interval, self, "E")

    def slow_e(self, _: Response | None) -> None:
        """After a provisional response timer E is T2 (17.1.2.2)."""
        self.retry = self.layer.turn.after(self.layer.turn.settings.timers.t2, self, "E")

    def stop_timers(self, _: Response | None) -> None:
        """Stop both, whichever is set."""
        timers = self.layer.turn.timers
        timers.cancel(self.retry)
        timers.cancel(self.life)
        self.retry = self.life = None

    def start_d(self, _: Response | None) -> None:
        """Wait for repeated failures: at least 32 s over datagrams, nothing over a stream (17.1.1.2)."""
        self._linger("D", max(32.0, 64 * self.layer.turn.settings.timers.t1))

    def start_k(self, _: Response | None) -> None:
        """Wait T4 for repeated responses over datagrams (17.1.2.2)."""
        self._linger("K", self.layer.turn.settings.timers.t4)

    def start_m(self, _: Response | None) -> None:
        """Wait 64*T1 for 2xx of other forks, and repeated ones, over any transport (RFC 6026 8.4)."""
        self.life = self.layer.turn.after(64 * self.layer.turn.settings.timers.t1, self, "M")
        self.request = b""

    def send_ack(self, response: Response | None) -> None:
        """Acknowledge a failure (17.1.1.3). The ACK takes the request's place: that is not sent any more."""
        assert response is not None
        self.request = acknowledgement(self.request, response.get("To") or "")
        self.send_again(response)

    def send_ack_again(self, response: Response | None) -> None:
        """Acknowledge the same failure again."""
        self.send_again(response)

    def pass_up(self, response: Response | None) -> None:
        """Tell the user, who after a final failure has nothing more to hear."""
        user = self.user
        if self.state is _COMPLETED:
            self.user = None
        if response is not None:
            if user is not None:
                user.responded(self, response)
            elif self.state is _ACCEPTED:
                self.layer.stray_success(response, self)

    def report_timeout(self, _: Response | None) -> None:
        """Tell the user that nothing came."""
        if self.user is not None:
            self.user.timed_out(self)

    def report_transport_error(self, _: Response | None) -> None:
        """Tell the user that nothing could be sent."""
        if self.user is not None:
            self.user.transport_failed(self)

    def _linger(self, name: str, delay: float) -> None:
        if self.flow.transport != "UDP":
            delay = 0.0
        self.life = self.layer.turn.after(delay, self, name)
        if self.method != "INVITE":
            self.request = b""


_Action = Callable[[ClientTransaction, "Response | None"], None]
# Looked up often: an enumeration's member costs more than a name of the module.
_TERMINATED = State.TERMINATED
_COMPLETED = State.COMPLETED
_ACCEPTED = State.ACCEPTED

_Compiled = dict[State, dict[Event, tuple[State, tuple[_Action, ...]]]]

_INVITE: _Compiled = compiled(ClientTransaction, INVITE_CLIENT, State)
_REQUEST: _Compiled = compiled(ClientTransaction, REQUEST_CLIENT, State)
_TIMERS = {
    "A": Event.TIMER_A,
    "B": Event.TIMER_B,
    "D": Event.TIMER_D,
    "E": Event.TIMER_E,
    "F": Event.TIMER_F,
    "K": Event.TIMER_K,
    "M": Event.TIMER_M,
}
