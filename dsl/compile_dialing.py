"""`dial`, `forward` and `redirect` into functions: whom a step rings, and where a caller is sent.

Owns turning values into targets: a user, a number through a trunk, a SIP URI; what is absent becomes a
target that cannot be reached, so that the leg is a failure. How a trunk writes numbers, and whether it
takes one, is `Policy.trunk_number`, asked when it is dialled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from dsl import tree
from dsl.compile_groups import by_member, in_order_of_the_moment, one_after_the_other, through
from dsl.compile_setup import Setup
from dsl.compile_values import Compiled, Kind, Scope, number_of
from dsl.decision import Deliver, NumberTarget, Step, Target, Transfer, UriTarget, UserTarget
from dsl.evaluate import Run
from dsl.spoken import spoken

DEFAULT_SECONDS = 120.0
LONGEST_SECONDS = 600.0

_NOBODY = UriTarget(uri=None, written=False)
_SCHEMES = ("sip:", "sips:", "tel:")

MakeTarget: TypeAlias = Callable[[Run], Target]
Part = TypeVar("Part", Step, Target)
MakeSteps: TypeAlias = Callable[[Run], tuple[Step, ...]]


def compiled_steps(steps: tuple[tree.Step, ...], scope: Scope, setup: Setup) -> MakeSteps | tuple[Step, ...]:
    """The steps of a dial: themselves where nothing in them depends on the call, else a function."""
    if not any(_is_of_the_moment(step, setup) for step in steps):
        return _together([_step(member, scope, setup) for step in steps for member in by_member(step, setup)])
    stretches = [_stretch(step, scope, setup) for step in steps]

    def make(run: Run) -> tuple[Step, ...]:
        steps: list[Step] = []
        for stretch in stretches:
            steps += stretch(run) if callable(stretch) else stretch
        return tuple(steps)

    return make


def _is_of_the_moment(step: tree.Step, setup: Setup) -> bool:
    """Whether it is only known in a run which steps this one is, and in which order."""
    group = one_after_the_other(step, setup)
    return isinstance(step.parties[0].trunk, tree.Attribute) or (group is not None and group.way != "order")


def _stretch(step: tree.Step, scope: Scope, setup: Setup) -> MakeSteps | tuple[Step, ...]:
    via = step.parties[0].trunk
    if isinstance(via, tree.Attribute):
        return _by_column(step, via, scope, setup)
    group = one_after_the_other(step, setup)
    made = [_step(member, scope, setup) for member in by_member(step, setup)]
    return _together(made) if group is None or group.way == "order" else in_order_of_the_moment(group, made)


def _by_column(step: tree.Step, via: tree.Attribute, scope: Scope, setup: Setup) -> MakeSteps:
    """The steps of whichever trunk or group a row names; a leg that fails where it names none."""
    cell = scope.compiled(via).value
    ways = {name: _stretch(through(step, name), scope, setup) for name in (*setup.trunks, *setup.trunk_groups)}
    nowhere = (Step((_NOBODY,), _seconds(step.duration) or DEFAULT_SECONDS, _seconds(step.progress), step.after),)

    def make(run: Run) -> tuple[Step, ...]:
        name = cell(run)
        way = ways[name] if isinstance(name, str) else nowhere
        return way(run) if callable(way) else way

    return make


def compiled_transfer(transfer: tree.Transfer, scope: Scope, setup: Setup) -> Callable[[Run], Transfer]:
    """Whom a transfer goes to, and for how long it rings there."""
    seconds = min(_seconds(transfer.duration) or DEFAULT_SECONDS, LONGEST_SECONDS)
    target = compiled_party(transfer.party, scope, setup)
    if not callable(target):
        fixed = Transfer(target, seconds)
        return lambda run: fixed
    return lambda run: Transfer(target(run), seconds)


def compiled_delivery(deliver: tree.Deliver, scope: Scope, setup: Setup) -> Callable[[Run], Deliver]:
    """Who gets a message: nobody, where that is no user of ours."""
    target = scope.compiled(deliver.target)
    value, users, callees = target.value, setup.directory.users, setup.callees
    if isinstance(target.constant, str):
        fixed = Deliver(target.constant)
        return lambda run: fixed

    def delivery(run: Run) -> Deliver:
        text = value(run)
        if not isinstance(text, str):
            return Deliver()
        return Deliver(text if text in users else callees.get(text))

    return delivery


def _step(step: tree.Step, scope: Scope, setup: Setup) -> Step | Callable[[Run], Step]:
    seconds = min(_seconds(step.duration) or DEFAULT_SECONDS, LONGEST_SECONDS)
    progress = _seconds(step.progress)
    after = step.after
    parties = _together([compiled_party(party, scope, setup) for party in step.parties])
    if not callable(parties):
        return Step(parties, seconds, progress, after)
    return lambda run: Step(parties(run), seconds, progress, after)


def _together(
    parts: Sequence[Part | Callable[[Run], Part]],
) -> tuple[Part, ...] | Callable[[Run], tuple[Part, ...]]:
    """All parts as a tuple: itself where every part is fixed, else a function that makes it."""
    fixed = tuple(part for part in parts if not callable(part))
    if len(fixed) == len(parts):
        return fixed
    makers = [part if callable(part) else _always(part) for part in parts]
    if len(makers) == 1:
        only = makers[0]
        return lambda run: (only(run),)
    if len(makers) == 2:
        first, second = makers
        return lambda run: (first(run), second(run))
    return lambda run: tuple([make(run) for make in makers])


def _always(part: Part) -> Callable[[Run], Part]:
    return lambda run: part


def _seconds(duration: tree.Duration | None) -> float | None:
    return None if duration is None else duration.seconds


def compiled_party(party: tree.Party, scope: Scope, setup: Setup) -> Target | MakeTarget:
    """Whom a step calls: itself where that is fixed, else a function."""
    target = scope.compiled(party.target)
    if party.trunk is not None:
        return _through_trunk(target, spoken(party.trunk))
    if isinstance(target.constant, str) and target.kind is Kind.USER:
        return UserTarget(target.constant)
    if isinstance(target.constant, str) and target.constant.startswith(_SCHEMES):
        return UriTarget(target.constant, written=True)
    return _without_trunk(target, setup, written=isinstance(party.target, tree.Attribute))


def _through_trunk(target: Compiled, trunk: str) -> Target | MakeTarget:
    value = target.value
    if target.kind in (Kind.USER, Kind.PARTY):
        return lambda run: NumberTarget(_text(number_of(run, value(run))), trunk)
    if target.constant is not None:
        return NumberTarget(str(target.constant), trunk)
    return lambda run: NumberTarget(_text(value(run)), trunk)


def _without_trunk(target: Compiled, setup: Setup, written: bool) -> MakeTarget:
    value, users, callees = target.value, setup.directory.users, setup.callees
    if target.kind is Kind.USER:

        def user(run: Run) -> Target:
            name = value(run)
            return UserTarget(name) if isinstance(name, str) else _NOBODY

        return user

    def party(run: Run) -> Target:
        text = value(run)
        if not isinstance(text, str):
            return _NOBODY
        name = text if text in users else callees.get(text)
        if name is not None:
            return UserTarget(name)
        return UriTarget(text, written) if text.startswith(_SCHEMES) else _NOBODY

    return party


def _text(value: str | float | None) -> str | None:
    return None if value is None else str(value)


def compiled_uri(expression: tree.Expression, scope: Scope, setup: Setup) -> Callable[[Run], str | None]:
    """Where a redirection sends the caller: a URI as it is, a user of ours, a number as a tel URI; else
    None.
    """
    target = scope.compiled(expression)
    value, users, e164 = target.value, setup.directory.users, setup.plan.e164
    domain = setup.domains[0] if setup.domains else ""

    def uri(run: Run) -> str | None:
        text = value(run)
        if not isinstance(text, str):
            return None
        if text.startswith(_SCHEMES):
            return text
        if text in users:
            return f"sip:{text}@{domain}"
        number = e164(text)
        return None if number is None else f"tel:{number}"

    return uri


def compiled_forwarder(steps: tuple[tree.Step, ...], scope: Scope) -> Callable[[Run], str | None]:
    """On whose behalf a `forward` goes on: whoever has the attribute that its first party is, else the called user.

    After a dial that is the party last tried. Where a call names no user of ours, it is for the user that the sub was
    done for, if that is one alone.
    """
    first = steps[0].parties[0].target
    if isinstance(first, tree.Attribute):
        owner = scope.compiled(tree.Reference(first.span, first.base))
        if owner.kind is Kind.USER:
            return lambda run: _user(owner.value(run), run)
    parameters = [name.slot for name in scope.names.values() if name.kind is Kind.USER]
    only = parameters[0] if len(parameters) == 1 else ""

    def forwarder(run: Run) -> str | None:
        if run.outcome is not None:
            return _user(run.outcome.target, run)
        return _user(run.facts.callee, run) or _user(run.names.get(only), run)

    return forwarder


def _user(value: object, run: Run) -> str | None:
    return value if isinstance(value, str) and value in run.directory else None
