"""Session timers as an honest user agent keeps them (RFC 4028), written from the RFC for the simulator's parties.

Owns what one call's INVITEs, UPDATEs and their 2xx say of the timer, when its party refreshes, and when it has waited
for that in vain. Leaves sending to the call.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal

import msgspec

from b2bua.sip.message import Request, Response

from .clock import Alarm, Clock
from .wire import Header, Message

if TYPE_CHECKING:
    from .call import Call

# How often a refresh that could not be made, or was refused, is tried again, in seconds.
_AGAIN = 3.0
# Below it, in seconds, the core may miss a refresh because it waited for a slow answer to another offer.
STRICT_FROM = 20


class Terms(msgspec.Struct, frozen=True):
    """What a party wants: an interval, the least one that it takes, in seconds, and who refreshes, where it says so.

    It refreshes by UPDATE or re-INVITE, and after so many refreshes never again.
    """

    interval: int
    least: int
    refresher: Literal["", "uac", "uas"]
    by_update: bool
    refreshes: int


def drawn(draw: Random) -> Terms | None:
    """What a party wants, if it knows session timers at all."""
    interval, least = draw.choice((6, 12, 24, 30, 60)), draw.choice((3, 6, 12, 30))
    refresher: Literal["", "uac", "uas"] = draw.choice(("", "uac", "uas"))
    terms = Terms(max(interval, least), least, refresher, draw.random() < 0.5, draw.choice((0, 1, 3, 99, 99, 99, 99)))
    return terms if draw.random() < 0.6 else None


class Timing:
    """The timer of one call. `tired` says that the party has stopped refreshing; `fresh_at` when it last was fresh."""

    def __init__(self, call: Call, terms: Terms | None, clock: Clock) -> None:
        self.terms = terms
        self.tired = False
        self.interval = 0
        self.fresh_at = 0.0
        self._call = call
        self._clock = clock
        self._least = terms.least if terms is not None else 0
        self._asked = terms.interval if terms is not None else 0
        self._ours = False
        self._done = 0
        self._alarm: Alarm | None = None

    # -- what is said

    def asking(self) -> list[Header]:
        """The fields of an INVITE or UPDATE."""
        if self.terms is None:
            return []
        who = self.terms.refresher
        if self.interval:
            who = "uac" if self._ours else "uas"
        fields = [("Supported", "timer"), ("Session-Expires", f"{self._asked}{';refresher=' if who else ''}{who}")]
        if self._least != 90:
            fields.append(("Min-SE", str(self._least)))
        return fields

    def too_small(self, request: Request) -> list[Header]:
        """The field of a 422, where this request wants too short an interval (section 9)."""
        seconds, _ = _read(request)
        if self.terms is None or seconds is None or seconds >= self.terms.least or not _knows(request):
            return []
        return [("Min-SE", str(self.terms.least))]

    def grows(self, response: Response) -> bool:
        """Whether this response is a 422, after which there is more to ask for (section 7.3)."""
        if response.status != 422 or self.terms is None:
            return False
        least = int(response.get("Min-SE") or 0)
        if least <= self._asked:
            self._call.wrong("session timer", f"422 with Min-SE {least} to {self._asked}")
            return False
        self._asked = self._least = least
        return True

    # -- what is agreed

    def telling(self, request: Request) -> list[Header]:
        """The fields of a 2xx to this request, by which the session is fresh (section 9, table 2)."""
        if self.terms is None:
            return []
        seconds, who = _read(request)
        knows = _knows(request)
        least = max(self.terms.least, int(request.get("Min-SE") or 0))
        interval = max(min(self._asked, seconds or self._asked), least)
        if not knows:
            who = "uas"
        elif not who:
            who = "uas" if self._ours or not self.interval else "uac"
        self._begin(interval, who == "uas")
        return [("Session-Expires", f"{interval};refresher={who}"), *([("Require", "timer")] if knows else [])]

    def heard(self, response: Response) -> None:
        """A 2xx to an INVITE or UPDATE of ours (section 7.2)."""
        if self.terms is None:
            return
        seconds, who = _read(response)
        if seconds is None:
            self._call.wrong("session timer", f"a {response.status} without Session-Expires")
            return
        if "timer" not in response.values("Require") or who not in ("uac", "uas"):
            self._call.wrong("session timer", f"Require {response.values('Require')}, refresher {who}")
        if seconds < self._least or seconds > self._asked:
            self._call.wrong("session timer", f"{seconds} where from {self._least} to {self._asked} was asked")
        self._begin(seconds, who == "uac")

    def _begin(self, interval: int, ours: bool) -> None:
        self.interval = self._asked = interval
        self.fresh_at = self._clock.now
        self._ours = ours
        self._clock.cancel(self._alarm)
        self._alarm = self._clock.after(interval / 2 if ours else interval, self._due)

    # -- what is due

    def _due(self) -> None:
        if self.terms is None or self._call.state != "confirmed":
            return
        if not self._ours:
            if self.interval >= STRICT_FROM:
                self._call.wrong("refreshed", f"no refresh since {self.fresh_at:.3f}, in {self.interval} s")
            self._call.hang_up()
        elif self._done >= self.terms.refreshes:
            self.tired = True
        elif self._clock.now > self.fresh_at + self.interval - min(32.0, self.interval / 3):
            self._call.hang_up()
        else:
            self._done += self._call.refresh(self.terms.by_update)
            self._alarm = self._clock.after(_AGAIN, self._due)


def _knows(request: Request) -> bool:
    return "timer" in request.values("Supported")


def _read(message: Message) -> tuple[int | None, str]:
    text = message.get("Session-Expires")
    if text is None:
        return None, ""
    seconds, _, refresher = text.partition(";refresher=")
    return int(seconds), refresher
