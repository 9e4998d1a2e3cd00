"""Reliable provisional responses within one early dialog, each side of it (RFC 3262 sections 3 and 4).

Owns the numbers, the repetition of a response until its PRACK comes, and which responses count, as the table says: one
is on its way at a time. Leaves to the legs what is said, and to the call when a PRACK is due.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from b2bua.effects import Send
from b2bua.transaction.tables import compiled
from b2bua.transaction.timers import Timer
from b2bua.transaction.turn import Turn


class SendingState(StrEnum):
    """Where the reliable responses of one dialog stand."""

    IDLE = "Idle"
    SENT = "Sent"
    FADING = "Fading"
    OVER = "Over"


class SendingEvent(StrEnum):
    """What they meet: from the leg, from the caller, or from the timer."""

    SEND = "send"
    PRACK = "PRACK"
    REPEAT = "repeat"
    UNACKNOWLEDGED = "unacknowledged"
    ABANDON = "abandon"
    FINAL = "final"


SendingTable: TypeAlias = dict[SendingState, dict[SendingEvent, tuple[SendingState, tuple[str, ...]]]]

_S, _E = SendingState, SendingEvent

# RFC 3262 section 3. A final response ends the repetition, and its predecessor may still be acknowledged.
SENDING: SendingTable = {
    _S.IDLE: {
        _E.SEND: (_S.SENT, ("start",)),
        _E.FINAL: (_S.OVER, ()),
    },
    _S.SENT: {
        _E.PRACK: (_S.IDLE, ("stop",)),
        _E.REPEAT: (_S.SENT, ("send_again", "slower")),
        _E.UNACKNOWLEDGED: (_S.OVER, ("stop", "report")),
        _E.ABANDON: (_S.IDLE, ("stop",)),
        _E.FINAL: (_S.FADING, ("stop",)),
    },
    _S.FADING: {
        _E.PRACK: (_S.OVER, ()),
    },
}


class SenderUser(Protocol):
    """Whose responses they are."""

    def unacknowledged(self) -> None:
        """No PRACK came within 64*T1."""


class Sender:
    """The side that responds. `rseq` is the number of the response that was sent last."""

    __slots__ = ("_interval", "_left", "_response", "_timer", "_turn", "_user", "rseq", "state")

    def __init__(self, turn: Turn, user: SenderUser) -> None:
        self._turn = turn
        self._user = user
        self._timer: Timer | None = None
        self._interval = self._left = 0.0
        self._response: Send | None = None
        self.state = SendingState.IDLE
        # The first is to be any number from 1 to 2**31 - 1 (section 3): of 28 bits, there is room for all that follow.
        self.rseq = int(turn.draw()[:7], 16)

    @property
    def idle(self) -> bool:
        """Whether another response may be sent."""
        return self.state is SendingState.IDLE

    @property
    def waiting(self) -> bool:
        """Whether a PRACK is due."""
        return self.state is SendingState.SENT or self.state is SendingState.FADING

    def next_rseq(self) -> int:
        """The number of the next response."""
        self.rseq += 1
        return self.rseq

    def send(self, response: Send) -> None:
        """Repeat this response, which has been sent once, until its PRACK comes."""
        self._response = response
        self.step(SendingEvent.SEND)

    def step(self, event: SendingEvent) -> None:
        """Do what the table says for this event."""
        row = _SENDING[self.state].get(event)
        if row is not None:
            self.state, actions = row
            for action in actions:
                action(self)

    def timer_fired(self, name: str) -> None:
        """It is time to repeat, or to give up."""
        self.step(SendingEvent.REPEAT if name == "repeat" else SendingEvent.UNACKNOWLEDGED)

    # What the table's words do.

    def send_again(self) -> None:
        """Send the response once more."""
        assert self._response is not None
        self._turn.effects.append(self._response)

    def start(self) -> None:
        """Repeat after T1, and give up after 64*T1."""
        t1 = self._turn.settings.timers.t1
        self._interval, self._left = t1, 63 * t1
        self._timer = self._turn.after(t1, self, "repeat")

    def slower(self) -> None:
        """The interval doubles each time, without bound."""
        self._interval *= 2
        delay, name = self._interval, "repeat"
        if delay >= self._left:
            delay, name = self._left, "unacknowledged"
        self._left -= delay
        self._timer = self._turn.after(delay, self, name)

    def stop(self) -> None:
        """Repeat no more."""
        self._turn.timers.cancel(self._timer)
        self._timer = None
        self._response = None

    def report(self) -> None:
        """Tell the user that the caller does not acknowledge."""
        self._user.unacknowledged()


_SENDING: Final = compiled(Sender, SENDING, SendingState, {})


class Receiver:
    """The side that acknowledges: which responses count (RFC 3262 section 4). `owing` is whether a PRACK is due."""

    __slots__ = ("_last", "owing")

    def __init__(self) -> None:
        self._last: int | None = None
        self.owing = False

    def accepts(self, rseq: int) -> bool:
        """Whether this response is the next one: repeated ones and those out of order do not count."""
        if self._last is not None and (self.owing or rseq != self._last + 1):
            return False
        self._last = rseq
        self.owing = True
        return True
