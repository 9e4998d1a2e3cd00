"""Groups in a dial: a step for each member that is called after another, one for all that ring together.

Owns what a group makes of the step that names it. What a step is compiled to is for `compile_dialing`, in which order
members come for `hunt_groups`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from dsl import tree
from dsl.compile_setup import Setup
from dsl.decision import Step
from dsl.evaluate import Run
from dsl.hunt_groups import HuntGroup
from dsl.spoken import spoken


def group_of(party: tree.Party, setup: Setup) -> HuntGroup | None:
    """The group that is called with this party: of trunks where it names them, else of users."""
    if party.trunk is not None:
        return setup.trunk_groups.get(spoken(party.trunk))
    target = party.target
    if not isinstance(target, tree.Reference) or target.name.quoted:
        return None
    return setup.hunt_groups.get(target.name.text)


def trunks_of(name: str, setup: Setup) -> tuple[str, ...]:
    """The trunks that a call may go through which goes `via` this name: itself, or every member of a group."""
    group = setup.trunk_groups.get(name)
    return (name,) if group is None else group.members


def through(step: tree.Step, name: str) -> tree.Step:
    """The step that goes through a trunk or group of this name, where it says that a table has its way out."""
    party = step.parties[0]
    known = tree.Party(party.span, party.target, tree.Name(party.span, name))
    return msgspec.structs.replace(step, parties=(known,))


def one_after_the_other(step: tree.Step, setup: Setup) -> HuntGroup | None:
    """The group whose members a step calls one after the other; such a group is alone in its step."""
    group = group_of(step.parties[0], setup)
    return None if group is None or group.way == "together" else group


def by_member(step: tree.Step, setup: Setup) -> list[tree.Step]:
    """The steps that a step is, in the order of the script: a further trunk comes only after `unreachable`, a further
    user in any case.
    """
    parties = [member for party in step.parties for member in _members(party, setup)]
    if one_after_the_other(step, setup) is None:
        return [msgspec.structs.replace(step, parties=tuple(parties))]
    after = "then" if parties[0].trunk is None else "else"
    steps = [msgspec.structs.replace(step, parties=(party,), after=after) for party in parties]
    return [msgspec.structs.replace(steps[0], after=step.after), *steps[1:]]


def _members(party: tree.Party, setup: Setup) -> list[tree.Party]:
    group = group_of(party, setup)
    if group is None:
        return [party]
    if party.trunk is not None:
        trunk = party.trunk
        return [tree.Party(party.span, party.target, tree.Name(trunk.span, name)) for name in group.members]
    place = party.target.span
    users = [tree.Reference(place, tree.Name(place, name, quoted=True)) for name in group.members]
    return [tree.Party(party.span, user, None) for user in users]


def in_order_of_the_moment(
    group: HuntGroup, steps: Sequence[Step | Callable[[Run], Step]]
) -> Callable[[Run], tuple[Step, ...]]:
    """The steps of a group's members, which are in the order of the script, in that of a turn or a draw."""
    makers = list(steps)
    in_turn = group.way == "turn"

    def make(run: Run) -> tuple[Step, ...]:
        order = group.turned(run.turn(group.name)) if in_turn else group.drawn(run.draw(group.name))
        made = [maker(run) if callable(maker) else maker for maker in makers]
        return tuple([_following(made[number], made[place]) for place, number in enumerate(order)])

    return make


def _following(step: Step, place: Step) -> Step:
    """A step that comes as the one does which the script has at this place."""
    return step if step.after == place.after else Step(step.parties, step.seconds, step.progress, place.after)
