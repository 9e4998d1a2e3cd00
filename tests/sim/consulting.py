"""People who ask before they transfer: in a call they call somebody else, and connect the two (RFC 5589 section 7).

Others take the place of somebody in a call, of which they have heard (RFC 3891).

Owns who does that and when, drawn by a generator of its own. What a phone is told of it is answered as any request is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

import msgspec

from .behaviour import caller_plan
from .call import Call
from .clock import Clock
from .office import DOMAIN, USERS
from .phone import Phone

_CONSULTATIONS = 8
_TAKINGS = 4


class Consulting:
    """`asked` are the calls in which a REFER was sent, `wanted` those whose place somebody wanted, by Call-ID."""

    def __init__(self, phones: Sequence[Phone], clock: Clock, draw: Random) -> None:
        self.asked: list[Call] = []
        self.wanted: set[str] = set()
        self._phones = phones
        self._clock = clock
        self._draw = draw

    def plan(self, first: float, last: float) -> None:
        """Somebody asks somebody in so many seconds of the run."""
        for _ in range(_CONSULTATIONS):
            self._clock.at(self._draw.uniform(first, last), self._ask)
        for _ in range(_TAKINGS):
            self._clock.at(self._draw.uniform(first, last), self._take)

    def _ask(self) -> None:
        talking = [
            (phone, call)
            for phone in self._phones
            for call in phone.calls.values()
            if call.quiet and not phone.dead and phone.registered
        ]
        if not talking:
            return
        phone, call = self._draw.choice(talking)
        if self._draw.random() < 0.5:
            call.act("hold")
        plan = msgspec.structs.replace(caller_plan(self._draw), leave_after=20.0, hang_up_after=60.0)
        there = phone.call(f"sip:{self._draw.choice(USERS)}@{DOMAIN}", plan, f"<{phone.address}>")
        self._clock.after(self._draw.uniform(0.5, 15.0), partial(self._connect, phone, call, there))

    def _take(self) -> None:
        """Somebody else wants the place of somebody who talks."""
        talking = [call for phone in self._phones for call in phone.calls.values() if call.state == "confirmed"]
        phone = self._draw.choice(self._phones)
        if not talking or phone.dead:
            return
        call = self._draw.choice(talking)
        replaces = f"{call.id};to-tag={call.remote_tag};from-tag={call.local_tag}"
        plan = msgspec.structs.replace(caller_plan(self._draw), replaces=replaces, hang_up_after=40.0)
        self.wanted.add(call.id)
        phone.call(f"sip:somebody@{DOMAIN}", plan, f"<{phone.address}>")

    def _connect(self, phone: Phone, call: Call, there: Call) -> None:
        if phone.dead or call.state != "confirmed" or there.state != "confirmed" or not there.ack_seen:
            return
        here, there = (call, there) if self._draw.random() < 0.8 else (there, call)
        here.refer(there, f"sip:somebody@{DOMAIN}")
        self.asked.append(here)
        for each in (here, there):
            if self._draw.random() < 0.3:
                self._clock.after(self._draw.choice((0.0, self._draw.uniform(0.0, 3.0))), each.hang_up)
