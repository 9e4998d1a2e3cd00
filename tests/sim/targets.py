"""The servers behind the carrier's names: some take no new calls for a while, and do again.

Owns what DNS says of them, and when which of them is out of order: it then answers 503, or nothing at all, to new calls
alone, so that no call that it has is excused from any rule.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Literal

from b2bua.effects import Found, Resolve, Target
from b2bua.sip.message import Request

from .clock import Clock
from .registering import RegisteringGateway
from .shell import place_of
from .transactions import ServerTransaction

# Each name's servers: priority, weight, gateway.
SERVERS: dict[str, tuple[tuple[int, int, str], ...]] = {
    "gw.carrier.example": ((1, 60, "gw"), (1, 40, "gw-b"), (2, 0, "gw-c")),
    "gw2.carrier.example": ((1, 0, "gw2-false"), (2, 0, "gw2")),
}
HOSTS = {
    "gw": "198.51.100.1",
    "gw-b": "198.51.100.2",
    "gw-c": "198.51.100.3",
    "gw2": "198.51.100.17",
    "gw2-false": "198.51.100.18",
}

Disorder = Literal["", "silent", "refuses", "refuses after 100", "refuses for long"]
_DISORDERS: tuple[Disorder, ...] = ("silent", "refuses", "refuses after 100", "refuses for long")
_LIFE = 20.0


def answer(question: Resolve) -> Found:
    """What DNS says."""
    servers = SERVERS.get(question.host, ())
    targets = tuple(
        Target(0, priority, weight, (place_of(question, question.transport or "UDP", HOSTS[name]),))
        for priority, weight, name in servers
    )
    return Found(targets, _LIFE, "" if targets else f"{question.host}: no such name")


class TargetGateway(RegisteringGateway):
    """A gateway that may be out of order. `turned_away` counts the calls that it did not take for that."""

    disorder: Disorder = ""
    turned_away = 0

    def invited(self, request: Request, transaction: ServerTransaction) -> None:
        """Take no new call while out of order."""
        if not self.disorder or request.call_id in self.calls:
            super().invited(request, transaction)
            return
        self.turned_away += 1
        if self.disorder == "silent":
            return
        if self.disorder == "refuses after 100":
            self.reply(request, transaction, 100)
        extra = [("Retry-After", "60")] if self.disorder == "refuses for long" else []
        self.reply(request, transaction, 503, to_tag=self.token(), extra=extra)


def plan_disorder(clock: Clock, draw: Random, gateways: list[TargetGateway], until: float) -> None:
    """Let each of them be out of order now and then, several at once among it."""
    for gateway in gateways:
        for _ in range(draw.choice((0, 1, 1, 2))):
            falls = draw.uniform(10.0, until)
            clock.at(falls, partial(setattr, gateway, "disorder", draw.choice(_DISORDERS)))
            clock.at(falls + draw.uniform(5.0, 60.0), partial(setattr, gateway, "disorder", ""))
