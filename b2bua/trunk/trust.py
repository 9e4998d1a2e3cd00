"""What a trunk's calls say of it: a gateway may answer OPTIONS and no INVITE.

Owns counting calls that met silence, a broken transport or 503, taking the trunk out after three in a row, and letting
single calls try it again: after 30 s, then after twice as long each time, up to 5 min. Three, because two calls in a
row may be lost to one disturbance of a few seconds, while everybody of more than three would wait in vain for a
gateway that is dead; a call that is dealt with begins the count anew. Only a call can bring it back, or a check that
succeeds again after it had failed: OPTIONS alone prove nothing here.
"""

from __future__ import annotations

from typing import Protocol

from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer
from b2bua.transaction.turn import Turn
from b2bua.trunk.tables import TRUST, TrustEvent, TrustState

FAILURES = 3
"""So many in a row take a trunk out."""

_FIRST_PAUSE = 30.0
_LONGEST_PAUSE = 300.0


class TrustUser(Protocol):
    """Whoever wants to know."""

    def trust_changed(self) -> None:
        """More or fewer calls may go there now."""


class Trial:
    """The one call that tries a trunk which is out, to be told once how it went."""

    __slots__ = ("_trust",)

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    def succeeded(self) -> None:
        """The trunk dealt with the call, be it by a refusal."""
        self._trust.succeeded()

    def failed(self, why: str) -> None:
        """The call met silence, a broken transport, or 503."""
        self._trust.failed_in_trial(why)

    def left(self) -> None:
        """The call ended before the trunk could show anything."""
        self._trust.step(TrustEvent.TRIAL_LEFT)


class Trust:
    """One trunk's. `failures` are those in a row, `why` the last one's reason and `failed_at` its wall time."""

    __slots__ = ("_pause", "_timer", "_turn", "bad", "failed_at", "failures", "good", "state", "user", "why")

    def __init__(self, turn: Turn, user: TrustUser) -> None:
        self._turn = turn
        self.user = user
        self.state = TrustState.TRUSTED
        self.failures = 0
        self.why = ""
        self.failed_at: float | None = None
        self.good = 0
        self.bad = 0
        self._pause = _FIRST_PAUSE
        self._timer: Timer | None = None

    def step(self, event: TrustEvent) -> None:
        """Do what the table says for this event."""
        row = _TABLE[self.state].get(event)
        if row is not None:
            self.state, actions = row
            for action in actions:
                action(self)

    @property
    def admits(self) -> bool:
        """Whether a call may go there."""
        return self.state is TrustState.TRUSTED or self.state is TrustState.READY

    @property
    def waits(self) -> bool:
        """Whether a timer is set."""
        return self._timer is not None

    def witness(self) -> Trust | Trial:
        """Whom a call that goes there tells how it went: where the trunk is to be tried, it is the one that does."""
        if self.state is not TrustState.READY:
            return self
        self.step(TrustEvent.BEGUN)
        return Trial(self)

    def succeeded(self) -> None:
        """The trunk dealt with a call."""
        self.good += 1
        if self.failures:
            self.step(TrustEvent.GOOD)

    def failed(self, why: str) -> None:
        """A call met silence, a broken transport, or 503."""
        self._note(why)
        self.step(TrustEvent.TOO_MANY if self.failures + 1 >= FAILURES else TrustEvent.BAD)

    def failed_in_trial(self, why: str) -> None:
        """So did the call that tried the trunk."""
        self._note(why)
        self.step(TrustEvent.TRIAL_FAILED)

    def left(self) -> None:
        """A call ended before the trunk could show anything: that says nothing of it."""

    def _note(self, why: str) -> None:
        self.bad += 1
        self.why = why
        self.failed_at = self._turn.wall

    def back(self) -> None:
        """A check succeeds again after it had failed: whatever was wrong may be mended."""
        self.step(TrustEvent.BACK)

    def timer_fired(self, name: str) -> None:
        """The trunk may be tried."""
        self._timer = None
        self.step(TrustEvent.TIMER)

    # What the table's words do.

    def clear(self) -> None:
        """Nothing counts against it."""
        self.failures = 0

    def count(self) -> None:
        """One more in a row."""
        self.failures += 1

    def take_out(self) -> None:
        """No calls for a while, longer each time."""
        self._timer = self._turn.after(self._pause, self, "pause")
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self.user.trust_changed()

    def bring_back(self) -> None:
        """All calls again."""
        self.stop_timer()
        self._pause = _FIRST_PAUSE
        self.user.trust_changed()

    def stop_timer(self) -> None:
        """Nothing is waited for."""
        self._turn.timers.cancel(self._timer)
        self._timer = None

    def report(self) -> None:
        """Tell the trunk."""
        self.user.trust_changed()


_TABLE = compiled(Trust, TRUST, TrustState, {})
