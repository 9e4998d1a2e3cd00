"""One call as one party sees it: an INVITE, the dialog that it makes, its end (RFC 3261 sections 9 and 12 to 15).

Written from the RFC for the simulator's user agents, honest and small. Offers and answers follow RFC 3264, glare
RFC 3261 14.1 and 14.2. What the other side must never do is reported as it is seen; what a whole run must have come
to is read afterwards from the public fields.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from b2bua.sip.message import Request, Response

from .clock import Alarm
from .plan import Act, Plan
from .session import MIRRORED, Session, direction_of
from .transactions import GIVE_UP, ServerTransaction
from .wire import has_sdp, write_request

if TYPE_CHECKING:
    from .agent import Agent


class Call:
    """A call. `state` goes from `inviting` to `confirmed`, `ending`, `over`, or stops short.

    `final` is the status that ended the INVITE, 0 while none came; `ended_by` is `us`, `them`, `both` or empty;
    `gave_up` says that something was never answered. `heard_first` and `said_first` are the session descriptions with
    which the call was connected, `heard_body` the last one that came.
    """

    def __init__(
        self, agent: Agent, plan: Plan, *, call_id: str, local: str, remote: str, outgoing: bool
    ) -> None:
        self.id = call_id
        self.outgoing = outgoing
        self.plan = plan
        self.state = "inviting"
        self.final = 0
        self.provisionals: list[int] = []
        self.cancel_sent = False
        self.cancel_heard = False
        self.ack_seen = False
        self.gave_up = False
        self.ended_by = ""
        self.over_at = 0.0
        self.said_first = b""
        self.heard_first = b""
        self.heard_body = b""
        self.invited_for = ""
        self.local_tag = agent.token()
        self.remote_tag = ""
        self.session = Session(f"{agent.name}-{call_id[:8]}", agent.place.host, agent.draw)
        self._agent = agent
        self._clock = agent.clock
        self._local = f"{local};tag={self.local_tag}"
        self._remote = remote
        self._target = ""
        self._route: list[str] = []
        self._seq = agent.draw.randrange(1, 10_000)
        self._heard_seq = 0
        self._tries = 0
        self._leaving = False
        self._branch = ""
        self._invite_seq = 0
        self._acks: dict[int, bytes] = {}
        self._offering = False
        self._direction = "sendrecv"
        self._patience: Alarm | None = None
        self._invitation: Request | None = None
        self._server: ServerTransaction | None = None
        self._offers: dict[int, tuple[Request, ServerTransaction]] = {}

    def __repr__(self) -> str:
        way = "calls" if self.outgoing else "is called"
        return f"{self._agent.name} {way} [{self.id[:12]}]: {self.state}, final {self.final}"

    def wrong(self, rule: str, text: str) -> None:
        """Report what must not be."""
        self._agent.report(rule, f"{self._agent.name}: {text}", self.id)

    # -- the caller

    def invite(self, uri: str) -> None:
        """Call that URI."""
        self.invited_for = uri
        if self.plan.leave_after is not None:
            self._patience = self._clock.after(self.plan.leave_after, self.leave)
        self._send_invite(None)

    def _send_invite(self, challenged: Response | None) -> None:
        self._seq += 1
        self._tries += 1
        self._invite_seq = self._seq
        body = self._say() if self.plan.offer else b""
        self._branch = self._agent.ask(
            "INVITE",
            self.invited_for,
            from_=self._local,
            to=self._remote,
            call_id=self.id,
            cseq=self._seq,
            heard=self._invite_heard,
            timed_out=self._invite_timed_out,
            extra=self._agent.credentials("INVITE", self.invited_for, challenged),
            body=body,
        )

    def _invite_heard(self, response: Response) -> None:
        if response.status < 200:
            self.provisionals.append(response.status)
            if has_sdp(response):
                self.heard_body = response.body
            if self._leaving:
                self._cancel()
        elif response.status < 300:
            self._answered(response)
        elif response.status in (401, 407) and self._tries < 3 and not self._leaving:
            if self._agent.credentials("INVITE", self.invited_for, response):
                self._send_invite(response)
            else:
                self._refused(response)
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
        self._clock.cancel(self._patience)
        self._make_dialog(response)
        if has_sdp(response):
            self.heard_body = self.heard_first = response.body
        else:
            self.wrong("sdp", f"a {response.status} to INVITE without a session description")
        self.state = "confirmed"
        self._clock.after(0.0 if self._leaving else self.plan.ack_after, self._send_first_ack)

    def _send_first_ack(self) -> None:
        body = b"" if self.plan.offer else self._say(MIRRORED[direction_of(self.heard_body)])
        self._send_ack(self._invite_seq, body)
        self.ack_seen = True
        if self._leaving:
            self.hang_up()
        else:
            self._begin_acts()

    def leave(self) -> None:
        """Give up waiting: CANCEL, once a provisional response has come (RFC 3261 9.1)."""
        if self.state != "inviting" or not self.outgoing:
            return
        self._leaving = True
        if self.provisionals:
            self._cancel()

    def _cancel(self) -> None:
        if self.cancel_sent:
            return
        self.cancel_sent = True
        self._agent.ask(
            "CANCEL",
            self.invited_for,
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

    # -- the called party

    def invited(self, request: Request, server: ServerTransaction) -> None:
        """An INVITE has come: do what the plan says, when it says so."""
        self._invitation, self._server = request, server
        self.invited_for = request.uri
        self._make_dialog(request)
        self._heard_seq = request.cseq.number
        self._offers[request.cseq.number] = (request, server)
        if has_sdp(request):
            self.heard_body = request.body
        if self.plan.trying:
            self._agent.reply(request, server, 100)
        for provisional in self.plan.provisionals:
            media = provisional.media and has_sdp(request)
            self._clock.after(provisional.after, partial(self._progress, provisional.status, media))
        if self.plan.final_after is not None:
            self._clock.after(self.plan.final_after, self._decide)

    def _progress(self, status: int, media: bool) -> None:
        if self.state == "inviting":
            self.provisionals.append(status)
            self._respond(status, body=self._say() if media else b"")

    def _decide(self) -> None:
        if self.state != "inviting" or self._invitation is None:
            return
        self.final = self.plan.final
        if self.final < 300:
            offered = has_sdp(self._invitation)
            direction = MIRRORED[direction_of(self._invitation.body)] if offered else "sendrecv"
            self.state = "confirmed"
            self.said_first = self._say(direction)
            self._respond(self.final, body=self.said_first)
            return
        self._respond(self.final, contact=self.plan.contact)
        self._over("us")

    def _respond(self, status: int, *, body: bytes = b"", contact: str | None = None) -> None:
        if self._invitation is not None and self._server is not None:
            own = self._agent.contact if status < 300 else contact
            self._agent.reply(
                self._invitation, self._server, status, to_tag=self.local_tag, contact=own, body=body
            )

    def cancelled(self) -> None:
        """The caller has left."""
        self.cancel_heard = True
        if self.state == "inviting":
            self.final = 487
            self._respond(487)
            self._over("them")

    def acknowledged(self, request: Request) -> None:
        """The ACK to a 2xx of ours: to the call's first INVITE or to a later one."""
        invitation, server = self._offers.get(request.cseq.number, (None, None))
        if invitation is None or server is None or not 200 <= server.status < 300:
            self.wrong("known", f"an ACK with CSeq {request.cseq.number}, which answers nothing")
            return
        if not server.ack():
            return
        if not has_sdp(invitation):
            if has_sdp(request):
                self.heard_body = request.body
            elif self.state == "confirmed":
                self.wrong("sdp", "an ACK without the answer to our offer")
        if invitation is self._invitation:
            self.ack_seen = True
            self._begin_acts()

    def unacknowledged(self) -> None:
        """No ACK in 64*T1 (RFC 3261 13.3.1.4, 17.2.1)."""
        self.gave_up = True
        if self.state == "confirmed":
            self.hang_up()

    # -- both, in the dialog

    def _make_dialog(self, message: Request | Response) -> None:
        routes = message.values("Record-Route")
        self._route = routes if isinstance(message, Request) else routes[::-1]
        self._target = self._agent.address_of(message.get("Contact") or "").strip()
        if isinstance(message, Response):
            self.remote_tag = message.to_tag or ""
            self._remote = message.get("To") or ""
        else:
            self.remote_tag = message.from_tag or ""

    def _say(self, direction: str = "") -> bytes:
        return self.session.body(direction or self._direction)

    def _begin_acts(self) -> None:
        if self.state != "confirmed":
            return
        for after, act in self.plan.acts:
            self._clock.after(after, partial(self.act, act))
        if self.plan.hang_up_after is not None:
            self._clock.after(self.plan.hang_up_after, self.hang_up)

    def _ask(self, method: str, heard: Callable[[Response], None], body: bytes = b"", text: bool = False) -> None:
        self._seq += 1
        self._agent.ask(
            method,
            self._target,
            from_=self._local,
            to=self._remote,
            call_id=self.id,
            cseq=self._seq,
            route=self._route,
            heard=heard,
            timed_out=self._lost_touch,
            contact=method in ("INVITE", "UPDATE"),
            extra=[("Content-Type", "text/plain")] if text else (),
            body=body,
        )

    def act(self, act: Act) -> None:
        """Do something in the call, unless it is over or an offer is in the air (RFC 3261 14.1)."""
        if self.state != "confirmed":
            return
        if act in ("info", "message"):
            self._ask(act.upper(), self._other_heard, b"5", text=True)
            return
        if self._offering or any(server.open for _, server in self._offers.values()):
            return
        if act in ("hold", "resume"):
            self._direction = "sendonly" if act == "hold" else "sendrecv"
        elif act in ("move", "update"):
            self.session.move()
        self._offering = True
        if act == "update":
            self._ask("UPDATE", partial(self._update_heard, act), self._say())
            return
        body = b"" if act == "empty" else self._say()
        self._ask("INVITE", partial(self._reinvite_heard, act, self._seq + 1), body)

    def _reinvite_heard(self, act: Act, seq: int, response: Response) -> None:
        if response.status < 200:
            return
        if seq in self._acks:
            self._agent.transmit(self._acks[seq])
            return
        self._offering = False
        if response.status < 300:
            answer = b""
            if has_sdp(response):
                self.heard_body = response.body
                if act == "empty":
                    answer = self._say(MIRRORED[direction_of(response.body)])
            else:
                self.wrong("sdp", f"a {response.status} to re-INVITE without a session description")
            self._send_ack(seq, answer)
        else:
            self._not_now(act, response)

    def _update_heard(self, act: Act, response: Response) -> None:
        if response.status < 200:
            return
        self._offering = False
        if response.status >= 300:
            self._not_now(act, response)
        elif has_sdp(response):
            self.heard_body = response.body
        else:
            self.wrong("sdp", "a 200 to an offer in UPDATE without the answer")

    def _not_now(self, act: Act, response: Response) -> None:
        if response.status == 491:
            pause = self._agent.draw.uniform(2.1, 4.0) if self.outgoing else self._agent.draw.uniform(0.0, 2.0)
            self._clock.after(pause, partial(self.act, act))
        else:
            self._other_heard(response)

    def _other_heard(self, response: Response) -> None:
        if response.status == 481 and self.state == "confirmed":
            self._over("them")
        elif response.status == 408:
            self._lost_touch()

    def _lost_touch(self) -> None:
        self._offering = False
        if self.state == "confirmed":
            self.gave_up = True
            self.hang_up()
        elif self.state == "ending":
            self.gave_up = True
            self._over("us")

    def hang_up(self) -> None:
        """BYE. The called party waits for the ACK first, or for 64*T1 (RFC 3261 section 15)."""
        if self.state == "confirmed":
            self.state = "ending"
            self._ask("BYE", self._bye_heard)

    def _bye_heard(self, response: Response) -> None:
        if response.status >= 200:
            self._over("us")

    def requested(self, request: Request, server: ServerTransaction) -> None:
        """A request within the dialog."""
        if request.cseq.number <= self._heard_seq:
            self._agent.reply(request, server, 500)
            return
        self._heard_seq = request.cseq.number
        if self.state == "over" and request.method != "BYE":
            self._agent.reply(request, server, 481)
        elif request.method == "BYE":
            self._bye(request, server)
        elif request.method in ("INVITE", "UPDATE"):
            self._offered(request, server)
        else:
            self._agent.reply(request, server, 200)

    def _bye(self, request: Request, server: ServerTransaction) -> None:
        if self.state == "over" and self.ended_by != "us":
            self._agent.reply(request, server, 481)
            return
        for invitation, pending in self._offers.values():
            if not pending.answered:
                self._agent.reply(invitation, pending, 487, to_tag=self.local_tag)
        self._agent.reply(request, server, 200)
        if not self.final:
            self.final = 487
        self._over("them" if self.state != "ending" else "both")

    def _offered(self, request: Request, server: ServerTransaction) -> None:
        if self._offering:
            self._agent.reply(request, server, 491)
            return
        if any(not other.answered for _, other in self._offers.values()):
            self._agent.reply(request, server, 500, extra=[("Retry-After", "3")])
            return
        if request.method == "INVITE":
            self._offers[request.cseq.number] = (request, server)
            self._agent.reply(request, server, 100)
        self._target = self._agent.address_of(request.get("Contact") or self._target)
        if has_sdp(request):
            self.heard_body = request.body
        pause = self.plan.reply_after if request.method == "INVITE" else 0.0
        self._clock.after(pause, partial(self._answer_offer, request, server))

    def _answer_offer(self, request: Request, server: ServerTransaction) -> None:
        if server.answered:
            return
        if self.state != "confirmed":
            self._agent.reply(request, server, 487)
        elif self.plan.reply >= 300 and request.method == "INVITE":
            self._agent.reply(request, server, self.plan.reply)
        else:
            offered = has_sdp(request)
            body = b""
            if offered or request.method == "INVITE":
                body = self._say(MIRRORED[direction_of(request.body)] if offered else "")
            self._agent.reply(request, server, 200, contact=self._agent.contact, body=body)

    def _send_ack(self, seq: int, body: bytes) -> None:
        self._acks[seq] = write_request(
            "ACK",
            self._target,
            via=self._agent.via(self._agent.token("z9hG4bK")),
            from_=self._local,
            to=self._remote,
            call_id=self.id,
            cseq=seq,
            route=self._route,
            body=body,
        )
        self._agent.transmit(self._acks[seq])

    def _over(self, by: str) -> None:
        self.state = "over"
        self.ended_by = by
        self.over_at = self._clock.now
        self._clock.cancel(self._patience)
