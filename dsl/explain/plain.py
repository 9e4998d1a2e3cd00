"""Decisions in plain words, for somebody who has not read the policy.

Owns the words. Those in which a policy writes a decision are `expectation`'s.
"""

from __future__ import annotations

from typing import assert_never

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
from dsl.diagnostics import joined
from dsl.spoken import spoken_time

_STEPS = {"then": "then", "else": "if that is unreachable,"}


def plain(action: Action, attended: bool = False) -> str:
    """What is done; of an `attended` transfer nobody is called."""
    match action:
        case Transfer() if attended:
            return "the transfer is allowed, and connects the two"
        case Challenge():
            return "it is asked for a password (401)"
        case Accept():
            return f"the registration is accepted{_bounds(action)}"
        case Reject(code=code, reason=reason):
            return f"it is refused with {code}" + ("" if reason is None else f' "{reason}"')
        case Redirect(code=code, uri=uri):
            return f"the caller is told to call {uri} ({code})"
        case Dial():
            return _dial(action)
        case Answer(kind="play", sound=sound, loop=loop):
            return f"we answer, and play {sound}{' again and again' if loop else ''}"
        case Answer(kind=kind):
            return f"we answer with {'an echo' if kind == 'echo' else 'a tone'}"
        case Play(sound=sound, loop=loop):
            return f"whoever is held hears {sound}{' again and again' if loop else ''}"
        case Continue():
            return "it is passed on to the other side"
        case Transfer(target=target, seconds=seconds):
            return f"the transfer is allowed, and calls {_party(target)} for {spoken_time(seconds)}"
        case Deliver(user=user):
            return f"the message is handed to {user or 'nobody'}"
        case _:
            assert_never(action)


def _bounds(accept: Accept) -> str:
    least, most, contacts = accept.min_expires, accept.max_expires, accept.max_contacts
    within = "" if least is None or most is None else f" for {spoken_time(least)} to {spoken_time(most)}"
    return within + ("" if contacts is None else f", with at most {contacts} contacts")


def _dial(dial: Dial) -> str:
    steps = [f"{f'{_STEPS[step.after]} ' if index else ''}{_step(step)}" for index, step in enumerate(dial.steps)]
    said = ", ".join(steps)
    if dial.notify is None:
        return f"it goes to {said}"
    whose = "" if dial.forwarder is None else f" on behalf of {dial.forwarder}"
    return f"it is forwarded{whose} to {said}; the caller is told so with {dial.notify}"


def _step(step: Step) -> str:
    together = " at once" if len(step.parties) > 1 else ""
    return f"{joined(map(_party, step.parties), 'and')}{together} for {spoken_time(step.seconds)}"


def _party(target: Target) -> str:
    match target:
        case UserTarget(user=user):
            return user
        case NumberTarget(number=number, trunk=trunk):
            return f"{'a number that is none' if number is None else number} through trunk {trunk}"
        case UriTarget(uri=uri):
            return "nobody" if uri is None else uri
        case _:
            assert_never(target)


def marks(decision: Decision) -> list[str]:
    """What is done besides."""
    found = [f'tags {name} "{value}"' for name, value in decision.tags.items()]
    found += [f'logs "{line}"' for line in decision.logs]
    for edit in decision.headers:
        found.append(
            f"strips header {edit.name}" if edit.value is None else f'sets header {edit.name} to "{edit.value}"'
        )
    found += [f"takes one of limit {name}{f' for {key}' if key else ''}" for name, key in decision.takes]
    return found if decision.media is None else [*found, f"media {decision.media}"]
