"""A request of ours to a trunk, outside any call: where it goes, and to which address next (RFC 3263 4.3).

Owns one request at a time, and one timer. Leaves what is asked, and what an answer
means, to `registration` and `check`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from b2bua.call.attempts import retry_after
from b2bua.call.leg import Stack
from b2bua.dialog.dialog import Dialog
from b2bua.dialog.hops import Hop
from b2bua.effects import Address, Answer, Failed, Flow, Resolved
from b2bua.sip.message import Response
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.timers import Timer

Compiled: TypeAlias = dict[Any, dict[Any, tuple[Any, tuple[Callable[..., None], ...]]]]


class Asking:
    """One conversation with a trunk, as a table of states says. `why` is what went wrong last.

    `flow` is the way of the request that is under way or was last; `settled` the address to be tried first, whatever
    the weights of the trunk's name say.
    """

    table: ClassVar[Compiled] = {}

    __slots__ = (
        "_asks",
        "_at",
        "_elsewhere",
        "_timer",
        "_transaction",
        "flow",
        "hop",
        "settled",
        "stack",
        "state",
        "why",
    )

    def __init__(self, stack: Stack, hop: Hop, state: Any) -> None:
        self.stack = stack
        self.hop = hop
        self.state = state
        self.why = ""
        self.flow: Flow | None = None
        self._asks = False
        self._at: Address | None = None
        self.settled: Address | None = None
        self._elsewhere: list[tuple[Address, Flow]] = []
        self._timer: Timer | None = None
        self._transaction: ClientTransaction | None = None

    def step(self, event: Any) -> None:
        """Do what the table says for this event."""
        row = self.table[self.state].get(event)
        if row is not None:
            self.state, actions = row
            for action in actions:
                action(self)

    # For those who inherit.

    def found(self) -> None:
        """The trunk's addresses are known."""
        raise NotImplementedError

    def not_found(self) -> None:
        """There is no way to the trunk."""
        raise NotImplementedError

    def answered(self, response: Response) -> None:
        """The final response to what was asked."""
        raise NotImplementedError

    def unanswered(self) -> None:
        """There is none from this address."""
        raise NotImplementedError

    def due(self) -> None:
        """The time that was set has passed."""
        raise NotImplementedError

    # What the tables' words do.

    def resolve(self) -> None:
        """Find where the trunk is, at once where no name has to be looked up."""
        self.stop_timer()
        self._asks = True
        self.stack.names.resolve(self.hop, self)

    def resolved(self, answer: Answer) -> None:
        """The trunk's addresses are known, or will not be. Those that are passed over are tried too, last."""
        if not self._asks:
            return
        self._asks = False
        if isinstance(answer, Resolved):
            best_first = sorted(answer.addresses, key=lambda address: address != self.settled)
            flows = [(address, self.stack.ways.flow_to(address)) for address in reversed(best_first)]
            self._elsewhere = [(address, flow) for address, flow in flows if flow is not None]
            if self.go_elsewhere():
                self.found()
                return
        reached = isinstance(answer, Resolved)
        self.why = f"none of our sockets can reach {self.hop.uri.host}" if reached else _reason(answer)
        self.not_found()

    def settle(self) -> None:
        """Stay with the address at work for as long as it is one of the trunk's."""
        self.settled = self._at

    def go_elsewhere(self) -> bool:
        """Turn to the next address of the trunk's name, if there is one."""
        if not self._elsewhere:
            return False
        self._at, self.flow = self._elsewhere.pop()
        return True

    # The request.

    def ask(self, dialog: Dialog, method: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Send a request by `flow`; what was asked before is not waited for any more."""
        self.withdraw()
        self._asks = False
        stack, flow = self.stack, self.flow
        assert flow is not None
        branch = stack.branch()
        data = dialog.write(method, dialog.next_cseq(), stack.ways.place(flow), branch, headers)
        self._transaction = stack.transactions.begin_client(method, branch, data, flow, self)

    def withdraw(self) -> None:
        """Wait for no response any more."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.user = None
            transaction.drop()

    def responded(self, transaction: ClientTransaction, response: Response) -> None:
        """A response came; provisional ones say nothing here."""
        if response.status >= 200:
            self._transaction = None
            if response.status == 503:
                self._pass_over("503", retry_after(response))
            self.answered(response)

    def timed_out(self, transaction: ClientTransaction) -> None:
        """Nothing came from this address."""
        self._failed("no answer")

    def transport_failed(self, transaction: ClientTransaction) -> None:
        """Nothing arrives at this address."""
        self._failed(self.stack.turn.why or "it cannot be reached")

    def _failed(self, why: str) -> None:
        self._transaction = None
        self.why = why
        self._pass_over(why)
        self.unanswered()

    def _pass_over(self, why: str, seconds: float | None = None) -> None:
        """Calls need not find out what was found out here. That a target answers proves nothing for calls."""
        if self._at is not None and self.hop.address is None:
            self.stack.names.failed(self._at, why, seconds)

    # The timer.

    @property
    def waits(self) -> bool:
        """Whether a timer is set."""
        return self._timer is not None

    def wait(self, seconds: float, name: str = "due") -> None:
        """Have something happen later, in place of what was to happen."""
        self.stop_timer()
        self._timer = self.stack.turn.after(seconds, self, name)

    def stop_timer(self) -> None:
        """Nothing is to happen later."""
        self.stack.turn.timers.cancel(self._timer)
        self._timer = None

    def timer_fired(self, name: str) -> None:
        """No response came in time, or it is time for the next request."""
        self._timer = None
        if name == "patience":
            self.withdraw()
            self._failed("no answer")
        else:
            self.due()

    def finish(self) -> None:
        """Ask and wait for nothing."""
        self._asks = False
        self.stop_timer()
        self.withdraw()


def _reason(answer: Answer) -> str:
    return answer.reason if isinstance(answer, Failed) else "no address"


def between(low: float, high: float, draw: Callable[[], str]) -> float:
    """A random duration in seconds, in tenths: `draw` gives 16 random hexadecimal digits."""
    return round(low + (high - low) * int(draw()[:8], 16) / 0xFFFF_FFFF, 1)
