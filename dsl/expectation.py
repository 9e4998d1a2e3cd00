"""What `expect` asks of a decision: whether it is that one, and in which words it is told if it is not.

Owns the rule that what an expectation leaves out may be anything: times, reasons, bounds, statuses, further steps,
whether a sound is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from dsl import tree
from dsl.addresses import address_of
from dsl.compile_dialing import compiled_delivery, compiled_party, compiled_steps, compiled_transfer, compiled_uri
from dsl.compile_groups import one_after_the_other
from dsl.compile_values import Scope
from dsl.decision import (
    Accept,
    Action,
    Answer,
    Challenge,
    Continue,
    Deliver,
    Dial,
    Facts,
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
from dsl.evaluate import Run
from dsl.policy import Policy
from dsl.rehearsal import World


class Expectation:
    """Compares decisions with what was written, whose values are those that hold for the call's facts."""

    def __init__(self, policy: Policy, facts: Facts | None) -> None:
        self._policy = policy
        self._scope = Scope(policy.setup.plan, {})
        self._run = Run(facts or _nothing(policy), policy.users, None)

    def text(self, expression: tree.Expression) -> str | None:
        """The value of an expression as text; None where it is absent."""
        value = self._scope.compiled(expression).value(self._run)
        return None if value is None else str(value)

    def meets(self, wanted: tree.Decision, action: Action) -> bool:
        """Whether this decision is the wanted one."""
        match wanted, action:
            case tree.Challenge(), Challenge():
                return True
            case tree.Accept(), Accept():
                return _bounds(wanted, action)
            case tree.Reject(), Reject():
                reason = wanted.reason
                return wanted.code.value == action.code and (reason is None or reason.value == action.reason)
            case tree.Redirect(), Redirect():
                return wanted.code.value == action.code and self._uri(wanted.target) == action.uri
            case tree.Dial(), Dial():
                return self._dial(wanted, action)
            case tree.Answer(sound=sound), Answer():
                same = wanted.service.text == action.kind and (sound is None or sound.text == action.sound)
                return same and (action.loop or not wanted.loop)
            case tree.Play(), Play():
                same = wanted.sound.text == action.sound and self._is_held(wanted.party)
                return same and (action.loop or not wanted.loop)
            case tree.Continue(), Continue():
                return True
            case tree.Transfer(duration=duration), Transfer():
                made = compiled_transfer(wanted, self._scope, self._policy.setup)(self._run)
                same = duration is None or made.seconds == action.seconds
                return same and self._same(made.target) == self._same(action.target)
            case tree.Deliver(), Deliver():
                return compiled_delivery(wanted, self._scope, self._policy.setup)(self._run) == action
            case _:
                return False

    def rings(self, wanted: tuple[tree.Party, ...], called: Sequence[Target]) -> bool:
        """Whether those that are called are these parties."""
        made = [compiled_party(party, self._scope, self._policy.setup) for party in wanted]
        targets = [target(self._run) if callable(target) else target for target in made]
        return sorted(map(self._same, targets)) == sorted(map(self._same, called))

    def _is_held(self, party: tree.Expression) -> bool:
        """Whether this is who is held, however the number is written; `held` is, even without a name."""
        if isinstance(party, tree.Reference) and party.name.text == "held":
            return True
        wanted, held = self.text(party), self._run.facts.held
        key = self._policy.setup.plan.key
        return wanted is not None and held is not None and (wanted == held or key(wanted) == key(held))

    def _uri(self, target: tree.Expression) -> str | None:
        return compiled_uri(target, self._scope, self._policy.setup)(self._run)

    def _dial(self, wanted: tree.Dial, action: Dial) -> bool:
        if wanted.forwarded != (action.notify is not None):
            return False
        if wanted.notify is not None and wanted.notify.value != action.notify:
            return False
        dialled = list(action.steps)
        for written in wanted.steps:
            steps = compiled_steps((written,), self._scope, self._policy.setup)
            made = steps(self._run) if callable(steps) else steps
            here, dialled = dialled[: len(made)], dialled[len(made) :]
            if len(here) < len(made) or not self._stretch(written, made, here):
                return False
        return True

    def _stretch(self, written: tree.Step, wanted: tuple[Step, ...], steps: list[Step]) -> bool:
        """Whether these steps are a written one, which may be a group that began with any of its members."""
        group = one_after_the_other(written, self._policy.setup)
        in_place = [step.after for step in wanted] == [step.after for step in steps]
        if group is not None and group.way != "order":
            wanted, steps = tuple(sorted(wanted, key=self._parties)), sorted(steps, key=self._parties)
        return in_place and all(self._step(written, step, here) for step, here in zip(wanted, steps, strict=True))

    def _step(self, written: tree.Step, wanted: Step, step: Step) -> bool:
        if written.duration is not None and wanted.seconds != step.seconds:
            return False
        if written.progress is not None and wanted.progress != step.progress:
            return False
        return self._parties(wanted) == self._parties(step)

    def _parties(self, step: Step) -> list[tuple[str, str]]:
        return sorted(self._same(party) for party in step.parties)

    def _same(self, target: Target) -> tuple[str, str]:
        """Equal for parties that are the same however their numbers are written."""
        match target:
            case UserTarget(user=user):
                return "user", user
            case NumberTarget(number=number, trunk=trunk):
                return f"via {trunk}", "" if number is None else self._policy.setup.plan.key(number)
            case UriTarget(uri=uri):
                address = None if uri is None else address_of(uri, self._policy)
                return ("uri", uri or "") if address is None or address.user is None else ("user", address.user)
            case _:
                assert_never(target)


def _nothing(policy: Policy) -> Facts:
    return Facts(time=0.0, source="", transport="udp", ambient=World(policy))


def _bounds(wanted: tree.Accept, action: Accept) -> bool:
    contacts, least, most = wanted.max_contacts, wanted.min_expires, wanted.max_expires
    return (
        (contacts is None or contacts.value == action.max_contacts)
        and (least is None or least.seconds == action.min_expires)
        and (most is None or most.seconds == action.max_expires)
    )


def told(action: Action) -> str:
    """A decision in the words in which a policy writes it."""
    match action:
        case Challenge():
            return "challenge"
        case Accept():
            return "accept"
        case Reject(code=code, reason=reason):
            return f"reject {code}" if reason is None else f'reject {code} "{reason}"'
        case Redirect(code=code, uri=uri):
            return f'redirect {code} "{uri}"'
        case Answer(kind=kind, sound=sound, loop=loop):
            return f"answer {kind}{'' if sound is None else f' {sound}'}{' loop' if loop else ''}"
        case Play(sound=name, loop=loop):
            return f"play {name} to held{' loop' if loop else ''}"
        case Continue():
            return "continue"
        case Transfer(target=target):
            return f"transfer to {told_party(target)}"
        case Deliver(user=user):
            return f"deliver to {user or 'nobody'}"
        case Dial(steps=steps, notify=notify):
            words = [f"{f' {step.after} ' if index else ''}{_parties(step)}" for index, step in enumerate(steps)]
            return f"{'dial' if notify is None else 'forward'} {''.join(words)}"
        case _:
            assert_never(action)


def _parties(step: Step) -> str:
    return " and ".join(told_party(target) for target in step.parties)


def told_party(target: Target) -> str:
    """Whom a dial calls, in such words."""
    match target:
        case UserTarget(user=user):
            return user
        case NumberTarget(number=number, trunk=trunk):
            return f'"{number}" via {trunk}' if number is not None else f"nothing via {trunk}"
        case UriTarget(uri=uri):
            return "nobody" if uri is None else f'"{uri}"'
        case _:
            assert_never(target)
