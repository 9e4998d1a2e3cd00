"""When the sessions of confirmed legs are refreshed, and when one has waited for that in vain (RFC 4028 section 10).

Owns the calendar: legs by the second at which something is due, one timer for all of them while there are any. A leg
that we refresh at leisure gets its place with the sweep that runs anyway, so that a short call costs nothing. Leaves
what is agreed to `b2bua.dialog.session_timer`, how a refresh is done to `refresh`.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING, Final

from b2bua.call.tables import LegState
from b2bua.dialog.session_timer import (
    OFF,
    Fields,
    SessionTimer,
    Terms,
    answered,
    check,
    offered,
    raised,
    session_timer,
)
from b2bua.sip.message import Request, Response
from b2bua.transaction.timers import Timer
from b2bua.transaction.turn import Turn

if TYPE_CHECKING:
    from b2bua.call.leg import Leg

SWEEP_SECONDS: Final = 60.0
"""How often `sweep` is to be called."""

_TICK: Final = 1.0
_SOON: Final = 0.05
# What is due at once comes in portions, so that a burst never starves the sockets.
_MOST_AT_ONCE: Final = 100
_RETRY: Final = 2

NOTHING_DUE: Final = 0
_AT_WORK: Final = -1


class Refreshing:
    """The session timers of one core.

    `opening` is what our INVITE proposes, and `alone` what holds with a peer that says nothing of session timers; both
    are OFF where they are switched off.
    """

    __slots__ = ("_days", "_next", "_terms", "_tick", "_turn", "alone", "opening")

    def __init__(self, turn: Turn) -> None:
        settings = turn.settings.session_timers
        self._turn = turn
        self._terms = Terms(settings.expires, settings.min_se)
        self.opening = self.alone = OFF
        if settings.expires:
            self.opening = session_timer(settings.expires, settings.min_se, "open")
            self.alone = session_timer(settings.expires, settings.min_se, "us")
        self._days: dict[int, dict[Leg, None]] = {}
        self._next = 0
        self._tick: Timer | None = None

    # What is agreed.

    def check(self, request: Request) -> None:
        """PeerError 422 where an interval is too small, 400 where it cannot be read."""
        if self.opening is not OFF:
            check(request, self._terms)

    def invited(self, request: Request) -> SessionTimer:
        """What holds once we answer this INVITE with a 2xx."""
        if _CONCERNED.isdisjoint(request.headers) or self.opening is OFF:
            return self.alone
        return offered(request, self._terms, OFF)

    def offered(self, leg: Leg, request: Request) -> SessionTimer:
        """What holds on this leg once we answer its peer's INVITE or UPDATE with a 2xx."""
        return OFF if self.opening is OFF else offered(request, self._terms, leg.timer)

    def accepted(self, leg: Leg, timer: SessionTimer) -> Fields:
        """A 2xx of ours goes out, and this holds from now on. Gives what the 2xx says of it."""
        leg.timer = timer
        self.begin(leg)
        return timer.telling

    def answered(self, leg: Leg, response: Response) -> None:
        """A 2xx came to an INVITE or UPDATE of ours."""
        if leg.timer is self.opening and _CONCERNED.isdisjoint(response.headers):
            leg.timer = self.alone
            if self.alone.is_lasting:
                return
        elif self.opening is not OFF:
            leg.timer = answered(response, self._terms, leg.timer)
        self.begin(leg)

    def raised(self, leg: Leg, response: Response) -> bool:
        """A 422 came: whether there is something else to ask for, as we do from now on (section 7.3)."""
        timer = None if leg.timer is OFF else raised(response, leg.timer)
        if timer is not None:
            leg.timer = timer
        return timer is not None

    def refused(self, leg: Leg) -> None:
        """A refresh of ours was refused: the session lives until it expires (section 10).

        Deviation: a peer that takes no part in session timers has shown by its answer that it is there, which is all
        that we asked; its session goes on.
        """
        timer = leg.timer
        if timer.supported:
            leg.timer = session_timer(timer.interval, timer.min_se, "late", True, timer.by_update)
            self._set(leg, ceil(self._turn.now + timer.interval / 2 - timer.grace))
        else:
            self.begin(leg)

    def without_update(self, leg: Leg) -> None:
        """The peer has no UPDATE after all."""
        timer = leg.timer
        leg.timer = session_timer(timer.interval, timer.min_se, timer.refresher, timer.supported, False)

    def begin(self, leg: Leg) -> None:
        """The session is fresh from now on: what is due, and is not left to the sweep, gets its place."""
        timer = leg.timer
        if timer.refresher == "peer":
            self._set(leg, ceil(self._turn.now + timer.interval - timer.grace))
        elif not timer.is_lasting or (leg.answered_at is not None and timer is not OFF):
            self._set(leg, int(self._turn.now + self._half(leg)))

    # What is due.

    def is_at_work(self, leg: Leg) -> bool:
        """Whether this leg is being refreshed by us, and nothing else has refreshed it meanwhile."""
        return leg.due == _AT_WORK

    def forget(self, leg: Leg) -> None:
        """Nothing is due on this leg any more."""
        if leg.due > NOTHING_DUE:
            day = self._days[leg.due]
            del day[leg]
            if not day:
                del self._days[leg.due]
                if not self._days:
                    self._turn.timers.cancel(self._tick)
                    self._tick = None
        leg.due = NOTHING_DUE

    def sweep(self, legs: Iterable[Leg]) -> None:
        """Give the legs that have none yet their place in the calendar."""
        if self.opening is OFF:
            return
        for leg in legs:
            if leg.due == NOTHING_DUE and leg.state is _CONFIRMED:
                self._set(leg, int(self._turn.now + self._half(leg) - SWEEP_SECONDS))

    def timer_fired(self, name: str) -> None:
        """A second has passed."""
        now = int(self._turn.now)
        left = _MOST_AT_ONCE
        # The next tick comes first: should one of these legs meet a bug of ours, the others are not lost.
        self._tick = self._turn.after(_TICK, self, "tick")
        while self._next <= now and self._days:
            day = self._days.get(self._next)
            if day is None:
                self._next += 1
                continue
            if not left:
                self._turn.timers.cancel(self._tick)
                self._tick = self._turn.after(_SOON, self, "tick")
                return
            left -= 1
            self._due(next(iter(day)))

    # Inside.

    @staticmethod
    def _half(leg: Leg) -> float:
        """Half the interval, or up to an eighth of that less, so that calls that began together come apart."""
        share = int(leg.dialog.local_tag[:2], 16) / 256
        return leg.timer.interval / 2 * (1 - share / 8)

    def _set(self, leg: Leg, second: int) -> None:
        self.forget(leg)
        second = max(second, int(self._turn.now) + 1)
        if not self._days:
            self._next = int(self._turn.now)
            self._tick = self._turn.after(_TICK, self, "tick")
        day = self._days.get(second)
        if day is None:
            day = self._days[second] = {}
        day[leg] = None
        leg.due = second

    def _due(self, leg: Leg) -> None:
        """The time of this leg has come."""
        self.forget(leg)
        self._turn.concerned = leg.call
        if leg.state is _ANSWERED:
            # The ACK that makes the dialog one for requests of ours is awaited first.
            self._set(leg, int(self._turn.now) + _RETRY)
        elif leg.state is _CONFIRMED and leg.timer.refresher == "us":
            leg.due = _AT_WORK
            leg.call.refresh(leg)
        elif leg.state is _CONFIRMED and leg.call.is_asked_by(leg):
            # The peer is there, and what it asks for will refresh the session.
            self._set(leg, int(self._turn.now) + _RETRY)
        elif leg.state is _CONFIRMED:
            leg.call.expired(leg, "the session timer ran out")


# Without any of these a peer takes no part, and UPDATE is not known of it.
_CONCERNED: Final = frozenset(("Allow", "Session-Expires", "Supported"))

_ANSWERED: Final = LegState.ANSWERED
_CONFIRMED: Final = LegState.CONFIRMED
