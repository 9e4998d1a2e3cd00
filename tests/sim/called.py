"""A call that comes to us: ringing, answering or refusing it as the plan says (RFC 3261 13.3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from b2bua.sip.message import Request

from .call import Call
from .plan import Plan
from .transactions import ServerTransaction
from .wire import Header, has_sdp

if TYPE_CHECKING:
    from .agent import Agent


class IncomingCall(Call):
    """The called party's side."""

    def __init__(self, agent: Agent, plan: Plan, invitation: Request, server: ServerTransaction) -> None:
        local, remote = invitation.get("To") or "", invitation.get("From") or ""
        super().__init__(agent, plan, call_id=invitation.call_id, local=local, remote=remote)
        self._invitation = invitation
        self._server = server

    def begin(self) -> None:
        """An INVITE has come: do what the plan says, when it says so."""
        request = self._invitation
        self._make_dialog(request)
        self._heard_seq = request.cseq.number
        self._offers[request.cseq.number] = (request, self._server)
        if self.plan.trying:
            self._agent.reply(request, self._server, 100)
        for provisional in self.plan.provisionals:
            media = provisional.media and has_sdp(request)
            self._clock.after(provisional.after, partial(self._progress, provisional.status, media))
        if self.plan.final_after is not None:
            self._clock.after(self.plan.final_after, self._decide)

    def _progress(self, status: int, media: bool) -> None:
        if self.state == "inviting":
            self.provisionals.append(status)
            self._respond(status, body=self._say(self._invitation.body) if media else b"")

    def _decide(self) -> None:
        if self.state != "inviting":
            return
        self.final = self.plan.final
        least = self.timing.too_small(self._invitation)
        if least and self.final < 300:
            self.final = 422
            self._respond(self.final, extra=least)
            self._over("us")
        elif self.final < 300:
            self.state = "confirmed"
            self.said_first = self._answer(self._invitation)
            self._respond(self.final, body=self.said_first, extra=self.timing.telling(self._invitation))
        else:
            self._respond(self.final, contact=self.plan.contact)
            self._over("us")

    def _respond(
        self, status: int, *, body: bytes = b"", contact: str | None = None, extra: Sequence[Header] = ()
    ) -> None:
        own = self._agent.contact if status < 300 else contact
        invitation, server = self._invitation, self._server
        self._agent.reply(invitation, server, status, to_tag=self.local_tag, contact=own, extra=extra, body=body)

    def _first_ack(self, invitation: Request) -> None:
        if invitation is self._invitation:
            self.ack_seen = True
            self.heard_first = self.heard
            self._begin_acts()

    def cancelled(self) -> None:
        """The caller has left."""
        if self.state == "inviting":
            self.final = 487
            self._respond(487)
            self._over("them")
