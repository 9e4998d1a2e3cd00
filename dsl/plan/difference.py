"""What would be otherwise between two decisions about the same event, in a few words that many calls share.

Owns when two decisions are the same: they send the call to the same parties by the same ways, for as long, as the same
caller, and say, mark and count the same. Where a rule stands, and what it writes into the log, makes no difference.
"""

from __future__ import annotations

from dsl.compile_setup import Setup, Trunk
from dsl.compile_trunks import Trunks
from dsl.decision import (
    Accept,
    Action,
    Answer,
    Challenge,
    Continue,
    Decision,
    Deliver,
    Dial,
    NumberTarget,
    Play,
    Redirect,
    Reject,
    Step,
    Target,
    Transfer,
    UriTarget,
    UserTarget,
)
from dsl.numbers import Format, NumberPlan
from dsl.patterns import parse_pattern
from dsl.plan.recorded import Version, Way, way_of
from dsl.policy import Policy

_WORDS = {"from_": "from", "caller_id": "caller-id"}


class Ways:
    """What has become of the trunks, sounds and emergency numbers of a version. Of an unknown one nothing is told."""

    def __init__(self, version: Version | None, policy: Policy) -> None:
        self._version = version
        self._policy = policy
        self._changes: dict[str, str | None] = {}
        self._before: Trunks | None = None
        self._is_emergency = Setup(emergency=frozenset(version.emergency if version else ())).is_emergency
        if version is not None:
            home = version.home
            plan = NumberPlan(home.country, home.national, home.international, home.bare)
            self._before = Trunks([_trunk(name, way) for name, way in version.trunks.items()], plan)

    def change(self, target: NumberTarget) -> str | None:
        """What would be otherwise for this number through the trunk of this name."""
        name, number = target.trunk, target.number
        if self._version is None or self._before is None or name not in self._version.trunks or number is None:
            return None
        before = number if self._is_emergency(number) else self._before.number(name, number)
        now = self._policy.trunk_number(name, number)
        if before != now:
            if now is None:
                return f"through {name}, which would not allow the number"
            if before is None:
                return f"refused by {name}, which would allow the number"
            return f"through {name}, which would be given another form of the number"
        if name not in self._changes:
            self._changes[name] = _settings(self._version.trunks[name], way_of(self._policy.trunks[name]))
        words = self._changes[name]
        return None if words is None else f"through {name}, whose {words} would be another"

    def sound(self, name: str) -> bool:
        """Whether a sound is another under the same name."""
        if self._version is None or name not in self._version.sounds:
            return False
        return self._version.sounds[name] != self._policy.sounds[name].version


def _trunk(name: str, way: Way) -> Trunk:
    allow = None if way.allow is None else tuple(parse_pattern(text) for text in way.allow)
    form = next(known for known in _FORMS if known == way.number)
    return Trunk(name, way.uri, number=form, allow=allow)


_FORMS: tuple[Format, ...] = ("e164", "plain", "national", "as-dialed")


def _settings(before: Way, now: Way) -> str | None:
    """The settings that are others, by the words of a trunk; its numbers are looked at one by one."""
    names = [
        f"`{_WORDS.get(name, name)}`"
        for name in Way.__struct_fields__
        if name not in ("allow", "number", "channels") and getattr(before, name) != getattr(now, name)
    ]
    return " and ".join(names) or None


def changed(before: Decision, now: Decision, ways: Ways) -> str | None:
    """What would be otherwise; None when nothing would."""
    one, other = before.action, now.action
    was, would = phrase(one), phrase(other)
    if was != would:
        return f"{was}, would be {would}"
    detail = _dial(one, other) if isinstance(one, Dial) and isinstance(other, Dial) else _detail(one, other, ways)
    detail = detail or _through(one, ways) or _beside(before, now)
    return None if detail is None else f"{was}{detail}"


def targets(action: Action) -> tuple[Target, ...]:
    """Whom a decision calls."""
    match action:
        case Dial(steps=steps):
            return tuple(party for step in steps for party in step.parties)
        case Transfer(target=target):
            return (target,)
        case _:
            return ()


def _through(action: Action, ways: Ways) -> str | None:
    for party in targets(action):
        if isinstance(party, NumberTarget) and (change := ways.change(party)) is not None:
            return f" ({change})"
    return None


def _dial(one: Dial, other: Dial) -> str | None:
    """How two dials to parties of the same kinds differ."""
    if one.forwarder != other.forwarder or one.notify != other.notify:
        return ", would be on behalf of somebody else"
    if one.steps == other.steps:
        return None
    for before, now in zip(one.steps, other.steps, strict=True):
        if before.parties != now.parties:
            kind = next(_OTHERS[type(old)] for old, new in zip(before.parties, now.parties, strict=True) if old != new)
            return f", would be {kind}"
        if before.seconds != now.seconds:
            return f" for {before.seconds:g}s, would be for {now.seconds:g}s"
    return ", would be left after another time without progress"


_OTHERS: dict[type[Target], str] = {
    UserTarget: "another user",
    NumberTarget: "another number there",
    UriTarget: "another address",
}


def _detail(one: Action, other: Action, ways: Ways) -> str | None:
    if isinstance(one, Answer | Play) and one.sound is not None and one == other and ways.sound(one.sound):
        return ", which would be another sound"
    if one == other:
        return None
    match one:
        case Reject():
            return ", would be with another reason"
        case Redirect():
            return ", would be to another address"
        case Accept():
            return ", would be with other bounds"
        case Deliver():
            return ", would be to another user"
        case _:
            return ", would be in another way"


def _beside(before: Decision, now: Decision) -> str | None:
    """What would be otherwise beside the action."""
    if before.media != now.media:
        return f", its media {before.media or 'auto'}, would be {now.media or 'auto'}"
    if before.headers != now.headers:
        return ", would be with other headers"
    if before.tags != now.tags:
        return ", would be tagged otherwise"
    if before.takes != now.takes:
        return ", would count for other limits"
    return None


def phrase(action: Action) -> str:
    """A decision without what is of one call alone."""
    match action:
        case Challenge():
            return "challenged"
        case Accept():
            return "accepted"
        case Reject(code=code):
            return f"rejected {code}"
        case Redirect(code=code):
            return f"redirected {code}"
        case Answer(kind=kind, sound=sound):
            return f"answered with {sound or kind}"
        case Play(sound=sound, loop=loop):
            return f"held with {sound}{' over and over' if loop else ''}"
        case Continue():
            return "passed on"
        case Deliver(user=user):
            return f"delivered to {'nobody' if user is None else 'a user'}"
        case Transfer(target=target):
            return f"transferred to {_party(target).removeprefix('through ')}"
        case _:
            steps = enumerate(action.steps)
            way = "".join(f"{f' {step.after} ' if index else ''}{_parties(step)}" for index, step in steps)
            return f"{'dialled' if action.notify is None else 'forwarded'} {way}"


def _parties(step: Step) -> str:
    return " and ".join(_party(party) for party in step.parties)


def _party(target: Target) -> str:
    match target:
        case UserTarget():
            return "a user"
        case NumberTarget(trunk=trunk, number=number):
            return f"through {trunk}" if number is not None else f"nobody through {trunk}"
        case _:
            return "nobody" if target.uri is None else "an address"
