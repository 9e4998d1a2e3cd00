"""A world to try a policy in: the clock, who answers what, who is registered, what is used up.

Owns what `given` sets, what holds where nothing was given, and where a call to a party arrives. Reading `test` blocks
is `scene`'s, counting `counting`'s, and how a dial goes there `ringing`'s.
"""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec

from dsl.addresses import address_of
from dsl.counting import Counts
from dsl.decision import Ambient, NumberTarget, Target, UriTarget, UserTarget
from dsl.policy import Policy

REDIRECTED = "sip:elsewhere@redirected.invalid"
"""The Contact of a 3xx of which a test does not say where it leads (RFC 2606 2)."""

_NOBODY_THERE = 480
_NOBODY_NAMED = "what says whom to call, or by which trunk, is empty"

_WEB = ("sip:", "sips:")


class _Usual:
    """How things are where nobody says otherwise."""

    def registered(self, user: str) -> bool:
        """Everybody is."""
        return True

    def busy(self, user: str) -> bool:
        """Nobody is."""
        return False

    def over(self, limit: str, key: str) -> bool:
        """No limit is used up."""
        return False

    def up(self, trunk: str) -> bool:
        """Every trunk is."""
        return True

    def full(self, trunk: str) -> bool:
        """No trunk is."""
        return False

    def turn(self, group: str) -> int:
        """No group was called before."""
        return 0

    def draw(self, group: str) -> float:
        """The first member comes first."""
        return 0.0


class Manner(msgspec.Struct, frozen=True):
    """How a party takes calls: with a status, None if never; after ringing so many seconds, None if at once.

    `silent`: nothing at all is heard of it. `redirected` is the Contact of a 3xx.
    """

    code: int | None = 200
    after: float | None = None
    silent: bool = False
    redirected: str = REDIRECTED

    @property
    def rings(self) -> bool:
        """Whether the caller hears it ring."""
        return not self.silent and (self.code is None or self.after is not None)


class Leg(msgspec.Struct, frozen=True):
    """A call on its way to a party; `names` are those under which a test may speak of it, the closest first.

    `number` is what the `trunk` is sent.
    """

    target: Target
    names: tuple[str, ...]
    trunk: str | None = None
    number: str | None = None

    @property
    def user(self) -> str | None:
        """The user of ours who is called."""
        return self.names[0] if self.trunk is None and not self.names[0].startswith(_WEB) else None


class Nobody(msgspec.Struct, frozen=True):
    """A call that does not even begin: what outcome that is, and why."""

    kind: Literal["unreachable", "failure"]
    why: str


class World:
    """The `Ambient` of a test's events, at `time` (wall seconds). Everybody answers.

    What was neither given nor came about is as `otherwise` has it; without that, everybody is registered and idle,
    trunks take calls, and limits have room.
    """

    def __init__(self, policy: Policy, otherwise: Ambient | None = None) -> None:
        self.policy = policy
        self._otherwise: Ambient = _Usual() if otherwise is None else otherwise
        self.time = 0.0
        self.counts = Counts(policy.limits)
        self._states: dict[tuple[str, str], bool] = {}
        self._until: dict[str, float] = {}
        self._used_up: set[str] = set()
        self._manners: dict[str, Manner] = {}
        self._turns: dict[str, int] = {}
        self._draws: dict[str, float] = {}

    def state(self, subject: str, state: str, holds: bool) -> None:
        """From here on a user is registered or busy, a trunk up or full, or not."""
        self._states[state, subject] = holds
        self._until.pop(subject, None)

    def register(self, user: str, seconds: int) -> None:
        """A phone of a user is registered for so long, or (0) no more."""
        self._states.pop(("registered", user), None)
        self._until[user] = self.time + seconds

    def used_up(self, limit: str) -> None:
        """From here on one more would pass this limit, for every key."""
        self._used_up.add(limit)

    def takes_calls(self, party: str, manner: Manner) -> None:
        """From here on this user, trunk, number or URI takes calls so."""
        self._manners[self._key(party)] = manner

    def manner(self, leg: Leg) -> Manner:
        """How whoever is called takes the call."""
        known = (self._manners.get(self._key(name)) for name in leg.names)
        return next((manner for manner in known if manner is not None), Manner())

    def begins(self, group: str, member: str) -> None:
        """A group in turn begins with this member next; one by weight from here on."""
        setup = self.policy.setup
        members = setup.hunt_groups.get(group) or setup.trunk_groups[group]
        if members.way == "turn":
            self._turns[group] = members.members.index(member)
        else:
            self._draws[group] = members.draw_of(member)

    def take_turn(self, group: str) -> None:
        """A group is called in turn."""
        self._turns[group] = self.turn(group) + 1

    def _key(self, party: str) -> str:
        return self.policy.e164(party) or party

    def registered(self, user: str) -> bool:
        """Whether a user has a binding."""
        given, until = self._states.get(("registered", user)), self._until.get(user)
        if given is not None:
            return given
        return self._otherwise.registered(user) if until is None else self.time < until

    def busy(self, user: str) -> bool:
        """Whether a user is in a call."""
        given = self._states.get(("busy", user))
        return (self.counts.users[user] > 0 or self._otherwise.busy(user)) if given is None else given

    def over(self, limit: str, key: str) -> bool:
        """Whether a limit is used up; one that was given as used up is so whatever the key."""
        return limit in self._used_up or self.counts.over(limit, key, self.time) or self._otherwise.over(limit, key)

    def up(self, trunk: str) -> bool:
        """Whether a trunk takes calls."""
        given = self._states.get(("up", trunk))
        return self._otherwise.up(trunk) if given is None else given

    def full(self, trunk: str) -> bool:
        """Whether a trunk's channels are taken."""
        given = self._states.get(("full", trunk))
        if given is not None:
            return given
        channels = self.policy.trunks[trunk].channels
        taken = channels is not None and self.counts.channels[trunk] >= channels
        return taken or self._otherwise.full(trunk)

    # Where messages and calls go

    def delivered(self, user: str | None) -> int:
        """What comes back for a message to this user, who takes it unless given otherwise."""
        if user is None or not self.registered(user):
            return _NOBODY_THERE
        code = self.manner(Leg(UserTarget(user), (user,))).code
        return _NOBODY_THERE if code is None else code

    def turn(self, group: str) -> int:
        """How often a group was called in turn; unless given otherwise, since the test began."""
        return self._turns[group] if group in self._turns else self._otherwise.turn(group)

    def draw(self, group: str) -> float:
        """What chance says."""
        return self._draws[group] if group in self._draws else self._otherwise.draw(group)

    def leg(self, target: Target, emergency: bool, last_resort: bool = False) -> Leg | Nobody:
        """The call to a party; a trunk that is down or full is no way, but for an emergency.

        `last_resort`: a trunk is tried although it is down.
        """
        match target:
            case UserTarget(user=user):
                return self._to_user(user, target)
            case NumberTarget():
                return self._through(target, emergency or self.policy.is_emergency(target.number), last_resort)
            case UriTarget(uri=uri, written=written):
                return Nobody("failure", _NOBODY_NAMED) if uri is None else self._to_uri(uri, written, target)
            case _:
                assert_never(target)

    def _to_user(self, user: str, target: Target) -> Leg | Nobody:
        return Leg(target, (user,)) if self.registered(user) else Nobody("unreachable", f"{user} is not registered")

    def _through(self, target: NumberTarget, emergency: bool, last_resort: bool) -> Leg | Nobody:
        number, trunk = target.number, target.trunk
        if number is None:
            return Nobody("failure", f"there is no number to call via {trunk}")
        sent = number if emergency else self.policy.trunk_number(trunk, number)
        if sent is None:
            is_number = self.policy.e164(number) is not None
            return Nobody("failure", f"{trunk} allows no {number}" if is_number else f"{number} is no number")
        if not self.up(trunk) and not last_resort:
            return Nobody("unreachable", f"{trunk} is not up")
        if self.full(trunk) and not emergency:
            return Nobody("unreachable", f"{trunk} is full")
        return Leg(target, (number, sent, trunk), trunk, sent)

    def _to_uri(self, uri: str, written: bool, target: Target) -> Leg | Nobody:
        """An address of ours is a user's; another one is called only if the policy itself names it."""
        address = address_of(uri, self.policy)
        if address is None:
            return Nobody("failure", f"{uri} is no address that can be called")
        if address.ours and address.user is not None:
            return self._to_user(address.user, target)
        if address.ours:
            return Nobody("failure", f"nobody here has {uri}")
        return Leg(target, (uri,)) if written else Nobody("failure", f"{uri} is elsewhere, and no rule names it")
