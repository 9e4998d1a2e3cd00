"""A call: the caller's leg, the leg that took it, and what connects them.

Owns the order of things: decide, dial, answer, talk, end. It sees neutral events only. Leaves the wire to the legs,
decisions and dials until somebody takes the call to `setup`, what happens once the sides talk to `talk`, ports and
music to `media`, and records to `record`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from b2bua.call.events import Answered, Content, Progressed, Rejected
from b2bua.call.headers import crossing
from b2bua.call.hunt import Hunt
from b2bua.call.incoming import IncomingLeg
from b2bua.call.leg import Leg, Stack
from b2bua.call.media import CallMedia
from b2bua.call.outgoing import OutgoingLeg
from b2bua.call.proceeding import Proceeding
from b2bua.call.record import record
from b2bua.call.setup import Setup
from b2bua.call.side import Hold
from b2bua.call.talk import HoldEvent, Talk
from b2bua.call.transfers import Transfers, party_in
from b2bua.call.trunks import forsaken, refused, served
from b2bua.effects import Flow, Log
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.referring import Party
from b2bua.routing.saying import say
from b2bua.routing.verdicts import Continue, Decision, Media, Play
from b2bua.sip.message import Request
from b2bua.transaction.server import ServerTransaction


class Call:
    """One call, from its INVITE to its last leg's end. `id` is ours, for operators and records.

    `live` are the numbers of the legs that are not over, `numbers` how many legs were called in all.
    `mode` is the way of the media that a rule chose, if one did.
    """

    __slots__ = (
        "_in_call",
        "_over",
        "_setup",
        "_taken",
        "_talk",
        "answered",
        "callee",
        "caller",
        "hung_up_by",
        "id",
        "incoming",
        "inquiry",
        "live",
        "media",
        "mode",
        "numbers",
        "rules",
        "source",
        "stack",
        "tags",
        "trunk",
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
        self._talk: Talk | None = None
        self.media: CallMedia | None = None
        self.numbers = 0
        self.mode: Media = "auto"
        self._in_call: list[str] = []
        self._taken: list[tuple[str, str]] = []
        self._setup: Setup | None = Setup(self, offer, crossing(request, "INVITE"), max_forwards, breadth)
        self.incoming = IncomingLeg(stack, self, request, flow, transaction)
        self.incoming.said = offer
        if facts.source != flow.remote:
            self.incoming.seen_at = facts.source
        self.id = stack.turn.dated(self.incoming.dialog.local_tag)
        self.live: set[int] = {0}
        if facts.caller is not None:
            self.enter(facts.caller)
        self.trunk = facts.trunk
        if self.trunk is not None:
            inquiry.meters.take_channel(self.trunk, True)

    # What the policy says.

    def follow(self, decision: Decision) -> None:
        """Do what was decided."""
        self.note(decision)
        setup = self._setup
        if setup is not None:
            setup.follow(decision)

    def note(self, decision: Decision) -> None:
        """Do what was decided on the way: which rules fired, tags, limits, lines for the operator."""
        rules = decision.rules
        if decision.policy != self.inquiry.began_with:
            rules = tuple([f"{rule}@{decision.policy}" for rule in rules])
        self.rules += rules
        if decision.tags:
            self.tags = {**self.tags, **decision.tags}
        if decision.takes:
            self._taken += self.inquiry.take(decision.takes, self.stack.turn.wall)
        for group in decision.turns:
            self.inquiry.meters.take_turn(group)
        if decision.logs:
            say(decision, self.stack.turn, {"call": self.id})

    def credit(self, decision: Decision) -> None:
        """Another call was told what is to become of this one: it has the rules that fired, and the tags."""
        rules = decision.rules
        if decision.policy != self.inquiry.began_with:
            rules = tuple([f"{rule}@{decision.policy}" for rule in rules])
        self.rules += rules
        self.tags = {**self.tags, **decision.tags}

    def _judge(self, event: HoldEvent, leg: Leg, held_for: float | None) -> Hold:
        """What the policy says of a hold or a resume."""
        self.renew()
        near, far = self.sides
        other = near if far is None or leg is far else far
        parties = (self.party(leg).name, self.party(other).name)
        decision = self.inquiry.judge(event, parties, self.is_caller(leg), held_for, self.stack.turn.wall)
        self.note(decision)
        return decision.action if isinstance(decision.action, Play) else Continue()

    def renew(self) -> None:
        """Follow the version in force from now on, if the one that the call follows was replaced too long ago.

        To be asked before a hold, a resume or a transfer is decided. What is being dialled goes on by the one that said
        so.
        """
        inquiry, turn = self.inquiry, self.stack.turn
        dialling = self._setup is not None or (self._talk is not None and self._talk.transfer is not None)
        if turn.wall < inquiry.version.ends or dialling:
            return
        inquiry.renew()
        if self.media is not None:
            self.media.know(inquiry.policy.sounds)
        said = f"decided by version {inquiry.policy.hash} from now on: {inquiry.began_with} was replaced too long ago"
        turn.effects.append(Log("info", "policy", {"call": self.id, "said": said}))

    # What the legs bring.

    def leg_progressed(self, leg: OutgoingLeg, progress: Progressed) -> None:
        """The caller hears of it, as far as it is one of those that ring."""
        if leg.witness is not None:
            served(leg)
        setup = self._setup
        if setup is not None:
            setup.progressed(leg, progress)
        elif self._transfer is not None:
            self._transfer.progressed(leg, progress)

    def leg_rejected(self, leg: OutgoingLeg, rejection: Rejected) -> None:
        """The dial goes on, or is over."""
        if self.media is not None:
            self.media.over(leg)
        if leg.witness is not None:
            refused(leg, rejection)
        if self.incoming.provisionals is not None:
            self.incoming.provisionals.abandon(leg.number)
        hunt = self._hunt
        if hunt is not None:
            hunt.rejected(leg, rejection)

    def leg_answered(self, leg: OutgoingLeg, answer: Answered) -> None:
        """The dial is over, and the caller is told."""
        if leg.witness is not None:
            served(leg)
        setup = self._setup
        if setup is None or setup.hunt is None:
            if self._transfer is not None:
                self._transfer.answered(leg, answer)
            return
        setup.hunt.answered(leg)
        setup.hunt = None
        self.answered = leg
        self.settled()
        user = leg.destination.party
        if leg.destination.trunk is None and user in self.inquiry.policy.users:
            self.enter(user)
        self.hear(leg, answer.content)
        self.incoming.answer(answer, leg.source)
        media = self.media
        if media is not None:
            media.talks(leg)
            media.spare()
            if self.incoming.said is not None:
                media.agreed((self.incoming, leg))

    def wait_in(self, setup: Setup) -> None:
        """It gets what it asks for otherwise than by a dial."""
        self._setup = setup

    def settled(self) -> None:
        """Somebody took the call: nobody else is looked for."""
        self._setup = None
        self.inquiry.forget()
        self.stack.turn.effects.append(self.inquiry.remember(self.id))

    def hear(self, leg: OutgoingLeg, content: Content | None) -> None:
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
        self.end("caller" if leg is self.incoming else "callee", leg, headers)

    def leg_lost(self, leg: Leg) -> None:
        """One side cannot be reached: the other is told."""
        self.end("system", leg, ())

    def _stop_dialling(self) -> None:
        if self._setup is not None:
            self._setup.stop()
        elif self.answered is not None:
            # Its answer was withheld from the caller.
            self.answered.end()

    def end(
        self, by: Literal["caller", "callee", "system"], ended: Leg | None, headers: tuple[tuple[str, str], ...]
    ) -> None:
        """End the call, for this leg is gone; not if it goes on without. `headers` are for the other side's BYE."""
        sides: tuple[Leg, Leg | None] = (self.incoming, self.answered)
        talk = self._talk
        if talk is not None:
            if ended is not None and talk.does_without(ended):
                return
            talk.drop()
            sides = self.sides
            if by != "system":
                by = "caller" if ended is sides[0] else "callee"
        if not self.hung_up_by:
            self.hung_up_by = by
        for leg in sides:
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
        hunt = self._hunt
        return None if hunt is None else hunt.legs.get(number)

    @property
    def _hunt(self) -> Hunt | None:
        if self._setup is not None:
            return self._setup.hunt
        return None if self._transfer is None else self._transfer.hunt

    @property
    def _transfer(self) -> Proceeding | None:
        return None if self._talk is None else self._talk.transfer

    def party(self, leg: Leg) -> Party:
        """Who is there."""
        transfers = None if self._talk is None else self._talk.transfers
        return party_in(self, leg) if transfers is None else transfers.party(leg)

    def is_caller(self, leg: Leg) -> bool | None:
        """Whether it is the caller's, of the two that talk; None where the caller has gone from between them."""
        return leg is self.incoming if self.incoming in self.sides else None

    @property
    def sides(self) -> tuple[Leg, Leg | None]:
        """Who talks: in the caller's place and in the called party's, where there is one."""
        transfers = None if self._talk is None else self._talk.transfers
        if transfers is not None and transfers.pair is not None:
            return transfers.pair
        return self.incoming, self.answered

    # What the operator and the clock bring.

    def hang_up(self) -> None:
        """End the call, wherever it stands."""
        if self.talking:
            self.end("system", None, ())
        else:
            self.incoming.reject(Rejected(480, "ended by the operator"))
            self._stop_dialling()

    def fail(self) -> None:
        """End the call for a fault of ours: 500 to a caller who still waits."""
        if self.talking:
            self.end("system", None, ())
        else:
            self.incoming.reject(Rejected(500, ""))
            self._stop_dialling()

    def abolish(self) -> None:
        """Take every leg of this call out of the stack, unsaid: to end it properly has failed."""
        if self._setup is not None:
            self._setup.forget()
        if self._talk is not None:
            self._talk.abolish()
        for leg in {id(leg): leg for leg in self.stack.legs.values() if leg.call is self}.values():
            leg.abolish()
        if self.live:
            self.live = set()
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

    def transfers_there(self) -> Transfers:
        """The transfers of the call, which is about to have one."""
        return self._with_talk().with_transfers()

    def refresh(self, leg: Leg) -> None:
        """It is time that we refresh the session with the peer of this leg."""
        self._with_talk().refresh(leg)

    def is_asked_by(self, leg: Leg) -> bool:
        """Whether a request of this leg's peer is under way."""
        return self._talk is not None and self._talk.is_asked_by(leg)

    def expired(self, leg: Leg, reason: str) -> None:
        """The session with the peer of this leg has not been refreshed: both sides end, and both records say why."""
        for each in self.sides:
            if each is not None:
                each.reason = reason
        leg.lose()

    def requested(self, leg: Leg, request: Request, flow: Flow, transaction: ServerTransaction) -> None:
        """The peer of this leg has a request for the other side."""
        near, far = self.sides
        if leg is near or leg is far or not self.talking:
            self._with_talk().requested(leg, far if leg is near else near, request, flow, transaction)
        else:
            # It has had the other party go on to somebody else, and is about to be hung up on.
            transaction.respond(481, leg.dialog.local_tag)

    def acknowledged(self, leg: Leg, request: Request) -> None:
        """An ACK of a 2xx came: of a re-INVITE's, or of the first."""
        if self._talk is not None and self._talk.acknowledged(leg, request):
            return
        if leg is self.incoming:
            self.incoming.acknowledged(request)
        elif isinstance(leg, IncomingLeg):
            # It has come from another call.
            leg.acknowledged(request)

    def sound_over(self) -> None:
        """What we answered with has been heard to its end."""
        self.end("system", None, ())

    def music_possible(self) -> None:
        """There is a media process again."""
        if self._talk is not None:
            self._talk.invite_to_music()

    # The end.

    def leg_over(self, leg: Leg) -> None:
        """Nothing more comes from this leg: write its record."""
        talk = self._talk
        if talk is not None:
            # The leg counts still: what this ends must not find the call over before the leg has its record.
            talk.left(leg)
        self.live.discard(leg.number)
        written = record(self, leg)
        self.stack.turn.effects.append(written if talk is None else talk.recorded(leg, written))
        if isinstance(leg, OutgoingLeg) and leg.destination.trunk is not None:
            self.inquiry.meters.free_channel(leg.destination.trunk)
            if leg.witness is not None:
                forsaken(leg)
        elif leg.number == 0 and self.trunk is not None:
            self.inquiry.meters.free_channel(self.trunk)
        if self.media is not None:
            self.media.over(leg)
        self.finish_if_over()

    def finish_if_over(self) -> None:
        """Once nothing is left of the call, give back what it took."""
        if self.live or self._talk:
            return
        inquiry = self.inquiry
        if inquiry.events:
            self.stack.turn.effects.append(inquiry.remember(self.id))
        meters = inquiry.meters
        for name, key in self._taken:
            meters.give_back(name, key)
        for user in self._in_call:
            meters.leave_call(user)
        self._taken = []
        self._in_call = []
        self._over(self)
        # Its legs know their call: without this, only the collector could free what is over.
        if self._talk is not None:
            self._talk.transfers = None
        self.answered = self.media = self._talk = self._setup = None
        if self.incoming.provisionals is not None:
            self.incoming.provisionals.forget()
            self.incoming.provisionals = None
        del self.incoming

    def leave(self, user: str) -> None:
        """A user is not in this call any more, on one of its sides."""
        if user in self._in_call:
            self._in_call.remove(user)
            self.inquiry.meters.leave_call(user)

    def take_over(self, leg: Leg, before: Call) -> None:
        """A leg goes on in this call, not in the one `before`, and so does what that one took."""
        before.live.discard(leg.number)
        self.numbers = leg.number = self.numbers + 1
        self.live.add(leg.number)
        leg.call = self
        self._taken += before._taken
        self._in_call += before._in_call
        before._taken, before._in_call = [], []

    def enter(self, user: str) -> None:
        """A user is in this call, until it ends."""
        self.inquiry.meters.enter_call(user)
        self._in_call.append(user)
