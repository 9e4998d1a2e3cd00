"""What the sentences mean that begin with `expect`, and what is said where they do not come true.

Owns all of them, and which decisions they are about: whoever speaks of where it rings, or of who answered, has spoken
of the decisions that led there. A call goes on as far as an expectation needs it to; how it does is `scene`'s, whether
a decision is the one that was written `expectation`'s.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree
from dsl.decision import Action, Answer, Challenge, Decision, Dial, Redirect, Reject
from dsl.expectation import Expectation, told, told_party
from dsl.happening import Happening
from dsl.occasions import UnmetError
from dsl.policy import Policy
from dsl.rehearsal import Leg
from dsl.scene import Scene
from dsl.spoken import spoken_time
from dsl.vocabulary import MEDIA

_RINGING = 180


class Expecting:
    """Holds what is written against what happens in a scene."""

    def __init__(self, policy: Policy, scene: Scene) -> None:
        self._policy = policy
        self._scene = scene

    def expect(self, step: tree.Expectation) -> None:
        """Raise UnmetError unless it comes true."""
        now = self._scene.now
        match step:
            case tree.ExpectDecision(decision=decision):
                self._decision(decision, now)
            case tree.ExpectRedirect() | tree.ExpectReject():
                self._turned_away(step, now)
            case tree.ExpectNothing():
                self._nothing(step, now)
            case tree.ExpectResponse(code=code):
                self._response(code, now)
            case tree.ExpectRings() | tree.ExpectAnswered() | tree.ExpectNumber():
                self._calls(step, now)
            case tree.ExpectExpires(duration=duration):
                self._expires(duration, now)
            case _:
                self._mark(step, now)

    # Decisions

    def _decision(self, wanted: tree.Decision, now: Happening) -> None:
        decision = self._next(wanted, now)
        if not Expectation(self._policy, now.facts).meets(wanted, decision.action):
            raise _instead(wanted, decision)

    def _turned_away(self, step: tree.ExpectRedirect | tree.ExpectReject, now: Happening) -> None:
        decision = self._next(step, now)
        match step, decision.action:
            case tree.ExpectReject(), Reject():
                pass
            case tree.ExpectRedirect(code=wanted), Redirect(code=code) if wanted is None or wanted.value == code:
                pass
            case _:
                raise _instead(step, decision)

    def _next(self, wanted: tree.Node, now: Happening) -> Decision:
        """The decision that an expectation is about, and has taken up."""
        if not self._has_further(now):
            raise _no_more(wanted, "there was no further decision", now)
        now.expected += 1
        return now.decisions[now.expected - 1]

    def _nothing(self, step: tree.ExpectNothing, now: Happening) -> None:
        if self._has_further(now):
            raise _instead(step, now.decisions[now.expected])

    def _has_further(self, now: Happening) -> bool:
        """Let it go on until there is a decision that was not asked about."""
        while now.expected >= len(now.decisions):
            if not self._scene.further():
                return False
        return True

    # What comes of them

    def _response(self, code: tree.Code, now: Happening) -> None:
        while code.value not in (sent := _responses(now)):
            if not self._scene.further():
                heard = " and ".join(str(status) for status in sent) or "nothing"
                raise UnmetError(code, f"the caller was sent {heard}", heard)

    def _calls(self, step: tree.ExpectRings | tree.ExpectAnswered | tree.ExpectNumber, now: Happening) -> None:
        match step:
            case tree.ExpectRings():
                self._rings(step, now)
            case tree.ExpectAnswered():
                self._answered(step, now)
            case tree.ExpectNumber(trunk=trunk, number=number):
                self._number(step, trunk.text, number.value, now)
            case _:
                assert_never(step)

    def _rings(self, step: tree.ExpectRings, now: Happening) -> None:
        while now.heard >= len(now.rounds):
            if not self._scene.further():
                raise _no_more(step, "it rang nowhere else" if now.rounds else "it rang nowhere", now)
        decided, legs = now.rounds[now.heard]
        now.heard += 1
        now.expected = max(now.expected, decided)
        if not self._expectation(now).rings(step.parties, [leg.target for leg in legs]):
            came = " and ".join(told_party(leg.target) for leg in legs)
            raise UnmetError(step, f"it rang at {came}", came)

    def _answered(self, step: tree.ExpectAnswered, now: Happening) -> None:
        while self._scene.further():
            pass
        now.expected = len(now.decisions)
        if now.answered is None:
            raise _no_more(step, "nobody answered", now)
        if not self._expectation(now).rings((step.party,), [now.answered.target]):
            came = told_party(now.answered.target)
            raise UnmetError(step, f"{came} answered", came)

    def _number(self, step: tree.ExpectNumber, trunk: str, number: str, now: Happening) -> None:
        while number not in (sent := _sent(now, trunk)):
            if not self._scene.further():
                if not sent:
                    raise _no_more(step, f"`{trunk}` got nothing", now)
                came = " and ".join(f"`{item}`" for item in sent)
                raise UnmetError(step, f"`{trunk}` got {came}", came)

    def _expectation(self, now: Happening) -> Expectation:
        return Expectation(self._policy, now.facts)

    def _expires(self, wanted: tree.Duration, now: Happening) -> None:
        registered = now.registered
        if registered is None:
            raise _instead(wanted, now.decisions[-1])
        if registered != wanted.seconds:
            came = f"for {spoken_time(registered)}" if registered else "no more"
            raise UnmetError(wanted, f"the phone is registered {came}", came)

    # What is noted

    def _mark(
        self,
        step: tree.ExpectHeader | tree.ExpectTag | tree.ExpectLog | tree.ExpectTakes | tree.ExpectMedia,
        now: Happening,
    ) -> None:
        """Something that decisions do besides: those that were taken so far."""
        match step:
            case tree.ExpectHeader(name=name, value=value):
                self._header(step, name.value, None if value is None else value.value, now)
            case tree.ExpectTag(name=name, value=value):
                self._tag(step, name.text, None if value is None else value.value, now)
            case tree.ExpectLog():
                self._log(step, now)
            case tree.ExpectTakes():
                self._takes(step, now)
            case tree.ExpectMedia(choice=choice):
                self._media(choice, now)
            case _:
                assert_never(step)

    def _tag(self, step: tree.ExpectTag, name: str, wanted: str | None, now: Happening) -> None:
        tags = {tag: text for decision in now.decisions for tag, text in decision.tags.items()}
        found = tags.get(name)
        if found != wanted:
            what = "not tagged" if found is None else f"tagged `{found}`"
            raise UnmetError(step, f"`{name}` is {what}", found)

    def _log(self, step: tree.ExpectLog, now: Happening) -> None:
        lines = [line for decision in now.decisions for line in decision.logs]
        if step.text.value not in lines:
            came = " and ".join(f"`{line}`" for line in lines) or "nothing"
            raise UnmetError(step, f"the log has {came}", came)

    def _takes(self, step: tree.ExpectTakes, now: Happening) -> None:
        takes = [name for decision in now.decisions for name, _ in decision.takes]
        if (step.limit.text in takes) != step.taken:
            came = " and ".join(f"`{name}`" for name in dict.fromkeys(takes)) or "no limit"
            raise UnmetError(step, f"it takes from {came}", came)

    def _media(self, choice: tree.Name, now: Happening) -> None:
        chosen = [decision.media for decision in now.decisions if decision.media is not None]
        media = chosen[-1] if chosen else MEDIA[-1]
        if media != choice.text:
            raise UnmetError(choice, f"the media is `{media}`", media)

    def _header(self, step: tree.ExpectHeader, name: str, wanted: str | None, now: Happening) -> None:
        edits = [edit for decision in now.decisions for edit in decision.headers if edit.name.lower() == name.lower()]
        own = now.facts.headers.get(name.lower())
        if not edits and own is not None:
            raise UnmetError(step, f"no rule sets or strips `{name}`, which the caller gave as `{own}`", own)
        found = edits[-1].value if edits else None
        if found != wanted:
            what = "not set" if not edits else "stripped" if found is None else f"set to `{found}`"
            raise UnmetError(step, f"`{name}` is {what}", found)


def _instead(node: tree.Node, decision: Decision) -> UnmetError:
    came = told(decision.action)
    return UnmetError(node, f"instead it was: {came}{_by(decision)}", came, _rule(decision))


def _no_more(node: tree.Node, what: str, now: Happening) -> UnmetError:
    """Nothing more comes of a call, and why."""
    last = now.decisions[-1]
    if now.hung_up:
        return UnmetError(node, f"{what}: it was hung up")
    if now.answered is not None:
        return UnmetError(node, f"{what}: {told_party(now.answered.target)} answered")
    if not now.over:
        return UnmetError(node, f"{what}: we answered it ourselves")
    if isinstance(last.action, Challenge | Redirect | Reject):
        came = told(last.action)
        return UnmetError(node, f"{what}: it was over with {came}{_by(last)}", came, _rule(last))
    return UnmetError(node, f"{what}: it was over")


def _rule(decision: Decision) -> str | None:
    return decision.rules[-1] if decision.rules else None


def _by(decision: Decision) -> str:
    rule = _rule(decision)
    return ", as where nothing is said of it" if rule is None else f" by the rule at {rule}"


def _responses(now: Happening) -> list[int]:
    """The statuses that the caller was sent so far, each once."""
    statuses = [_response(decision.action) for decision in now.decisions]
    if any(ringing.rang for _, ringing in now.rings):
        statuses.append(_RINGING)
    if now.answered is not None:
        statuses.append(200)
    if now.registered is not None:
        statuses.append(200)
    statuses.append(now.delivered)
    return list(dict.fromkeys(status for status in statuses if status is not None))


def _response(action: Action) -> int | None:
    match action:
        case Challenge():
            return 401
        case Reject(code=code) | Redirect(code=code):
            return code
        case Dial(notify=notify):
            return notify
        case Answer():
            return 200
        case _:
            return None


def _sent(now: Happening, trunk: str) -> list[str]:
    """The numbers that a trunk was sent for a call so far."""
    legs: list[Leg] = [leg for _, together in now.rounds for leg in together]
    return [leg.number for leg in legs if leg.trunk == trunk and leg.number is not None]
