"""One phone's copy of a message: a request outside of any dialog, and what comes of it (RFC 3428 section 8).

Owns where it goes: the flow that the phone registered by, or the next hop's addresses one after the other (RFC 3263
4.3), then the phone's other flow (RFC 5626 5.3); and that nothing above 1300 octets goes by datagram, where nobody can
hold back what congests. Leaves to the delivery what the sender is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from b2bua.call.attempts import SILENCE, retry_after
from b2bua.call.leg import Stack
from b2bua.delivery.tables import COPY, CopyEvent, CopyState
from b2bua.dialog.dialog import Dialog
from b2bua.effects import Address, Answer, Flow, Resolved
from b2bua.routing.destination import Destination
from b2bua.sip.message import Response
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.delivery.delivery import Delivery

Compiled: TypeAlias = dict[CopyState, dict[CopyEvent, tuple[CopyState, tuple[Callable[..., None], ...]]]]

# RFC 3428 section 8, in octets.
_LARGEST_DATAGRAM: Final = 1300
_NOWHERE: Final = Flow("UDP", "", 0, "", 0)
# RFC 5626 5.3: what says that a flow has failed.
_FLOW_FAILED: Final = (408, 430)


class Copy:
    """`tag` is the one in its From, by which it is known should it come back to us.

    `response` is what the phone said in the end. Without one it was not reached, or is `too_large`: its size left no
    way, or only a stream that was not taken.
    """

    __slots__ = (
        "_at",
        "_body",
        "_client",
        "_destination",
        "_dialog",
        "_headers",
        "_is_by_stream",
        "_left",
        "_max_forwards",
        "_sends",
        "_silence",
        "_stack",
        "delivery",
        "response",
        "state",
        "tag",
        "too_large",
    )

    def __init__(
        self,
        stack: Stack,
        delivery: Delivery,
        destination: Destination,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        max_forwards: int,
    ) -> None:
        turn = stack.turn
        self.tag = tag = turn.draw()
        self._stack = stack
        self.delivery = delivery
        self._headers = headers
        self._body = body
        self._max_forwards = max_forwards
        call_id = turn.dated(turn.draw())
        self._dialog = Dialog(call_id, f"{destination.from_};tag={tag}", tag, destination.to, "", _NOWHERE, 0)
        self._destination = destination
        self._client: ClientTransaction | None = None
        self._sends: tuple[str, bytes] = ("", b"")
        self._at: Address | None = None
        self._left: list[tuple[Address, Flow]] = []
        self._silence: Timer | None = None
        self.response: Response | None = None
        self._is_by_stream = False
        self.too_large = False
        self.state = CopyState.RESOLVING

    @property
    def call_id(self) -> str:
        """The Call-ID that we gave it."""
        return self._dialog.call_id

    def step(self, event: CopyEvent) -> None:
        """Do what the table says for this event."""
        row = _TABLE[self.state].get(event)
        if row is not None:
            self._stack.turn.concerned = self.delivery
            self.state, actions = row
            for action in actions:
                action(self)

    def resolved(self, answer: Answer) -> None:
        """The next hop's addresses are known, or will not be."""
        if self.state is not CopyState.RESOLVING:
            return
        if isinstance(answer, Resolved):
            ways, fit = self._stack.ways, len(answer.addresses) - answer.passed_over
            found = [(address, ways.flow_to(address)) for address in answer.addresses[:fit]]
            self._left = [(address, flow) for address, flow in reversed(found) if flow is not None]
        if self._next():
            self.step(CopyEvent.RESOLVED)
        else:
            self._nowhere()

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """The phone, or a proxy on the way to it, answered."""
        self._stack.turn.timers.cancel(self._silence)
        status = response.status
        if status == 503 and self._at is not None:
            self._failed("503", retry_after(response))
        elif self._at is not None and status != 100:
            self._stack.names.succeeded(self._at)
        if status < 200:
            return
        if status == 430:
            self._stack.flow_gone(self._destination)
        self.response = response
        if (status == 503 and self._elsewhere()) or (status in _FLOW_FAILED and self._by_another_flow()):
            return
        self.step(CopyEvent.ANSWERED)

    def timed_out(self, transaction: ClientTransaction) -> None:
        """Nothing came back from there."""
        self._client = None
        self._unanswered("no response")

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """It could not be sent there."""
        self._client = None
        self.too_large = self.too_large or self._is_by_stream
        self._unanswered(self._stack.turn.why or "the next hop cannot be reached")

    def timer_fired(self, name: str) -> None:
        """Not a word from the address at work, and others are left."""
        self._unanswered("no response")

    # The ways that there are.

    def _unanswered(self, why: str) -> None:
        self._failed(why, None)
        if not self._elsewhere():
            self._nowhere()

    def _nowhere(self) -> None:
        if not self._by_another_flow():
            self.step(CopyEvent.NOWHERE)

    def _elsewhere(self) -> bool:
        """Go on to the next address; False without any."""
        if not self._next():
            return False
        self._stack.turn.count("failovers")
        self.step(CopyEvent.ELSEWHERE)
        return True

    def _by_another_flow(self) -> bool:
        spare = self._destination.spare
        if spare is None:
            return False
        self._destination = spare
        self.step(CopyEvent.ANOTHER_FLOW)
        return True

    def _failed(self, why: str, seconds: float | None) -> None:
        if self._at is not None:
            self._stack.names.failed(self._at, why, seconds)
            self._at = None

    def _next(self) -> bool:
        """Turn to the next address by which the message may go."""
        while self._left:
            self._at, flow = self._left.pop()
            if self._written(flow):
                return True
        return False

    def _written(self, flow: Flow) -> bool:
        """Write the request for this flow; False where it must not go by it for its size."""
        size, self._is_by_stream = self._write(flow), False
        if size <= _LARGEST_DATAGRAM or flow.transport != "UDP":
            return True
        destination, ways = self._destination, self._stack.ways
        if destination.flow is None and destination.hop.transport is None and ways.has("TCP", flow.remote):
            stream = ways.flow_to(Address("TCP", flow.remote, flow.remote_port))
            if stream is not None:
                self._write(stream)
                self._is_by_stream = True
                return True
        self.too_large = True
        return False

    def _write(self, flow: Flow) -> int:
        dialog, stack = self._dialog, self._stack
        branch, place = stack.branch(), stack.ways.place(flow)
        dialog.flow = flow
        data = dialog.write("MESSAGE", 1, place, branch, self._headers, self._body, self._max_forwards)
        self._sends = (branch, data)
        return len(data)

    # What the table's words do.

    def resolve(self) -> None:
        """Find the way, at once where no name has to be looked up."""
        destination, dialog = self._destination, self._dialog
        dialog.routes, dialog.target = destination.routes, destination.uri
        self._at, self._left = None, []
        address = destination.hop.address
        if destination.flow is None and address is None:
            self._stack.names.resolve(destination.hop, self)
            return
        flow = destination.flow
        if flow is None and address is not None:
            flow = self._stack.ways.flow_to(address)
        if flow is not None and self._written(flow):
            self.step(CopyEvent.RESOLVED)
        else:
            self._nowhere()

    def send(self) -> None:
        """Send what was written."""
        stack, (branch, data) = self._stack, self._sends
        self._client = stack.transactions.begin_client("MESSAGE", branch, data, self._dialog.flow, self)
        if self._left:
            self._silence = stack.turn.after(SILENCE * stack.turn.settings.timers.t1, self, "silence")

    def withdraw(self) -> None:
        """Say it no more, and hear nothing more of it."""
        self._stack.turn.timers.cancel(self._silence)
        client, self._client = self._client, None
        if client is not None:
            client.user = None
            client.drop()

    def report(self) -> None:
        """Tell what came of it."""
        self._client = None
        self.delivery.copy_over(self)


_TABLE: Final[Compiled] = compiled(Copy, COPY, CopyState, {})
