"""Whom a walk dials, and where it sends a caller.

Owns turning values into targets; what is absent is a target that cannot be reached.
"""

from __future__ import annotations

from typing import Literal

from dsl import tree
from dsl.compile_groups import through
from dsl.decision import Deliver, NumberTarget, Step, Target, Transfer, UriTarget, UserTarget
from dsl.hunt_groups import HuntGroup
from dsl.spoken import spoken
from dsl.vocabulary import Type
from dsl.walk.questions import Questions
from dsl.walk.values import Value, number_of, type_of, value_of
from dsl.walk.view import View

_SCHEMES = ("sip:", "sips:", "tel:")
_UNSAID_SECONDS = 120.0
_MOST_SECONDS = 600.0


def steps_of(dial: tree.Dial, view: View, questions: Questions) -> tuple[Step, ...]:
    """The steps of a dial, one for each member of a group that is called one after the other."""
    return tuple(made for step in dial.steps for made in _steps(step, view, questions))


def _steps(step: tree.Step, view: View, questions: Questions) -> list[Step]:
    via = step.parties[0].trunk
    if isinstance(via, tree.Attribute):
        named = value_of(via, view)
        if named is not None:
            return _steps(through(step, str(named)), view, questions)
    targets = [_targets(party, view, questions) for party in step.parties]
    progress = None if step.progress is None else step.progress.seconds
    group = _group(step.parties[0], view)
    if group is None or group.way == "together":
        rung = tuple(target for of_party in targets for target in of_party)
        return [Step(rung, _seconds(step.duration), progress, step.after)]
    first, *further = ((target,) for target in targets[0])
    after: Literal["then", "else"] = "then" if step.parties[0].trunk is None else "else"
    return [
        Step(first, _seconds(step.duration), progress, step.after),
        *(Step(rung, _seconds(step.duration), progress, after) for rung in further),
    ]


def _targets(party: tree.Party, view: View, questions: Questions) -> list[Target]:
    """Whom a party stands for: itself, or the members of a group in the order of the moment."""
    group = _group(party, view)
    if group is None:
        return [_target(party, view)]
    members = _in_order(group, questions)
    return [UserTarget(name) if party.trunk is None else _through(name, party.target, view) for name in members]


def _group(party: tree.Party, view: View) -> HuntGroup | None:
    if party.trunk is not None:
        return view.setup.trunk_groups.get(spoken(party.trunk))
    names_one = isinstance(party.target, tree.Reference) and not party.target.name.quoted
    return view.setup.hunt_groups.get(spoken(party.target)) if names_one else None


def _in_order(group: HuntGroup, questions: Questions) -> tuple[str, ...]:
    if group.way == "turn":
        first = questions.turn(group.name) % len(group.members)
        return group.members[first:] + group.members[:first]
    if group.way == "weight":
        return tuple(group.members[number] for number in group.drawn(questions.draw(group.name)))
    return group.members


def _through(trunk: str, target: tree.Expression, view: View) -> NumberTarget:
    number = number_of(target, view)
    return NumberTarget(None if number is None else str(number), trunk)


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
    if isinstance(party.trunk, tree.Attribute):
        return UriTarget(None, written=False)
    if party.trunk is not None:
        return _through(party.trunk.text, party.target, view)
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
    """On whose behalf a call goes on: whose attribute is dialled, else who was called or tried last; where the call
    names no user, the only one that the sub was done for.
    """
    first = dial.steps[0].parties[0].target
    candidates: list[object]
    if (
        isinstance(first, tree.Attribute)
        and type_of(owner := tree.Reference(first.span, first.base), view) is Type.USER
    ):
        candidates = [value_of(owner, view)]
    elif view.outcome is not None:
        candidates = [view.outcome.target]
    else:
        given = [view.names[name] for name in view.names if name in view.parties]
        candidates = [view.facts.callee, *(given if len(given) == 1 else ())]
    return next((user for user in candidates if isinstance(user, str) and user in view.users), None)
