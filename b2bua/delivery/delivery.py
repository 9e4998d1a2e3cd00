"""A message on its way to a user: a copy for each phone, and one answer to whoever sent it (RFC 3428, RFC 3261 16.7).

Owns that answer, and its time. Leaves to the copies where they go, and to `best` which of their answers counts.

RFC 4320 leaves 408 out of what may answer such a request: it would come when nobody listens any more. So the time of a
delivery is less than the sender's own, and whoever said nothing by then counts as not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from b2bua.call.breadth import shares
from b2bua.call.headers import CONTENT, crossing, edited
from b2bua.call.leg import Stack
from b2bua.delivery.best import NOBODY, Told, best_of, told_of
from b2bua.delivery.copy import Copy
from b2bua.delivery.tables import DELIVERY, ENDING, CopyEvent, DeliveryEvent, DeliveryState
from b2bua.effects import Log
from b2bua.routing.destination import Refused
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.verdicts import Decision
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer

if TYPE_CHECKING:
    from b2bua.delivery.messages import Messages

Compiled: TypeAlias = dict[DeliveryState, dict[DeliveryEvent, tuple[DeliveryState, tuple[Callable[..., None], ...]]]]

_SLOW: Final = 7
"""In T1s: by then its sender repeats the request every T2 (RFC 4320 4.1)."""
_PATIENCE: Final = 52
"""In T1s: an answer that is lost once still reaches the sender, who waits for 64."""


class Delivery:
    """`call_id` and `from_tag` are those of the request, `caller` and `dialed` what the policy knew of it."""

    __slots__ = (
        "_copies",
        "_inquiry",
        "_late",
        "_messages",
        "_nobody",
        "_server",
        "_slow",
        "_stack",
        "_taken",
        "call_id",
        "from_tag",
        "id",
        "open",
        "state",
    )

    def __init__(
        self,
        stack: Stack,
        messages: Messages,
        id: str,
        inquiry: Inquiry,
        request: Request,
        server: ServerTransaction,
        taken: list[tuple[str, str]],
    ) -> None:
        turn = stack.turn
        turn.concerned = self
        self._stack = stack
        self._messages = messages
        self.id = id
        self._inquiry = inquiry
        self._server = server
        self._taken = taken
        self.call_id = request.call_id
        self.from_tag = request.from_tag
        self._nobody = NOBODY
        self._copies: list[Copy] = []
        self.open: list[Copy] = []
        self.state = DeliveryState.WAITING
        t1 = turn.settings.timers.t1
        self._slow: Timer | None = turn.after(_SLOW * t1, self, "slow")
        self._late: Timer | None = turn.after(_PATIENCE * t1, self, "late")

    @property
    def dialed(self) -> str | None:
        """What was dialled."""
        return self._inquiry.facts.dialed

    @property
    def came_from(self) -> tuple[str | None, str]:
        """The trunk or the address that it came from."""
        facts = self._inquiry.facts
        return facts.trunk, facts.source

    def begin(
        self, user: str | None, decision: Decision, request: Request, max_forwards: int, breadth: int | None
    ) -> None:
        """Send a copy to each of the user's phones."""
        found = self._inquiry.phones(user)
        if isinstance(found, Refused):
            self._nobody = Told(NOBODY.status, NOBODY.reason, found.headers)
            self.step(DeliveryEvent.DONE)
            return
        several = breadth is not None or len(found) > 1
        own = (*crossing(request, "MESSAGE outside"), *_content_fields(request))
        parts = shares(breadth, len(found)) if several else [1]
        for destination, share in zip(found, parts, strict=True):
            if share == 0:
                # Nothing is left of Max-Breadth for this one (RFC 5393 5.3.3).
                continue
            headers = edited((*destination.headers, *own), decision.headers)
            if several:
                headers = (*headers, ("Max-Breadth", str(share)))
            copy = Copy(self._stack, self, destination, headers, request.body, max_forwards)
            self._messages.sent(copy)
            self._copies.append(copy)
        self.open = list(self._copies)
        for copy in self._copies:
            copy.resolve()

    def step(self, event: DeliveryEvent) -> None:
        """Do what the table says for this event."""
        row = _TABLE[self.state].get(event)
        if row is not None:
            self._stack.turn.concerned = self
            self.state, actions = row
            for action in actions:
                action(self)

    def copy_over(self, copy: Copy) -> None:
        """Nothing more comes of this copy."""
        self.open.remove(copy)
        if copy.response is not None and copy.response.status < 300:
            self.step(DeliveryEvent.TAKEN)
        if not self.open:
            self.step(DeliveryEvent.DONE)

    def timer_fired(self, name: str) -> None:
        """The sender is to know that we are at it, or has waited for long enough."""
        self.step(DeliveryEvent.SLOW if name == "slow" else DeliveryEvent.LATE)

    def fail(self) -> None:
        """A fault of ours: the sender hears of it, if nothing was said yet."""
        self.state = DeliveryState.OVER
        self.give_up()
        if not self._server.answered:
            self._answer(Told(500, ""))
        self.finish()

    def abolish(self) -> None:
        """Be gone without another word."""
        self.state = DeliveryState.OVER
        self.give_up()
        if not self._server.answered:
            self._server.drop()
        self.finish()

    # What the table's words do.

    def send_trying(self) -> None:
        """Have the sender wait (RFC 4320 4.1)."""
        self._server.respond(100, "")

    def pass_success(self) -> None:
        """A phone took it."""
        self._stack.turn.timers.cancel(self._slow)
        response = next(
            copy.response for copy in self._copies if copy.response is not None and copy.response.status < 300
        )
        self._answer(told_of(response))
        self._stack.turn.count("instant_messages_delivered")

    def pass_best(self) -> None:
        """No phone took it."""
        self._answer(best_of(self._copies, self._nobody))
        self._stack.turn.count("instant_messages_undelivered")

    def give_up(self) -> None:
        """Wait for no phone any more, and send to none."""
        for copy in self.open:
            copy.step(CopyEvent.LATE)
        self.open = []

    def finish(self) -> None:
        """Be gone, and give back what was taken."""
        timers = self._stack.turn.timers
        timers.cancel(self._slow)
        timers.cancel(self._late)
        for name, key in self._taken:
            self._inquiry.meters.give_back(name, key)
        self._taken = []
        self._messages.over(self, self._copies)
        self._copies = []

    def _answer(self, told: Told) -> None:
        turn, facts = self._stack.turn, self._inquiry.facts
        self._server.respond(told.status, turn.draw(), told.headers, b"", told.reason)
        what: dict[str, object] = {
            "message": self.id,
            "caller": facts.caller or facts.caller_number or facts.claimed or "",
            "dialed": facts.dialed or "",
            "status": told.status,
        }
        turn.effects.append(Log("info", "message", what))


def _content_fields(request: Request) -> tuple[tuple[str, str], ...]:
    """The fields that describe the body."""
    if not request.body:
        return ()
    return tuple([(name, value) for name in CONTENT for value in request.all(name)])


_TABLE: Final[Compiled] = compiled(Delivery, DELIVERY, DeliveryState, ENDING)
