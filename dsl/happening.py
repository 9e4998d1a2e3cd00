"""One call or registration of a `test` block, decided as far as the test asks about it, and what is done in it.

Owns who of an answered call's parties holds or has the other go elsewhere, the facts of that, and what the call takes
until it is over. Who they are is `parties`', what an expectation means `expecting`'s, how a dial goes `ringing`'s, and
when it does `scene`'s.
"""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.decision import (
    Accept,
    Action,
    Answer,
    Decision,
    Deliver,
    Dial,
    Event,
    Facts,
    Frame,
    Outcome,
    Reject,
    Step,
    Transfer,
)
from dsl.occasions import Occasion, UnmetError
from dsl.parties import Parties, Party, Side, other
from dsl.policy import Policy, told_of_message
from dsl.registering import registered
from dsl.rehearsal import Leg, World
from dsl.ringing import Ringing

_MOST_DIALS = 10
_MOST_FORWARDERS = 5
_MOST_REDIRECTIONS = 5


class Happening:
    """What was decided so far, of which `expected` decisions were asked about; `facts` are those of the last event.

    `occasions` has the decisions again, each with its event. `answered`: the leg that took the call, None while nobody
    did; `over`: nothing more comes of it, `hung_up` because a party wanted so. `rings` are its dials, each with how
    many decisions led to it, and the first `heard` rounds of them were asked about.
    """

    def __init__(self, world: World, event: Event, facts: Facts) -> None:
        self.world = world
        self.policy: Policy = world.policy
        self.occasions: list[Occasion] = []
        self.decisions: list[Decision] = []
        self.facts = facts
        self.expected = 0
        self.heard = 0
        self.rings: list[tuple[int, Ringing]] = []
        self.answered: Leg | None = None
        self.over = False
        self.hung_up = False
        self.registered: int | None = None
        self._ringing: Ringing | None = None
        self._dialed = facts.dialed
        self._emergency = self.policy.is_emergency(facts.dialed)
        self._taken: list[tuple[str, str]] = []
        self._users: list[str] = []
        self._forwarders = [] if facts.diverted_by is None else [facts.diverted_by]
        self._redirections: list[str] = []
        self._held_since: dict[Side, float] = {}
        self.parties = Parties(self.policy, facts)
        self._channels: dict[Side, str] = {}
        self._transferor: Side | None = None
        decision = self.policy.decide(event, facts)
        if isinstance(decision.action, Accept):
            decision = self._register(decision, decision.action)
        self._decided(event, None, decision)
        if event in ("register", "message"):
            self._end()
        else:
            if facts.trunk is not None:
                self._channels["caller"] = facts.trunk
                world.counts.channels[facts.trunk] += 1
            self._follow(decision)

    def _decided(self, event: Event, outcome: Outcome | None, decision: Decision, why: str = "") -> Decision:
        self.occasions.append(Occasion(event, self.facts, outcome, decision, why))
        self.decisions.append(decision)
        for name, key in () if self._emergency else decision.takes:
            if self.world.counts.take(name, key, self.world.time):
                self._taken.append((name, key))
        for group in decision.turns:
            self.world.take_turn(group)
        return decision

    def _register(self, decision: Decision, accept: Accept) -> Decision:
        """Do what an `accept` says, which refuses by itself what is not within its bounds."""
        came = registered(accept, self.facts)
        if isinstance(came, Reject):
            return msgspec.structs.replace(decision, action=came)
        self.registered = came
        if self.facts.user is not None:
            self.world.register(self.facts.user, came)
        return decision

    @property
    def delivered(self) -> int | None:
        """What the sender of a message is told; None where nothing was delivered."""
        last = self.decisions[-1].action
        return told_of_message(self.world.delivered(last.user)) if isinstance(last, Deliver) else None

    # Dialling

    @property
    def rounds(self) -> list[tuple[int, tuple[Leg, ...]]]:
        """The legs that rang together, one step after the other, each with how many decisions led to it."""
        return [(decided, legs) for decided, ringing in self.rings for legs in ringing.rounds]

    @property
    def due(self) -> float | None:
        """When something goes on by itself: wall seconds, None where everything waits for people."""
        return None if self._ringing is None else self._ringing.due

    def go_on(self) -> None:
        """Let happen what is `due`."""
        ringing = self._ringing
        assert ringing is not None
        ringing.go_on()
        if ringing.result is None:
            return
        self._ringing = None
        if self._transferor is not None:
            self._transferred(self._transferor, ringing.result)
        elif isinstance(ringing.result, Leg):
            self._connected(ringing.result)
        else:
            self._resume(ringing.result, ringing.why)

    def _follow(self, decision: Decision) -> None:
        """Do what was decided of the call itself."""
        action = decision.action
        if isinstance(action, Dial):
            self._enter(self.facts.caller)
            self._dial(action)
        elif isinstance(action, Answer):
            self._enter(self.facts.caller)
        else:
            self._end()

    def _dial(self, dial: Dial) -> None:
        if sum(isinstance(decision.action, Dial) for decision in self.decisions) > _MOST_DIALS:
            self._end()
        elif why := self._may_not_forward(dial.forwarder):
            self._resume(Outcome("failure", dial.forwarder), why)
        else:
            self._ring(Ringing(dial, self.world, self._emergency))

    def _may_not_forward(self, forwarder: str | None) -> str:
        """Note that a user's calls go elsewhere; why they cannot, if that user forwarded already or too many did."""
        if forwarder is None:
            return ""
        if forwarder in self._forwarders:
            return f"{forwarder} has forwarded this call already"
        if len(self._forwarders) >= _MOST_FORWARDERS:
            return f"this call was forwarded {_MOST_FORWARDERS} times already"
        self._forwarders.append(forwarder)
        return ""

    def _ring(self, ringing: Ringing) -> None:
        self._ringing = ringing
        self.rings.append((len(self.decisions), ringing))

    def _resume(self, outcome: Outcome, why: str) -> None:
        redirected = outcome.redirected
        if redirected is not None:
            if redirected in self._redirections or len(self._redirections) >= _MOST_REDIRECTIONS:
                why = f"this call was redirected to {redirected} already, or too often"
                outcome = Outcome("failure", outcome.target, None, outcome.rang, outcome.tried)
            self._redirections.append(redirected)
        frame = next(
            decision.action.frame for decision in reversed(self.decisions) if isinstance(decision.action, Dial)
        )
        self.facts = msgspec.structs.replace(self.facts, time=self.world.time, callee=None)
        self._follow(self._decided(outcome.kind, outcome, self.policy.resume(frame, outcome, self.facts), why))

    def _connected(self, leg: Leg) -> None:
        self.answered = leg
        self.parties.answers(leg)
        self._carries("called", leg)
        self._enter(leg.user)

    # What the call takes

    def _enter(self, user: str | None) -> None:
        if user is not None and user not in self._users:
            self._users.append(user)
            self.world.counts.users[user] += 1

    def _leave(self, party: Party) -> None:
        if party.known and party.name in self._users:
            self._users.remove(party.name)
            self.world.counts.users[party.name] -= 1

    def hang_up(self) -> None:
        """The call is over, whatever it came to."""
        self.hung_up = True
        if self._ringing is not None:
            self._ringing.abandon()
            self._ringing = None
        self._end()

    def _end(self) -> None:
        """Nothing more comes of it: give back what it took."""
        self.over = True
        counts = self.world.counts
        for name, key in self._taken:
            counts.give_back(name, key)
        for user in self._users:
            counts.users[user] -= 1
        for side in list(self._channels):
            self._drop(side)
        self._taken, self._users = [], []

    def _carries(self, side: Side, leg: Leg) -> None:
        if leg.trunk is not None:
            self._channels[side] = leg.trunk

    def _drop(self, side: Side) -> None:
        trunk = self._channels.pop(side, None)
        if trunk is not None:
            self.world.counts.channels[trunk] -= 1

    # Holding

    def hold(self, step: tree.HoldStep) -> None:
        """One party of the call holds: take the decision on it. Raises UnmetError where that cannot be."""
        side = self._side(step.holder)
        if side in self._held_since:
            raise UnmetError(step, f"{self.parties.named(side)} holds already")
        self._held_since[side] = self.world.time
        self._held("hold", side, None)

    def resume(self, step: tree.ResumeStep) -> None:
        """A holder is back: take the decision on it. Raises UnmetError where that cannot be."""
        side = self._side(step.holder)
        since = self._held_since.pop(side, None)
        if since is None:
            raise UnmetError(step, f"{self.parties.named(side)} does not hold")
        self._held("resume", side, max(0.0, self.world.time - since))

    def _held(self, event: Event, side: Side, held_for: float | None) -> None:
        self.facts = msgspec.structs.replace(
            self.facts,
            time=self.world.time,
            callee=None,
            dialed=self._dialed,
            holder=self.parties.on(side).name,
            held=self.parties.on(other(side)).name,
            holder_is_caller=self.parties.is_caller(side),
            held_for=held_for,
        )
        self._asked(event)

    def _asked(self, event: Event) -> Decision:
        """Take the decision on something that was done in the call; what was decided before is of no more concern."""
        self.expected = len(self.decisions)
        return self._decided(event, None, self.policy.decide(event, self.facts))

    # Transfers

    def transfer(self, step: tree.TransferStep, dialed: str) -> None:
        """One party has the other go on to somebody else: take the decision on it. Raises UnmetError as `hold` does."""
        side = self._side(step.transferor)
        action = self._sent_on(side, dialed, self.policy.callee(dialed), attended=False)
        if isinstance(action, Transfer):
            self._transferor = side
            self._ring(Ringing(Dial((Step((action.target,), action.seconds),), Frame("", 0)), self.world))

    def connect(self, step: tree.TransferStep, there: Happening) -> None:
        """A party of two calls connects the others: take the decision on it; this call goes on with the other's party.

        Raises UnmetError as `hold` does.
        """
        side, away = self._side(step.transferor), there._side(step.transferor)
        target = there.parties.on(other(away))
        action = self._sent_on(side, target.name, target.name if target.known else None, attended=True)
        if isinstance(action, Transfer):
            self._goes(side)
            self.parties.comes(side, target)
            there._hand_over(other(away), self, side)
            self._leave(there.parties.on(away))

    def has(self, meant: tree.From) -> bool:
        """Whether this party talks in it now."""
        return self.answered is not None and not self.over and self.parties.side_of(meant) is not None

    def _sent_on(self, side: Side, dialed: str | None, target: str | None, attended: bool) -> Action:
        transferor = self.parties.on(side)
        self.facts = msgspec.structs.replace(
            self.facts,
            time=self.world.time,
            callee=None,
            dialed=dialed,
            transferor=transferor.name,
            transferee=self.parties.on(other(side)).name,
            transferor_is_known=transferor.known,
            transferor_is_caller=self.parties.is_caller(side),
            target=target,
            attended=attended,
        )
        return self._asked("transfer").action

    def _transferred(self, side: Side, result: Outcome | Leg) -> None:
        """A transfer came to its end: if somebody is there, that is the transferor's side from now on."""
        self._transferor = None
        if isinstance(result, Outcome):
            return
        self._goes(side)
        self._carries(side, result)
        self.parties.takes_over(side, result)
        self._enter(result.user)

    def _goes(self, side: Side) -> None:
        """The party on this side has gone."""
        self._held_since.pop(side, None)
        self._drop(side)
        self._leave(self.parties.on(side))

    def _hand_over(self, goes: Side, to: Happening, side: Side) -> None:
        """The party on this side goes on in another call, on that side, and so does what this one took."""
        trunk = self._channels.pop(goes, None)
        if trunk is not None:
            to._channels[side] = trunk
        to._taken += self._taken
        self._taken = []
        for user in self._users:
            to._enter(user)
        self._end()

    def _side(self, meant: tree.From) -> Side:
        """The side on which this party is."""
        if isinstance(self.decisions[-1].action, Answer):
            raise UnmetError(meant, "we answered this call ourselves: nobody in it can be held")
        if self.answered is None:
            raise UnmetError(meant, "nobody answered this call")
        if self.over:
            raise UnmetError(meant, "this call was hung up")
        side = self.parties.side_of(meant)
        if side is None:
            named = self.parties.named
            raise UnmetError(meant, f"the parties of this call are {named('caller')} and {named('called')}")
        return side
