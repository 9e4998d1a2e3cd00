"""A call: the caller's leg, the legs that were tried for it, and the decision that connects them.

Owns the order of things: decide, dial, answer, talk, end. It sees neutral events only. Leaves the wire to the legs,
the steps of a dial to `hunt`, what happens once the sides talk to `talk`, ports and music to `media`, and records to
`record`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from b2bua.call.events import Answered, Content, Progressed, Rejected
from b2bua.call.headers import crossing, edited
from b2bua.call.hunt import Hunt
from b2bua.call.incoming import IncomingLeg
from b2bua.call.leg import Leg, Stack
from b2bua.call.media import CallMedia, relays
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.record import record
from b2bua.call.side import Hold
from b2bua.call.speaking import service
from b2bua.call.talk import HoldEvent, Talk
from b2bua.call.trunks import forsaken, refused, served
from b2bua.effects import Flow, Log
from b2bua.routing.destination import Refused
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.secure import secured
from b2bua.routing.verdicts import (
    Answer,
    Continue,
    Decision,
    Dial,
    HeaderEdit,
    Media,
    Outcome,
    Play,
    Redirect,
    Reject,
    Target,
)
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction

_MOST_DIALS = 10
_MOST_REDIRECTIONS = 5
# What one INVITE can lead to, whatever the policy and its phones: a party of many contacts is still rung as a whole.
_MOST_LEGS = 100
# RFC 3326: a phone that rang in vain need not show a missed call.
_ELSEWHERE = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)


class Call:
    """One call, from its INVITE to its last leg's end. `id` is ours, for operators and records."""

    __slots__ = (
        "_dials",
        "_edits",
        "_headers",
        "_hunt",
        "_in_call",
        "_live",
        "_max_forwards",
        "_mode",
        "_numbers",
        "_offer",
        "_over",
        "_redirections",
        "_rejection",
        "_ringing_told",
        "_taken",
        "_talk",
        "answered",
        "breadth",
        "callee",
        "caller",
        "hung_up_by",
        "id",
        "incoming",
        "inquiry",
        "media",
        "rules",
        "source",
        "stack",
        "tags",
    )
    # For mypyc: what `finish_if_over` deletes.
    __deletable__ = ("incoming",)

    def __init__(
        self,
        stack: Stack,
        inquiry: Inquiry,
        request: Request,
        flow: Flow,
        transaction: ServerTransaction,
        offer: Content | None,
        max_forwards: int,
        breadth: int | None,
        over: Callable[[Call], None],
    ) -> None:
        self.stack = stack
        self.inquiry = inquiry
        self._over = over
        facts = inquiry.facts
        self.caller = facts.caller or facts.caller_number or facts.claimed or ""
        self.callee = facts.dialed or ""
        self.source = facts.source
        self.answered: OutgoingLeg | None = None
        self.hung_up_by: Literal["caller", "callee", "system", ""] = ""
        self.rules: tuple[str, ...] = ()
        self.tags: dict[str, str] = {}
        self._hunt: Hunt | None = None
        self._dials = 0
        self._edits: tuple[HeaderEdit, ...] = ()
        self._mode: Media = "auto"
        self._talk: Talk | None = None
        self.media: CallMedia | None = None
        self._in_call: list[str] = []
        self._numbers = 0
        self._redirections: set[str] = set()
        self._rejection: Rejected | None = None
        self._ringing_told = False
        self._taken: list[tuple[str, str]] = []
        self._offer = offer
        self._headers = crossing(request, "INVITE")
        self._max_forwards = max_forwards
        self.breadth = breadth
        self.incoming = IncomingLeg(stack, self, request, flow, transaction)
        self.incoming.said = offer
        if facts.source != flow.remote:
            self.incoming.seen_at = facts.source
        self.id = stack.turn.dated(self.incoming.dialog.local_tag)
        self._live: set[int] = {0}
        if facts.caller is not None:
            self._enter(facts.caller)

    # What the policy says.

    def follow(self, decision: Decision) -> None:
        """Do what was decided."""
        self._note(decision)
        self._edits += decision.headers
        self._mode = decision.media or self._mode
        match decision.action:
            case Dial() as dial:
                self._dial(dial)
            case Reject(code=code, reason=reason):
                self._reject(code, reason)
            case Redirect(code=code, uri=uri):
                self.incoming.reject(Rejected(code, "", (("Contact", f"<{uri}>"),)))
            case Answer() as answer:
                self._serve(answer)
            case other:
                self.stack.turn.effects.append(
                    Log("error", "policy", {"call": self.id, "impossible here": repr(other)})
                )
                self._reject(500, None)

    def _note(self, decision: Decision) -> None:
        self.rules += decision.rules
        if decision.tags:
            self.tags = {**self.tags, **decision.tags}
        turn = self.stack.turn
        if decision.takes:
            self._taken += self.inquiry.take(decision.takes, turn.wall)
        for line in decision.logs:
            turn.effects.append(Log("info", "policy", {"call": self.id, "said": line}))

    def _judge(self, event: HoldEvent, leg: Leg, held_for: float | None) -> Hold:
        """What the policy says of a hold or a resume."""
        decision = self.inquiry.judge(event, self._callee(), leg is self.incoming, held_for, self.stack.turn.wall)
        self._note(decision)
        return decision.action if isinstance(decision.action, Play) else Continue()

    def _callee(self) -> str:
        return self.callee if self.answered is None else self.answered.destination.party

    def _dial(self, dial: Dial) -> None:
        self._dials += 1
        if self._dials > _MOST_DIALS:
            self._reject(500, "the routing policy dialled too often")
            return
        if self.inquiry.privacy.session and not self._hides_media():
            return
        if self._mode == "relay" and not self.with_media().can_relay():
            self._reject(503, "no media port is free")
            return
        self._hunt = hunt = Hunt(self, dial)
        if not self.inquiry.forward(dial):
            self.dial_over(Outcome("failure", dial.forwarder))
            return
        if dial.notify is not None:
            self.incoming.progress(Progressed(dial.notify, "", None, ()), None)
        hunt.advance()

    def _hides_media(self) -> bool:
        """Be in the media's way for a caller who asks for it (RFC 3323); False where that is critical and cannot be."""
        if self._mode != "direct" and self.with_media().can_relay():
            self._mode = "relay"
        elif self.inquiry.privacy.critical:
            self._reject(500, "Required Privacy Cannot Be Provided")
            return False
        return True

    def _reject(self, code: int, reason: str | None) -> None:
        headers: tuple[tuple[str, str], ...] = ()
        rejection = self._rejection
        if rejection is not None and rejection.status == code and reason is None:
            # What the called side said about its refusal goes with the same status.
            headers, reason = rejection.headers, rejection.reason
        self.incoming.reject(Rejected(code, reason or "", headers))

    def _serve(self, answer: Answer) -> None:
        """Take the call ourselves."""
        ports, flow = self.stack.ports, self.incoming.dialog.flow
        if not ports.free(flow.local):
            self._reject(503, "no media port is free")
            return
        description = service(self.with_media(), answer, self.incoming.said)
        if description is None:
            self._reject(488, "no common codec")
            return
        self._settled()
        self.incoming.answer(Answered(description, ()), "")

    # What a dial brings.

    def dial_party(self, target: Target) -> list[OutgoingLeg] | Refused:
        """New legs to a party, not yet started."""
        if self._numbers >= _MOST_LEGS:
            return Refused("failure", "the call has been tried in too many places")
        found = self.inquiry.destinations(target)
        if self.inquiry.secure and not self.inquiry.emergency:
            found = secured(found)
        if isinstance(found, Refused):
            return found
        turn, has_ports = self.stack.turn, self.stack.ports.free(self.incoming.dialog.flow.local) > 0
        legs = []
        for destination in found:
            relayed = (self._mode == "relay" or has_ports) and relays(self._mode, self.incoming, destination)
            if relayed and not self.with_media().can_relay():
                if self._mode == "relay":
                    continue
                relayed = False
            self._numbers += 1
            headers = (*destination.headers, *self._headers)
            if self._edits:
                headers = edited(headers, self._edits)
            leg = OutgoingLeg(
                self.stack,
                self,
                self._numbers,
                destination,
                self._offer,
                headers,
                self._max_forwards,
                turn.dated(turn.draw()),
            )
            self._live.add(leg.number)
            if relayed:
                self.with_media().join(leg, relayed=True)
            if destination.trunk is not None:
                leg.witness = self.inquiry.meters.take_channel(destination.trunk)
            legs.append(leg)
        return legs or Refused("unreachable", "no media port is free")

    def failover(self, leg: OutgoingLeg) -> frozenset[int]:
        """The statuses that this leg's trunk counts as unreachable."""
        trunk = leg.destination.trunk
        return self.inquiry.policy.trunks[trunk].failover if trunk is not None else frozenset()

    def trunk_progress(self, legs: Iterable[OutgoingLeg]) -> float | None:
        """The longest that any of these legs' trunks may stay silent, in seconds, if all of them say so."""
        longest = 0.0
        for leg in legs:
            trunk = leg.destination.trunk
            limit = self.inquiry.policy.trunks[trunk].progress if trunk is not None else None
            if limit is None:
                return None
            longest = max(longest, limit)
        return longest

    def dial_over(self, outcome: Outcome) -> None:
        """Nobody took the call: the policy says what comes next."""
        hunt, self._hunt = self._hunt, None
        assert hunt is not None
        self._ringing_told = False
        self._rejection = hunt.rejection
        redirected = outcome.redirected
        if redirected is not None:
            if redirected in self._redirections or len(self._redirections) >= _MOST_REDIRECTIONS:
                outcome = Outcome("failure", outcome.target, None, outcome.rang, outcome.tried)
            self._redirections.add(redirected)
        self.follow(self.inquiry.resume(hunt.dial.frame, outcome, self.stack.turn.wall))

    # What the legs bring.

    def leg_progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """Of several phones the caller hears one 180 without a description; of one, all that it says."""
        hunt = self._hunt
        if leg.witness is not None:
            served(leg)
        if hunt is None or not hunt.progressed(leg):
            return
        if not hunt.several:
            content = progress.content
            self._hear(leg, content)
            self.incoming.progress(progress, leg.source if content is not None or progress.due is not None else None)
            if self.media is not None and content is not None and self.incoming.said is not None:
                self.media.agreed((self.incoming, leg))
            return
        if progress.due is not None:
            progress.due.acknowledge()
        if progress.status >= 180 and not self._ringing_told:
            self._ringing_told = True
            self.incoming.progress(Progressed(180, "", None, ()), None)

    def leg_rejected(self, leg: OutgoingLeg, rejection: Rejected) -> None:
        """The dial goes on, or is over."""
        if self.media is not None:
            self.media.over(leg)
        if leg.witness is not None:
            refused(leg, rejection)
        if self.incoming.provisionals is not None:
            self.incoming.provisionals.abandon(leg.number)
        if self._hunt is not None:
            self._hunt.rejected(leg, rejection)

    def leg_answered(self, leg: OutgoingLeg, answer: Answered) -> None:
        """The dial is over, and the caller is told."""
        if leg.witness is not None:
            served(leg)
        if self._hunt is None:
            return
        self._hunt.answered(leg)
        self.answered = leg
        self._settled()
        user = leg.destination.party
        if leg.destination.trunk is None and user in self.inquiry.policy.users:
            self._enter(user)
        self._hear(leg, answer.content)
        self.incoming.answer(answer, leg.source)
        media = self.media
        if media is not None:
            media.talks(leg)
            media.spare()
            if self.incoming.said is not None:
                media.agreed((self.incoming, leg))

    def _settled(self) -> None:
        """Somebody took the call: nobody else is looked for."""
        self._hunt = None
        self._offer = None
        self._headers = ()
        self._edits = ()
        self._rejection = None
        self.inquiry.forget()

    def _hear(self, leg: OutgoingLeg, content: Content | None) -> None:
        """A called leg describes itself to the caller."""
        if content is not None and content.around is not None:
            leg.said = content
            if self.media is not None:
                self.media.talks(leg)

    def leg_confirmed(self, content: Content | None) -> None:
        """The caller has the answer: the called side may know."""
        late = content is not None and content.around is not None
        if late:
            self.incoming.said = content
        if self.answered is not None:
            self.answered.acknowledge(content)
        if self.media is not None and (late or self.answered is None):
            self.media.agreed((self.incoming, self.answered))
        provisionals = self.incoming.provisionals
        if provisionals is not None and provisionals.unheard and self.answered is not None and self._talk is not None:
            self._talk.catch_up(self.answered)

    def leg_left(self) -> None:
        """Nobody waits any more."""
        self._stop_dialling()

    def leg_hung_up(self, leg: Leg, headers: tuple[tuple[str, str], ...]) -> None:
        """One side is gone: the other is told."""
        self._end("caller" if leg is self.incoming else "callee", leg, headers)

    def leg_lost(self, leg: Leg) -> None:
        """One side cannot be reached: the other is told."""
        self._end("system", leg, ())

    def _stop_dialling(self) -> None:
        hunt, self._hunt = self._hunt, None
        if hunt is not None:
            hunt.stop()
        elif self.answered is not None:
            # Its answer was withheld from the caller.
            self.answered.end()

    def _end(
        self, by: Literal["caller", "callee", "system"], ended: Leg | None, headers: tuple[tuple[str, str], ...]
    ) -> None:
        if not self.hung_up_by:
            self.hung_up_by = by
        if self._talk is not None:
            self._talk.drop()
        for leg in (self.incoming, self.answered):
            if leg is not None and leg is not ended:
                leg.parting = headers
                leg.end()

    def hears_offers(self) -> bool:
        """Whether an offer of a called side's reaches the caller before the answer: one phone, and 100rel."""
        hunt = self._hunt
        return hunt is not None and not hunt.several and self.incoming.provisionals is not None

    def called(self, number: int) -> OutgoingLeg | None:
        """The called leg of this number, while it rings or once it has answered."""
        if self.answered is not None and self.answered.number == number:
            return self.answered
        return None if self._hunt is None else self._hunt.legs.get(number)

    # What the operator and the clock bring.

    def hang_up(self) -> None:
        """End the call, wherever it stands."""
        if self.talking:
            self._end("system", None, ())
        else:
            self.incoming.reject(Rejected(480, "ended by the operator"))
            self._stop_dialling()

    def fail(self) -> None:
        """End the call for a fault of ours: 500 to a caller who still waits."""
        if self.talking:
            self._end("system", None, ())
        else:
            self.incoming.reject(Rejected(500, ""))
            self._stop_dialling()

    def abolish(self) -> None:
        """Take every leg of this call out of the stack, unsaid: to end it properly has failed."""
        if self._hunt is not None:
            self._hunt.forget()
        if self._talk is not None:
            self._talk.abolish()
        self._hunt = None
        for leg in {id(leg): leg for leg in self.stack.legs.values() if leg.call is self}.values():
            leg.abolish()
        if self._live:
            self._live = set()
            self.finish_if_over()

    # Requests inside the call.

    @property
    def talking(self) -> bool:
        """Whether somebody took the call, or we did."""
        return self.incoming.answered_at is not None

    def with_media(self) -> CallMedia:
        """The media of this call, in which we have a hand from now on."""
        if self.media is None:
            sounds = self.inquiry.policy.sounds
            self.media = CallMedia(self.stack.ports, sounds, self.incoming, self)
            if self.answered is not None:
                self.media.talks(self.answered)
                self.media.agreed(())
        return self.media

    def _with_talk(self) -> Talk:
        if self._talk is None:
            self._talk = Talk(self, self._judge)
        return self._talk

    def refresh(self, leg: Leg) -> None:
        """It is time that we refresh the session with the peer of this leg."""
        self._with_talk().refresh(leg)

    def is_asked_by(self, leg: Leg) -> bool:
        """Whether a request of this leg's peer is under way."""
        return self._talk is not None and self._talk.is_asked_by(leg)

    def expired(self, leg: Leg, reason: str) -> None:
        """The session with the peer of this leg has not been refreshed: both sides end, and both records say why."""
        for each in (self.incoming, self.answered):
            if each is not None:
                each.reason = reason
        leg.lose()

    def requested(self, leg: Leg, request: Request, flow: Flow, transaction: ServerTransaction) -> None:
        """The peer of this leg has a request for the other side."""
        far = self.answered if leg is self.incoming else self.incoming
        self._with_talk().requested(leg, far, request, flow, transaction)

    def acknowledged(self, leg: Leg, request: Request) -> None:
        """An ACK of a 2xx came: of a re-INVITE's, or of the first."""
        if (self._talk is None or not self._talk.acknowledged(leg, request)) and leg is self.incoming:
            self.incoming.acknowledged(request)

    def sound_over(self) -> None:
        """What we answered with has been heard to its end."""
        self._end("system", None, ())

    def music_possible(self) -> None:
        """There is a media process again."""
        if self._talk is not None:
            self._talk.invite_to_music()

    # The end.

    def leg_over(self, leg: Leg) -> None:
        """Nothing more comes from this leg: write its record."""
        if self._talk is not None:
            self._talk.left(leg)
        self._live.discard(leg.number)
        if isinstance(leg, OutgoingLeg) and leg.destination.trunk is not None:
            self.inquiry.meters.free_channel(leg.destination.trunk)
            if leg.witness is not None:
                forsaken(leg)
        if self.media is not None:
            self.media.over(leg)
        self.stack.turn.effects.append(record(self, leg))
        self.finish_if_over()

    def finish_if_over(self) -> None:
        """Once nothing is left of the call, give back what it took."""
        if self._live or self._talk:
            return
        meters = self.inquiry.meters
        for name, key in self._taken:
            meters.give_back(name, key)
        for user in self._in_call:
            meters.leave_call(user)
        self._taken = []
        self._in_call = []
        self._over(self)
        # Its legs know their call: without this, only the collector could free what is over.
        self.answered = self.media = self._talk = None
        if self.incoming.provisionals is not None:
            self.incoming.provisionals.forget()
            self.incoming.provisionals = None
        del self.incoming

    def _enter(self, user: str) -> None:
        self.inquiry.meters.enter_call(user)
        self._in_call.append(user)
