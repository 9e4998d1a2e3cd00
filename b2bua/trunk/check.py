"""Asking a trunk by OPTIONS whether it is there (RFC 3261 11.1).

Owns the pace, the bound on each question, and what counts as life: any final answer of the trunk's own, a challenge or
a refusal included, for many gateways refuse OPTIONS. 408, 502, 503 and 504 are none: with those somebody before the
trunk says that it does not answer, or the trunk itself that it takes nothing.

One failure may be chance, two in a row are not: the second question follows the first failure soon. One success is
enough to be back, since a trunk that takes no calls all the same is found out by these (`trust`).
"""

from __future__ import annotations

from typing import Protocol

from b2bua.call.leg import Stack, contact_of
from b2bua.dialog.dialog import Dialog
from b2bua.dialog.hops import Hop
from b2bua.sip.message import Response
from b2bua.transaction.tables import compiled
from b2bua.trunk.asking import Asking, between
from b2bua.trunk.tables import CHECK, CheckEvent, CheckState

FAILURES = 2
"""So many in a row take a trunk out."""

_NO_LIFE = frozenset((408, 502, 503, 504))
# In units of T1: within it the question is sent five times, over datagrams.
_PATIENCE = 16
_SOON = 5.0


class CheckUser(Protocol):
    """Whoever wants to know."""

    def check_succeeded(self, again: bool) -> None:
        """The trunk is there, `again` after it was not."""

    def check_failed(self, why: str) -> None:
        """It does not seem to be there."""


class Check(Asking):
    """One trunk's, every so many seconds. `latency` is what the last answer took, in seconds."""

    __slots__ = ("_asked_at", "_domain", "every", "failures", "latency", "user")

    def __init__(self, stack: Stack, hop: Hop, every: float, domain: str, user: CheckUser) -> None:
        """`domain` is who asks."""
        super().__init__(stack, hop, CheckState.OFF)
        self.every = every
        self.user = user
        self.latency: float | None = None
        self.failures = 0
        self._domain = domain
        self._asked_at = 0.0

    def begin(self) -> None:
        """Ask, and again and again."""
        self.step(CheckEvent.START)

    def end(self) -> None:
        """Ask no more."""
        self.step(CheckEvent.STOP)

    @property
    def down(self) -> bool:
        """Whether the trunk is not there, as far as can be told."""
        return self.failures >= FAILURES

    # What comes.

    def found(self) -> None:
        """The trunk's addresses are known."""
        self.step(CheckEvent.RESOLVED)

    def not_found(self) -> None:
        """They are not."""
        self.step(CheckEvent.UNRESOLVED)

    def answered(self, response: Response) -> None:
        """The trunk's word, or somebody's before it."""
        if response.status in _NO_LIFE:
            self.why = f"{response.status} {response.reason} to OPTIONS"
            self._lifeless()
        else:
            self.latency = self.stack.turn.now - self._asked_at
            self.step(CheckEvent.ALIVE)

    def unanswered(self) -> None:
        """Silence at this address."""
        self.why += " to OPTIONS" if self.why == "no answer" else ""
        self._lifeless()

    def _lifeless(self) -> None:
        self.step(CheckEvent.ELSEWHERE if self.go_elsewhere() else CheckEvent.DEAD)

    def due(self) -> None:
        """Time to ask again."""
        self.step(CheckEvent.TIMER)

    # What the table's words do.

    def send(self) -> None:
        """Ask at one address, for a bounded time."""
        stack, flow = self.stack, self.flow
        assert flow is not None
        turn, tag = stack.turn, stack.turn.draw()
        uri = str(self.hop.uri.replace(user=None, password=None, headers=None))
        dialog = Dialog(turn.draw(), f"<sip:{self._domain}>;tag={tag}", tag, f"<{uri}>", "", flow, 0)
        dialog.target = uri
        dialog.secure = self.hop.uri.scheme == "sips"
        headers = (
            contact_of(dialog, stack.ways.place(flow)),
            ("Accept", "application/sdp"),
            ("User-Agent", turn.settings.user_agent),
        )
        self._asked_at = turn.now
        self.ask(dialog, "OPTIONS", headers)
        self.wait(min(self.every, _PATIENCE * turn.settings.timers.t1), "patience")

    def count_success(self) -> None:
        """It is there."""
        self.why = ""
        again, self.failures = self.down, 0
        self.user.check_succeeded(again)

    def count_failure(self) -> None:
        """It is not there, or something was lost."""
        self.latency = None
        self.failures += 1
        self.user.check_failed(self.why)

    def rest(self) -> None:
        """Wait for the next question; a little more or less, so that not all trunks are asked at once."""
        wait = between(0.9 * self.every, self.every, self.stack.turn.draw)
        self.wait(min(wait, _SOON) if 0 < self.failures < FAILURES else wait)


Check.table = compiled(Check, CHECK, CheckState, {CheckState.OFF: ("finish",)})
