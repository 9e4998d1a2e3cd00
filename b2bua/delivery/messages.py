"""All messages that are on their way, and what the policy says of one (RFC 3428).

Owns doing what was decided of a message, its record, and telling one that has come back to us. A message leaves no
record of a call: how it was decided is kept as it is of a call, within the same bounds, and what became of it is in a
line of the log.
"""

from __future__ import annotations

from typing import Final

from b2bua.call.leg import ALLOW, Stack
from b2bua.delivery.copy import Copy
from b2bua.delivery.delivery import Delivery
from b2bua.routing.facts import dialed_of
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.saying import say
from b2bua.routing.verdicts import Decision, Deliver, Reject
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction

_MOST_TURNS: Final = 5


class Messages:
    """The messages of one core."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._copies: dict[str, Copy] = {}
        self.under_way = 0

    def follow(
        self,
        decision: Decision,
        inquiry: Inquiry,
        request: Request,
        server: ServerTransaction,
        max_forwards: int,
        breadth: int | None,
    ) -> None:
        """Do what was decided, challenges aside."""
        turn, action = self._stack.turn, decision.action
        turn.count("instant_messages")
        id = turn.dated(turn.draw())
        say(decision, turn, {"message": id, **decision.tags})
        taken = inquiry.take(decision.takes, turn.wall)
        if isinstance(action, Deliver):
            delivery = Delivery(self._stack, self, id, inquiry, request, server, taken)
            self.under_way += 1
            delivery.begin(action.user, decision, request, max_forwards, breadth)
        else:
            code, reason = (action.code, action.reason) if isinstance(action, Reject) else (500, None)
            server.respond(code, turn.draw(), (ALLOW,) if code == 405 else (), b"", reason)
            for name, key in taken:
                inquiry.meters.give_back(name, key)
        turn.effects.append(inquiry.remember(id))

    def is_loop(self, request: Request, trunk: str | None, source: str) -> bool:
        """Whether this message left us for the same user before, or too often (RFC 3261 16.3 item 4, RFC 5393 4.2)."""
        dialed = dialed_of(request)
        tag, call_id = request.from_tag, request.call_id
        for _ in range(_MOST_TURNS):
            copy = self._copies.get(tag or "")
            if copy is None or copy.call_id != call_id:
                return False
            delivery = copy.delivery
            before, address = delivery.came_from
            if delivery.dialed == dialed and before == trunk and (trunk is not None or address == source):
                return True
            tag, call_id = delivery.from_tag, delivery.call_id
        return True

    def sent(self, copy: Copy) -> None:
        """A copy is on its way."""
        self._copies[copy.tag] = copy

    def over(self, delivery: Delivery, copies: list[Copy]) -> None:
        """Nothing is left to be done about this one."""
        self.under_way -= 1
        for copy in copies:
            del self._copies[copy.tag]
