"""Whom a walk dials, and where it sends a caller.

Owns turning values into targets; what is absent is a target that cannot be reached.
"""

from __future__ import annotations

from dsl import tree
from dsl.decision import Deliver, NumberTarget, Step, Target, Transfer, UriTarget, UserTarget
from dsl.vocabulary import Type
from dsl.walk.values import Value, number_of, type_of, value_of
from dsl.walk.view import View

_SCHEMES = ("sip:", "sips:", "tel:")
_UNSAID_SECONDS = 120.0
_MOST_SECONDS = 600.0


def steps_of(dial: tree.Dial, view: View) -> tuple[Step, ...]:
    """The steps of a dial."""
    return tuple(_step(step, view) for step in dial.steps)


def _step(step: tree.Step, view: View) -> Step:
    parties = tuple(_target(party, view) for party in step.parties)
    progress = None if step.progress is None else step.progress.seconds
    return Step(parties, _seconds(step.duration), progress, step.after)


def _seconds(duration: tree.Duration | None) -> float:
    seconds = _UNSAID_SECONDS if duration is None else duration.seconds or _UNSAID_SECONDS
    return min(seconds, _MOST_SECONDS)


def transfer_of(transfer: tree.Transfer, view: View) -> Transfer:
    """Whom a transfer goes to."""
    return Transfer(_target(transfer.party, view), _seconds(transfer.duration))


def delivery_of(target: tree.Expression, view: View) -> Deliver:
    """Who gets a message."""
    return Deliver(user_called(value_of(target, view), view))


def _target(party: tree.Party, view: View) -> Target:
    if party.trunk is not None:
        number = number_of(party.target, view)
        return NumberTarget(None if number is None else str(number), party.trunk.text)
    value = value_of(party.target, view)
    if not isinstance(value, str):
        return UriTarget(None, written=False)
    if type_of(party.target, view) is Type.USER:
        return UserTarget(value)
    user = user_called(value, view)
    if user is not None:
        return UserTarget(user)
    if value.startswith(_SCHEMES):
        return UriTarget(value, written=isinstance(party.target, tree.Text | tree.Attribute))
    return UriTarget(None, written=False)


def user_called(value: Value, view: View) -> str | None:
    """The user of this name or extension."""
    if not isinstance(value, str):
        return None
    if value in view.users:
        return value
    return next((user.name for user in view.users.values() if user.extension == value), None)


def redirected_to(target: tree.Expression, view: View) -> str | None:
    """Where a caller is sent: a URI, a user of ours, a number; None where that is none of these."""
    value = value_of(target, view)
    if not isinstance(value, str) or value.startswith(_SCHEMES):
        return value if isinstance(value, str) else None
    if value in view.users:
        return f"sip:{value}@{view.setup.domains[0]}"
    number = view.setup.plan.e164(value)
    return None if number is None else f"tel:{number}"


def forwarder_of(dial: tree.Dial, view: View) -> str | None:
    """On whose behalf a call goes on: the user that the sub was done for, else who was called or tried last, else the
    one whose attribute is dialled.
    """
    candidates: list[object] = [view.names[name] for name in view.names if name in view.parties]
    candidates.append(view.facts.callee if view.outcome is None else view.outcome.target)
    first = dial.steps[0].parties[0].target
    if isinstance(first, tree.Attribute):
        owner = tree.Reference(first.span, first.base)
        if type_of(owner, view) is Type.USER:
            candidates.append(value_of(owner, view))
    return next((user for user in candidates if isinstance(user, str) and user in view.users), None)
