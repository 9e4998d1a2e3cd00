"""Calls of parties that speak 100rel: reliable provisional responses, PRACK and early UPDATE (RFC 3262, RFC 3311).

Written from the RFCs for the simulated user agents. A plan says who speaks it, and who offers before the answer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from b2bua.sip.message import Request, Response

from .called import IncomingCall
from .caller import OutgoingCall
from .clock import Alarm
from .plan import Plan
from .transactions import GIVE_UP, T1, ServerTransaction
from .wire import Header, has_sdp

if TYPE_CHECKING:
    from .agent import Agent

# Seconds after which a called side has heard what was offered in vain before it took the call.
_TOLD_WITHIN = 20.0
_ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE")


class ReliableIncoming(IncomingCall):
    """The called party's side. `settled_early` says that offer and answer have passed before the call was taken."""

    def __init__(self, agent: Agent, plan: Plan, invitation: Request, server: ServerTransaction) -> None:
        super().__init__(agent, plan, invitation, server)
        self.settled_early = False
        self._able = any("100rel" in invitation.values(name) for name in ("Supported", "Require"))
        self._rseq = agent.draw.randrange(1, 1 << 20)
        self._outstanding = False
        self._described = False
        self._updated = False
        self._deferred = False
        self._waiting: list[tuple[int, bool]] = []
        self._repeat: Alarm | None = None
        self._interval = T1

    def _progress(self, status: int, media: bool) -> None:
        if not self._able:
            super()._progress(status, media)
        elif self.state == "inviting":
            self._waiting.append((status, media or (status == 183 and not has_sdp(self._invitation))))
            self._next()

    def _next(self) -> None:
        while self._waiting and not self._outstanding and not self._deferred and self.state == "inviting":
            status, media = self._waiting.pop(0)
            if media or has_sdp(self._invitation) or self.settled_early:
                self._send_reliably(status, self._description() if media else b"")
            else:
                # The first reliable one would have to have the offer (RFC 3261 13.2.1).
                super()._progress(status, False)

    def _description(self) -> bytes:
        """Our answer, or our offer where we got none; nothing where that has been said."""
        offer = self._invitation.body if has_sdp(self._invitation) else b""
        if self._described:
            return b""
        self._described = True
        body = self._say(offer)
        if offer:
            self.said, self.heard, self.settled_early = body, offer, True
        else:
            self._offered = body
        return body

    def _send_reliably(self, status: int, body: bytes) -> None:
        self.provisionals.append(status)
        self._rseq += 1
        self._outstanding = True
        self._agent.reply(
            self._invitation,
            self._server,
            status,
            to_tag=self.local_tag,
            contact=self._agent.contact,
            extra=[("Require", "100rel"), ("RSeq", str(self._rseq)), _ALLOW],
            body=body,
        )
        self._interval = T1
        self._repeat = self._clock.after(T1, partial(self._send_again, self._clock.now + GIVE_UP))

    def _send_again(self, deadline: float) -> None:
        if not self._outstanding or self.state != "inviting":
            return
        if self._clock.now >= deadline:
            self.wrong("acknowledged", "no PRACK for a reliable provisional response")
            self._outstanding = False
            self.final = 504
            self._respond(504)
            self._over("us")
            return
        self._server.repeated()
        self._interval *= 2
        delay = min(self._interval, deadline - self._clock.now)
        self._repeat = self._clock.after(delay, partial(self._send_again, deadline))

    def _decide(self) -> None:
        accepts = self.plan.final < 300
        if self.state == "inviting" and accepts and self._outstanding and self._described:
            self._deferred = True
            return
        plain = not accepts or not self.settled_early or self.timing.too_small(self._invitation)
        if self.state != "inviting" or plain:
            super()._decide()
            return
        self.state = "confirmed"
        self.final = self.plan.final
        self.said_first = self.said
        silent = self._updated or not has_sdp(self._invitation) or self._agent.draw.random() < 0.5
        extra = self.timing.telling(self._invitation)
        self._respond(self.final, body=b"" if silent else self.said, extra=extra)

    def _take_late_answer(self, ack: Request) -> None:
        if not self.settled_early or ack.cseq.number != self._invitation.cseq.number:
            super()._take_late_answer(ack)

    def _pracked(self, request: Request, server: ServerTransaction) -> None:
        due = f"{self._rseq} {self._invitation.cseq.number} INVITE"
        if not self._outstanding or request.get("RAck") != due:
            self.wrong("prack", f"RAck {request.get('RAck')} where {due} is due")
            self._agent.reply(request, server, 481)
            return
        self._outstanding = False
        self._clock.cancel(self._repeat)
        body = b""
        if has_sdp(request) and self.settled_early:
            body = self._answer_early(request)
        elif has_sdp(request):
            self.said, self.heard, self.settled_early = self._offered, request.body, True
        elif self._described and not self.settled_early:
            self.wrong("sdp", "a PRACK without the answer to our offer")
        self._agent.reply(request, server, 200, body=body)
        self._next()
        if self._deferred:
            self._deferred = False
            self._decide()

    def _answer_early(self, request: Request) -> bytes:
        self._updated = True
        self.said, self.heard = self._say(request.body), request.body
        return self.said

    def _other_offers(self, request: Request, server: ServerTransaction) -> None:
        if self.state != "inviting":
            super()._other_offers(request, server)
        elif not has_sdp(request):
            self._agent.reply(request, server, 200, contact=self._agent.contact)
        elif self.settled_early:
            self._target = self._agent.address_of(request.get("Contact") or self._target)
            body = self._answer_early(request)
            self._agent.reply(request, server, 200, contact=self._agent.contact, body=body)
        else:
            self.wrong("sdp", "an UPDATE while the first offer is open")
            self._agent.reply(request, server, 500)


class _Early:
    """One early dialog of ours: `settled` once offer and answer have passed in it."""

    def __init__(self) -> None:
        self.rseq: int | None = None
        self.settled = False
        self.updates = False
        self.said = b""
        self.heard = b""


class ReliableOutgoing(OutgoingCall):
    """The caller's side."""

    def __init__(self, agent: Agent, plan: Plan, *, call_id: str, local: str, remote: str) -> None:
        super().__init__(agent, plan, call_id=call_id, local=local, remote=remote)
        self._early: dict[str, _Early] = {}
        self._taken: _Early | None = None
        self._unheard = False

    def _extensions(self) -> list[Header]:
        return [("Require" if self.plan.requires else "Supported", "100rel"), _ALLOW]

    def _invite_heard(self, response: Response) -> None:
        if response.status < 200 and response.get("RSeq"):
            if not self._takes(response):
                return
        elif 100 < response.status < 200 and self.plan.requires:
            self.wrong("reliable", f"{response.status} without RSeq for a caller who requires it")
        super()._invite_heard(response)

    def _takes(self, response: Response) -> bool:
        """A reliable response: whether it is the next one in its dialog, and acknowledged."""
        early = self._early.setdefault(response.to_tag or "", _Early())
        rseq = int(response.get("RSeq") or "0")
        if early.rseq is not None and rseq != early.rseq + 1:
            if rseq > early.rseq:
                self.wrong("reliable", f"RSeq {rseq} after {early.rseq}")
            return False
        early.rseq = rseq
        early.updates = early.updates or "UPDATE" in response.values("Allow")
        body = b""
        if has_sdp(response) and not early.settled:
            early.settled = True
            early.heard = response.body
            early.said = self._offered if self.plan.offer else self._say(response.body)
            body = b"" if self.plan.offer else early.said
        elif has_sdp(response):
            self.wrong("sdp", "another description in a reliable response, where one was agreed")
        self._clock.after(self.plan.prack_after, partial(self._prack, response, early, rseq, body))
        return True

    def _prack(self, response: Response, early: _Early, rseq: int, answer: bytes) -> None:
        if self.state not in ("inviting", "confirmed") or self._leaving:
            return
        offers = self.plan.early == "prack" and not answer and early.settled and self.state == "inviting"
        rack = ("RAck", f"{rseq} {self._invite_seq} INVITE")
        self._ask_early("PRACK", response, early, rack, answer or (self._offer_early() if offers else b""), offers)

    def _offer_early(self) -> bytes:
        if self._offering:
            return b""
        self._offering = True
        self.session.move()
        return self._say()

    def _ask_early(
        self, method: str, response: Response, early: _Early, rack: Header | None, body: bytes, offers: bool
    ) -> None:
        self._seq += 1
        self._agent.ask(
            method,
            self._agent.address_of(response.get("Contact") or ""),
            from_=self._local,
            to=response.get("To") or "",
            call_id=self.id,
            cseq=self._seq,
            route=response.values("Record-Route")[::-1],
            contact=method == "UPDATE",
            heard=partial(self._early_heard, method, response, early, body if offers else b""),
            timed_out=self._early_timed_out,
            extra=[] if rack is None else [rack],
            body=body,
        )

    def _early_heard(self, method: str, asked: Response, early: _Early, offer: bytes, response: Response) -> None:
        if response.status < 200:
            return
        if offer:
            self._offering = False
        if response.status < 300 and offer and has_sdp(response):
            early.said, early.heard = offer, response.body
            # The called side may hear of it only once the call is set up, and not before an end that comes first.
            self._unheard = True
            if self._taken is early:
                self.said, self.heard = offer, response.body
        elif response.status < 300 and offer:
            self.wrong("sdp", f"a 200 to an offer in {method} without the answer")
        elif offer:
            self._unsure |= response.status in (408, 481, 487)
        wants = self.plan.early == "update" and method == "PRACK" and early.settled and early.updates
        if wants and self.state == "inviting" and not self._leaving and response.status < 300:
            body = self._offer_early()
            if body:
                self._ask_early("UPDATE", asked, early, None, body, True)

    def _send_first_ack(self) -> None:
        super()._send_first_ack()
        self._clock.after(_TOLD_WITHIN, self._told)

    def _told(self) -> None:
        self._unheard = False

    @property
    def quiet(self) -> bool:
        """Whether the call is there, and nothing in it is under way or in doubt."""
        return super().quiet and not self._unheard

    def _settle(self) -> None:
        super()._settle()
        self.settled = self.settled and not self._unheard

    def _early_timed_out(self) -> None:
        self._offering = False
        self._unsure = True

    def _answered(self, response: Response) -> None:
        early = self._early.get(response.to_tag or "")
        if not self.final and early is not None and early.settled:
            self._taken = early
        super()._answered(response)

    def _take_answer(self, response: Response, we_offered: bool) -> bytes:
        if self._taken is None or self.state != "inviting":
            return super()._take_answer(response, we_offered)
        if has_sdp(response) and not we_offered:
            self.wrong("sdp", "another offer in the 2xx, where one was answered")
        self.said, self.heard = self._taken.said, self._taken.heard
        return b""
