"""A call that we make: the INVITE, its answer or refusal, and leaving before that (RFC 3261 sections 9 and 13.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.sip.message import Response

from .call import Call
from .plan import Plan
from .transactions import GIVE_UP
from .wire import Header

if TYPE_CHECKING:
    from .agent import Agent


class OutgoingCall(Call):
    """The caller's side."""

    outgoing = True

    def __init__(self, agent: Agent, plan: Plan, *, call_id: str, local: str, remote: str) -> None:
        super().__init__(agent, plan, call_id=call_id, local=local, remote=remote)
        self._uri = ""
        self._tries = 0
        self._leaving = False
        self._cancel_sent = False
        self._branch = ""
        self._invite_seq = 0
        self._answer_for_ack = b""

    def invite(self, uri: str) -> None:
        """Call that URI."""
        self._uri = uri
        if self.plan.leave_after is not None:
            self._clock.after(self.plan.leave_after, self.leave)
        self._send_invite(None)

    def _send_invite(self, challenged: Response | None) -> None:
        self._seq += 1
        self._tries += 1
        self._invite_seq = self._seq
        self._offered = self._say() if self.plan.offer else b""
        self._branch = self._agent.ask(
            "INVITE",
            self._uri,
            from_=self._local,
            to=self._remote,
            call_id=self.id,
            cseq=self._seq,
            heard=self._invite_heard,
            timed_out=self._invite_timed_out,
            extra=[
                *self._extensions(),
                *self._agent.credentials("INVITE", self._uri, challenged),
                *self.timing.asking(),
                *([("Replaces", self.plan.replaces)] if self.plan.replaces else ()),
            ],
            body=self._offered,
        )

    def _extensions(self) -> list[Header]:
        """What the INVITE says of the extensions that we speak."""
        return []

    def _invite_heard(self, response: Response) -> None:
        if response.status < 200:
            self.provisionals.append(response.status)
            if self._leaving:
                self._cancel()
        elif response.status < 300:
            self._answered(response)
        elif response.status in (401, 407) and self._tries < 3 and not self._leaving:
            if self._agent.credentials("INVITE", self._uri, response):
                self._send_invite(response)
            else:
                self._refused(response)
        elif self.timing.grows(response) and not self._leaving:
            self._send_invite(None)
        else:
            self._refused(response)

    def _invite_timed_out(self) -> None:
        self.gave_up = True
        self._over("")

    def _refused(self, response: Response) -> None:
        if self.final:
            self.wrong("one final", f"{response.status} after {self.final}")
            return
        self.final = response.status
        self._over("us" if self._leaving else "them")
        if self.plan.follows and 300 <= response.status < 400 and not self._leaving:
            target = self._agent.address_of(response.get("Contact") or "")
            self._agent.call(target, Plan(hang_up_after=self.plan.hang_up_after), self._local.partition(";tag")[0])

    def _answered(self, response: Response) -> None:
        if self.final:
            if 200 <= self.final < 300 and response.to_tag == self.remote_tag:
                if self._invite_seq in self._acks:
                    self._agent.transmit(self._acks[self._invite_seq])
            else:
                self.wrong("one final", f"a 2xx with tag {response.to_tag} after {self.final}")
            return
        self.final = response.status
        self.timing.heard(response)
        self._make_dialog(response)
        self._answer_for_ack = self._take_answer(response, self.plan.offer)
        self.said_first, self.heard_first = self.said, self.heard
        self.state = "confirmed"
        self._clock.after(0.0 if self._leaving else self.plan.ack_after, self._send_first_ack)

    def _send_first_ack(self) -> None:
        self._send_ack(self._invite_seq, self._answer_for_ack)
        self.ack_seen = True
        if self._leaving:
            self.hang_up()
        else:
            self._begin_acts()

    def leave(self) -> None:
        """Give up waiting: CANCEL, once a provisional response has come (RFC 3261 9.1)."""
        if self.state != "inviting":
            return
        self._leaving = True
        if self.provisionals:
            self._cancel()

    def _cancel(self) -> None:
        if self._cancel_sent:
            return
        self._cancel_sent = True
        self._agent.ask(
            "CANCEL",
            self._uri,
            from_=self._local,
            to=self._remote,
            call_id=self.id,
            cseq=self._invite_seq,
            branch=self._branch,
            contact=False,
            heard=lambda response: None,
            timed_out=lambda: None,
        )
        self._clock.after(GIVE_UP, self._cancel_ignored)

    def _cancel_ignored(self) -> None:
        if self.state == "inviting":
            self.gave_up = True
            self._agent.abandon(self._branch)
            self._over("us")
