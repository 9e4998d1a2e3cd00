"""An attended transfer in a `test` block: which two calls its transferor connects.

Owns finding them. What is decided of it, and what becomes of both calls, is `happening`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsl import tree
from dsl.happening import Happening
from dsl.occasions import UnmetError
from dsl.parties import other
from dsl.policy import Policy


def two_calls(
    policy: Policy, happenings: Sequence[Happening], now: Happening, step: tree.TransferStep, dialed: str
) -> tuple[Happening, Happening]:
    """The call whose other party is sent on, and the one in which the transferor talks to whom it names.

    Of several, the one that goes on, else the last. Raises UnmetError where there are no two.
    """
    others = [each for each in reversed(happenings) if each is not now]
    calls = [each for each in (now, *others) if each.has(step.transferor)]
    there = next((each for each in calls if _talks_to(policy, each, step.transferor, dialed)), None)
    if there is None:
        raise UnmetError(step.dialed, "the transferor talks to nobody of that name")
    here = next((each for each in calls if each is not there), None)
    if here is None:
        raise UnmetError(step.transferor, "the transferor has no other call")
    return here, there


def _talks_to(policy: Policy, call: Happening, transferor: tree.From, dialed: str) -> bool:
    side = call.parties.side_of(transferor)
    name = None if side is None else call.parties.on(other(side)).name
    key = policy.setup.plan.key
    return name is not None and (name == policy.callee(dialed) or key(name) == key(dialed))
