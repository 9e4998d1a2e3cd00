"""One call as one party sees it: the dialog, what happens in it, its end (RFC 3261 sections 12, 14 and 15).

Written from the RFC for the simulator's user agents, honest and small. Offers and answers follow RFC 3264, glare
RFC 3261 14.1 and 14.2. `caller` and `called` know how a call begins. What the other side must never do is reported as
it is seen; what a whole run must have come to is read afterwards from the public fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from b2bua.sdp.session import NEVER
from b2bua.sip.message import Request, Response

from .plan import Act, Plan
from .session import Session, answer_direction
from .timing import Timing
from .transactions import ServerTransaction
from .wire import Header, has_sdp, write_request

if TYPE_CHECKING:
    from .agent import Agent


class Call:
    """A call. `state` goes from `inviting` to `confirmed`, `ending`, `over`, or stops short.

    `final` is the status that ended the INVITE, 0 while none came; `ended_by` is `us`, `them`, `both` or empty;
    `gave_up` says that something was never answered. `heard_first` and `said_first` are the session descriptions with
    which the call was connected, `heard` and `said` those in force, once `settled`: no offer was open when it ended.
    `restated` says that it has answered anew what it had heard before, `solicited` that it was asked for an offer.
    """

    outgoing = False

    def __init__(self, agent: Agent, plan: Plan, *, call_id: str, local: str, remote: str) -> None:
        self.id = call_id
        self.plan = plan
        self.state = "inviting"
        self.final = 0
        self.provisionals: list[int] = []
        self.ack_seen = False
        self.gave_up = False
        self.settled = False
        self.restated = False
        self.solicited = False
        self.ended_by = ""
        self.began = agent.clock.now
        self.over_at = 0.0
        self.said_first = b""
        self.heard_first = b""
        self.said = b""
        self.heard = b""
        self.local_tag = agent.token()
        self.remote_tag = ""
        self.session = Session(f"{agent.name}-{call_id[-8:]}", agent.place.host, agent.draw)
        self.timing = Timing(self, plan.timing, agent.clock)
        self._agent = agent
        self._clock = agent.clock
        self._local = f"{local};tag={self.local_tag}"
        self._remote = remote
        self._target = ""
        self._route: list[str] = []
        self._seq = agent.draw.randrange(1, 10_000)
        self._heard_seq = 0
        self._acks: dict[int, bytes] = {}
        self._offering = False
        self._unsure = False
        self._offered = b""
        self._hold = self._held_before = ""
        if plan.codecs:
            self.session.speak(plan.codecs)
        self._offers: dict[int, tuple[Request, ServerTransaction]] = {}

    def __repr__(self) -> str:
        way = "calls" if self.outgoing else "is called"
        return f"{self._agent.name} {way} [{self.id[:12]}]: {self.state}, final {self.final}"

    def wrong(self, rule: str, text: str) -> None:
        """Report what must not be."""
        self._agent.report(rule, f"{self._agent.name}: {text}", self.id)

    def cancelled(self) -> None:
        """The caller has left; too late once the call is answered (RFC 3261 9.2)."""

    def acknowledged(self, request: Request) -> None:
        """The ACK to a 2xx of ours."""
        invitation, server = self._offers.get(request.cseq.number, (None, None))
        if invitation is None or server is None or not 200 <= server.status < 300:
            self.wrong("known", f"an ACK with CSeq {request.cseq.number}, which answers nothing")
        elif server.ack():
            if not has_sdp(invitation):
                self._take_late_answer(request)
            self._first_ack(invitation)

    def _take_late_answer(self, ack: Request) -> None:
        if ack.cseq.number != max(self._offers):
            # A newer INVITE has overtaken this ACK: which of the two descriptions holds cannot be told from here.
            self._unsure = True
        elif has_sdp(ack):
            self.said, self.heard = self._offered, ack.body
        elif self.state == "confirmed":
            self.wrong("sdp", "an ACK without the answer to our offer")

    def _first_ack(self, invitation: Request) -> None:
        """An INVITE of the other's has its ACK; the call's own one begins it."""

    def unacknowledged(self) -> None:
        """No ACK in 64*T1 (RFC 3261 13.3.1.4, 17.2.1)."""
        self.gave_up = True
        if self.state == "confirmed":
            self.hang_up()

    def _make_dialog(self, message: Request | Response) -> None:
        routes = message.values("Record-Route")
        self._route = routes if isinstance(message, Request) else routes[::-1]
        self._target = self._agent.address_of(message.get("Contact") or "").strip()
        if isinstance(message, Response):
            self.remote_tag = message.to_tag or ""
            self._remote = message.get("To") or ""
        else:
            self.remote_tag = message.from_tag or ""

    @property
    def quiet(self) -> bool:
        """Whether the call is there, and nothing in it is under way or in doubt."""
        return self.state == "confirmed" and not self._offering and not self._unsure and not self._owed()

    def _say(self, offer: bytes = b"") -> bytes:
        """What we say of ourselves: our own hold, if we hold, whatever the other does (RFC 3264 8.4)."""
        away = NEVER if self._hold == NEVER else ""
        if offer:
            return self.session.body(answer_direction(offer, bool(self._hold)), offer, away)
        return self.session.body("sendrecv" if self._hold in ("", NEVER) else self._hold, host=away)

    def _begin_acts(self) -> None:
        if self.state != "confirmed":
            return
        for after, act in self.plan.acts:
            self._clock.after(after, partial(self.act, act))
        if self.plan.hang_up_after is not None:
            self._clock.after(self.plan.hang_up_after, self.hang_up)

    def _ask(
        self,
        method: str,
        heard: Callable[[Response], None],
        body: bytes = b"",
        text: bool = False,
        extra: Sequence[Header] = (),
    ) -> None:
        self._seq += 1
        offers = method in ("INVITE", "UPDATE")
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
            contact=offers,
            extra=extra or ([("Content-Type", "text/plain")] if text else self.timing.asking() if offers else ()),
            body=body,
        )

    def act(self, act: Act) -> None:
        """Do something in the call, unless it is over or an offer is in the air (RFC 3261 14.1)."""
        if self.state != "confirmed":
            return
        if act in ("info", "message"):
            self._ask(act.upper(), self._other_heard, b"5", text=True)
            return
        if self._offering or self._owed():
            return
        by_update = act == "update"
        self._held_before = self._hold
        if act in ("hold", "resume"):
            self._hold = self._agent.draw.choice(("sendonly", "inactive", NEVER)) if act == "hold" else ""
            by_update = self._agent.draw.random() < 0.3
        elif act in ("move", "update"):
            self.session.move()
        self._offer(act, by_update)

    def refresh(self, by_update: bool) -> bool:
        """Refresh the session; False if that has to wait (RFC 4028 section 10)."""
        if self._offering or self._owed():
            return False
        if by_update:
            self._offering = True
            self._ask("UPDATE", self._refresh_heard)
        else:
            self._held_before = self._hold
            self._offer("refresh", False)
        return True

    def refer(self, other: Call, target: str) -> None:
        """Have the other party of this call go on with that of another of ours (RFC 5589 section 7)."""
        dialog = f"{other.id}%3Bto-tag%3D{other.remote_tag}%3Bfrom-tag%3D{other.local_tag}"
        self._ask("REFER", self._other_heard, extra=[("Refer-To", f"<{target}?Replaces={dialog}>")])

    def _refresh_heard(self, response: Response) -> None:
        if response.status < 200:
            return
        self._offering = False
        if response.status < 300:
            self.timing.heard(response)
        elif not self.timing.grows(response):
            self._other_heard(response)

    def _offer(self, act: Act, by_update: bool) -> None:
        self._offering = True
        self._offered = b"" if act == "empty" else self._say()
        if by_update:
            self._ask("UPDATE", partial(self._update_heard, act), self._offered)
        else:
            self._ask("INVITE", partial(self._reinvite_heard, act, self._seq + 1), self._offered)

    def _owed(self) -> bool:
        """Whether an INVITE of the other's still waits for us, or we for its ACK."""
        return any(server.open for _, server in self._offers.values())

    def _reinvite_heard(self, act: Act, seq: int, response: Response) -> None:
        if response.status < 200:
            return
        if seq in self._acks:
            self._agent.transmit(self._acks[seq])
            return
        self._offering = False
        if response.status >= 300:
            self._not_now(act, response)
        else:
            self.timing.heard(response)
            self._send_ack(seq, self._take_answer(response, bool(self._offered)))

    def _take_answer(self, response: Response, we_offered: bool) -> bytes:
        """Take what a 2xx to INVITE says as in force; our own answer to it, for the ACK, when it was the offer."""
        if not has_sdp(response):
            self.wrong("sdp", f"a {response.status} to INVITE without a session description")
            return b""
        answer = b"" if we_offered else self._say(response.body)
        self.said, self.heard = answer or self._offered, response.body
        return answer

    def _update_heard(self, act: Act, response: Response) -> None:
        if response.status < 200:
            return
        self._offering = False
        if response.status >= 300:
            self._not_now(act, response)
            return
        self.timing.heard(response)
        if has_sdp(response):
            self.said, self.heard = self._offered, response.body
        else:
            self.wrong("sdp", "a 200 to an offer in UPDATE without the answer")

    def _not_now(self, act: Act, response: Response) -> None:
        # What was refused does not hold (RFC 3261 14.1).
        self._hold = self._held_before
        if act in ("move", "update"):
            self.session.move(back=True)
        if self.timing.grows(response):
            self._clock.after(0.0, partial(self.act, act))
        elif response.status == 491:
            pause = self._agent.draw.uniform(2.1, 4.0) if self.outgoing else self._agent.draw.uniform(0.0, 2.0)
            self._clock.after(pause, partial(self.act, act))
        else:
            # 487 is said for the other side, which may have taken the offer before the call ended.
            self._unsure |= response.status == 487
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
            self._settle()
            self.state = "ending"
            self._ask("BYE", self._bye_heard)

    def _settle(self) -> None:
        self.settled = not self._offering and not self._unsure and not self._owed()

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
        elif request.method == "NOTIFY":
            self._notified(request, server)
        elif request.method == "PRACK":
            self._pracked(request, server)
        elif request.method in ("INVITE", "UPDATE"):
            self._other_offers(request, server)
        else:
            self._agent.reply(request, server, 200)

    def _notified(self, request: Request, server: ServerTransaction) -> None:
        """What has come of a REFER: where the two are connected, nobody is left to talk to (RFC 5589 section 7)."""
        self._agent.reply(request, server, 200)
        if request.body.startswith(b"SIP/2.0 200") and self._agent.draw.random() < 0.7:
            self._clock.after(0.1, self.hang_up)

    def _pracked(self, request: Request, server: ServerTransaction) -> None:
        """A PRACK, of one who speaks no 100rel."""
        self.wrong("prack", "a PRACK for nothing that was sent reliably")
        self._agent.reply(request, server, 481)

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

    def _other_offers(self, request: Request, server: ServerTransaction) -> None:
        unanswered = any(each.answered and each.open and not has_sdp(asked) for asked, each in self._offers.values())
        if self._offering or unanswered:
            # Our own offer is open, be it in the 2xx whose ACK has not come (RFC 3261 14.2, RFC 3311 5.2).
            self._agent.reply(request, server, 491)
            return
        if any(not other.answered for _, other in self._offers.values()):
            self._agent.reply(request, server, 500, extra=[("Retry-After", "3")])
            return
        if request.method == "INVITE":
            self._offers[request.cseq.number] = (request, server)
            self._agent.reply(request, server, 100)
        self._target = self._agent.address_of(request.get("Contact") or self._target)
        pause = self.plan.reply_after if request.method == "INVITE" else 0.0
        self._clock.after(pause, partial(self._answer_offer, request, server))

    def _answer_offer(self, request: Request, server: ServerTransaction) -> None:
        if server.answered:
            return
        if self.state != "confirmed":
            self._agent.reply(request, server, 487)
        elif self.plan.reply >= 300 and request.method == "INVITE":
            self._agent.reply(request, server, self.plan.reply)
        elif least := self.timing.too_small(request):
            self._agent.reply(request, server, 422, extra=least)
        else:
            body = self._answer(request) if request.method == "INVITE" or has_sdp(request) else b""
            extra = self.timing.telling(request)
            self._agent.reply(request, server, 200, contact=self._agent.contact, extra=extra, body=body)

    def _answer(self, request: Request) -> bytes:
        """Our answer to the offer in a request, now in force; an offer of our own when there is none."""
        if not has_sdp(request):
            self._offered = self._say()
            self.solicited = True
            return self._offered
        self.restated = self.restated or request.body == self.heard
        self.said, self.heard = self._say(request.body), request.body
        return self.said

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
        if self.state == "confirmed":
            self._settle()
        self.state = "over"
        self.ended_by = by
        self.over_at = self._clock.now
