"""Whether a condition holds in a walk, and why: each with its values.

Owns the words. One that does not hold tells its first part that does not; one that holds tells all that it took.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

import msgspec

from dsl import tree
from dsl.networks import parse_network
from dsl.patterns import parse_pattern
from dsl.spoken import spoken
from dsl.vocabulary import Type
from dsl.walk.membership import in_networks, inside, listed
from dsl.walk.questions import Questions
from dsl.walk.trace import Part
from dsl.walk.values import as_it_is, is_constant, told, type_of, value_of
from dsl.walk.view import View

_ORDERS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "<": (operator.lt, "less than"),
    "<=": (operator.le, "at most"),
    ">": (operator.gt, "more than"),
    ">=": (operator.ge, "at least"),
}


class Answer(msgspec.Struct, frozen=True):
    """Whether it holds, and why or why not. `parts` are those of an `and` or `or`, as far as they were looked at."""

    holds: bool
    why: str
    parts: tuple[Part, ...] = ()


def answer(condition: tree.Condition, view: View, questions: Questions) -> Answer:
    """Whether a condition holds. What it binds is in the view's names."""
    match condition:
        case tree.And(conditions=parts):
            return _until(parts, False, view, questions)
        case tree.Or(conditions=parts):
            return _until(parts, True, view, questions)
        case tree.Not(condition=inner):
            found = answer(inner, view, questions)
            return Answer(not found.holds, found.why, found.parts)
        case tree.Compare():
            return _compare(condition, view)
        case tree.In(item=item, collection=collection):
            return _in(item, collection, view)
        case tree.Matches():
            return _matches(condition, view)
        case tree.Is(subject=subject, state=state):
            return _is(subject, state.text, view, questions)
        case tree.Over(limit=limit):
            return _over(limit.text, view, questions)
        case tree.Within(hours=hours):
            return _within(hours.text, view)
        case tree.Lookup():
            return _lookup(condition, view)
        case tree.FromTrunk(trunk=trunk):
            return _from_trunk(trunk.text, view)
        case tree.Holds(fact=fact):
            return _holds(fact, view)
        case _:
            assert_never(condition)


def _until(parts: tuple[tree.Condition, ...], ending: bool, view: View, questions: Questions) -> Answer:
    """All parts from the left up to one that is `ending`, whose reason is then the whole reason."""
    reasons: dict[str, None] = {}
    looked_at: list[Part] = []
    for part in parts:
        found = answer(part, view, questions)
        looked_at += found.parts or (Part(spoken(part), found.holds, found.why),)
        if found.holds is ending:
            return Answer(ending, found.why, tuple(looked_at))
        reasons[found.why] = None
    return Answer(not ending, "; ".join(reasons), tuple(looked_at))


def _compare(condition: tree.Compare, view: View) -> Answer:
    left, right, sign = condition.left, condition.right, condition.operator
    for item, network in ((left, right), (right, left)):
        if isinstance(network, tree.Network):
            found = in_networks(value_of(item, view), (parse_network(network.text),))
            return Answer(found is (sign == "=="), f"{spoken(item)} is {value_of(item, view)}")
    one, other = value_of(left, view), value_of(right, view)
    if sign in ("==", "!="):
        same = one is not None and one == other
        return Answer(same is (sign == "=="), _compared(left, right, "not" if not same else "", view))
    holds, words = _ORDERS[sign]
    found = isinstance(one, int | float) and isinstance(other, int | float) and holds(one, other)
    return Answer(found, _compared(left, right, "" if found else f"not {words}", view))


def _compared(left: tree.Expression, right: tree.Expression, how: str, view: View) -> str:
    """The values that were compared: that of a constant is seen in the rule, and said only where it differs."""
    if is_constant(left, view):
        left, right = right, left
    said = as_it_is(left, view)
    if not is_constant(right, view):
        return f"{said}, {as_it_is(right, view)}"
    return f"{said}, {how} {spoken(right)}" if how and value_of(left, view) is not None else said


def _in(item: tree.Expression, collection: tree.Collection, view: View) -> Answer:
    value, kind = value_of(item, view), type_of(item, view)
    found = inside(value, kind, collection, view)
    if value is None:
        return Answer(False, as_it_is(item, view))
    said = f"{as_it_is(item, view)},"
    if kind is Type.ADDRESS:
        said = f"{value} is" if isinstance(item, tree.Network) else f"{spoken(item)} {value} is"
    return Answer(found, f"{said} {'' if found else 'not '}in {listed(collection, view)}")


def _matches(condition: tree.Matches, view: View) -> Answer:
    value, pattern = value_of(condition.item, view), parse_pattern(condition.pattern.text)
    found = pattern.regular_expression().fullmatch(value) if isinstance(value, str) else None
    said = as_it_is(condition.item, view)
    if found is None:
        form = "" if value is None else f", which is not of the form `{pattern.text}`"
        return Answer(False, said + form)
    view.names.update({name: found[name] for name, _, _ in pattern.captures})
    return Answer(True, f"{said}, of the form `{pattern.text}`")


def _is(subject: tree.Expression, state: str, view: View, questions: Questions) -> Answer:
    if state in ("up", "full") and isinstance(subject, tree.Reference):
        trunk = subject.name.text
        found = questions.of_trunk(state, trunk)
        return Answer(found, f"{trunk} is {'' if found else 'not '}{state}")
    if state == "caller":
        acts = spoken(subject)
        found = view.facts.holder_is_caller if acts == "holder" else view.facts.transferor_is_caller
        return Answer(found, f"the {acts} is the {'caller' if found else 'called side'}")
    if state == "known":
        found = view.facts.transferor_is_known
        return Answer(found, f"the transferor is {'' if found else 'not '}one of our users")
    value = value_of(subject, view)
    if state == "absent" or value is None:
        return Answer(state == "absent" and value is None, as_it_is(subject, view))
    if state == "emergency":
        found = isinstance(value, str) and view.setup.is_emergency(value)
        return Answer(found, f"{as_it_is(subject, view)}, {'an' if found else 'no'} emergency number")
    if not isinstance(value, str) or value not in view.users:
        return Answer(False, f"{as_it_is(subject, view)}, no user of ours")
    found = questions.of_user(state, value)
    named = "" if is_constant(subject, view) else f"{as_it_is(subject, view)}, "
    return Answer(found, f"{named}{value} is {'' if found else 'not '}{state}")


def _over(name: str, view: View, questions: Questions) -> Answer:
    if view.setup.is_emergency(view.facts.dialed):
        return Answer(False, "an emergency call is over no limit")
    limit = view.setup.limits[name]
    found, key = questions.over(limit), questions.key(limit)
    whom = f" for {key}" if key else ""
    return Answer(found, f"{name} {'is used up' if found else 'has room'}{whom}")


def _within(name: str, view: View) -> Answer:
    hours = view.setup.hours[name]
    found = hours.within(view.facts.time)
    moment = datetime.fromtimestamp(view.facts.time, hours.zone)
    return Answer(found, f"it is {moment:%a %Y-%m-%d %H:%M}, {'within' if found else 'not within'} {name}")


def _lookup(condition: tree.Lookup, view: View) -> Answer:
    key, table = value_of(condition.key, view), condition.table.text
    row = view.setup.tables[table].find(key, view.setup.plan) if isinstance(key, str) else None
    if row is not None and condition.bound is not None:
        view.names[condition.bound.text] = row
    if key is None:
        return Answer(False, as_it_is(condition.key, view))
    shown = told(key, type_of(condition.key, view), view)
    return Answer(row is not None, f"{table} has {'a' if row is not None else 'no'} row for {shown}")


def _from_trunk(name: str, view: View) -> Answer:
    found = view.facts.trunk
    return Answer(found == name, "it comes from no trunk" if found is None else f"it comes from trunk {found}")


def _holds(fact: tree.Expression, view: View) -> Answer:
    holds = isinstance(fact, tree.Reference) and view.fact(fact.name.text) is True
    if spoken(fact) == "authenticated":
        caller = view.facts.caller
        return Answer(holds, f"{caller or 'somebody'} is authenticated" if holds else "nobody is authenticated")
    return Answer(holds, f"{spoken(fact)} is {'true' if holds else 'false'}")
