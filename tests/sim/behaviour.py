"""What people do with telephones, drawn from the seed: the plans of callers, of those who are called, of gateways."""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

from .plan import Act, Plan, Provisional
from .timing import drawn

_ACTS: tuple[Act, ...] = ("move", "hold", "hold", "resume", "refresh", "empty", "update", "info", "message")


def _acts(draw: Random) -> tuple[tuple[float, Act], ...]:
    if draw.random() < 0.6:
        return ()
    return tuple((draw.uniform(0.0, 12.0), draw.choice(_ACTS)) for _ in range(draw.randrange(1, 5)))


def _codecs(draw: Random) -> tuple[tuple[str, str], ...]:
    """One that everybody has, and others, some under numbers of this phone's own."""
    if draw.random() < 0.5:
        return ()
    numbers = [str(number) for number in draw.sample(range(96, 128), 2)]
    others = draw.sample([("PCMA", ""), ("G722", ""), ("GSM", ""), ("opus", numbers[0])], draw.randrange(1, 4))
    return (*draw.sample([("PCMU", ""), *others], len(others) + 1), ("keys", numbers[1]))


def _hang_up(draw: Random) -> float:
    return draw.choice((0.0, draw.uniform(0.0, 2.0), draw.uniform(2.0, 30.0)))


def _reliably(draw: Random, plan: Plan) -> Plan:
    """Some speak 100rel; of the callers some take nothing else, and some offer once more before the answer."""
    if draw.random() < 0.6:
        return plan
    early: Literal["", "prack", "update"] = draw.choice(("", "", "prack", "update"))
    delay = draw.uniform(0.0, 2.0) if draw.random() < 0.4 else 0.0
    requires = draw.random() < 0.2
    return msgspec.structs.replace(plan, reliable=True, requires=requires, early=early, prack_after=delay)


def caller_plan(draw: Random) -> Plan:
    """Most callers offer, wait, talk and hang up; some leave early, some at the very moment of the answer."""
    return _reliably(draw, _caller_plan(draw))


def _caller_plan(draw: Random) -> Plan:
    leaves = draw.uniform(0.0, 12.0) if draw.random() < 0.25 else draw.uniform(150.0, 180.0)
    return Plan(
        offer=draw.random() < 0.85,
        leave_after=leaves,
        ack_after=draw.uniform(0.0, 1.5) if draw.random() < 0.2 else 0.0,
        follows=draw.random() < 0.8,
        acts=_acts(draw),
        codecs=_codecs(draw),
        hang_up_after=_hang_up(draw) if draw.random() < 0.7 else 60.0,
        reply=488 if draw.random() < 0.1 else 200,
        reply_after=draw.uniform(0.0, 3.0) if draw.random() < 0.3 else 0.0,
        timing=drawn(draw),
    )


def called_plan(draw: Random, contact: str) -> Plan:
    """How a phone takes a call: it answers, is busy, declines, rings for ever, says nothing, points elsewhere."""
    return _reliably(draw, _called_plan(draw, contact))


def _called_plan(draw: Random, contact: str) -> Plan:
    final, after = draw.choices(
        (
            (200, draw.uniform(0.0, 8.0)),
            (200, 0.0),
            (486, draw.uniform(0.0, 1.0)),
            (603, draw.uniform(0.5, 6.0)),
            (480, draw.uniform(0.5, 6.0)),
            (500, 0.0),
            (302, draw.uniform(0.0, 2.0)),
            (200, None),
        ),
        (40, 10, 10, 6, 6, 4, 8, 16),
    )[0]
    silent = draw.random() < 0.05
    return Plan(
        trying=not silent and draw.random() < 0.7,
        provisionals=() if silent else _provisionals(draw),
        final=final,
        final_after=after,
        contact=contact if final == 302 else None,
        acts=_acts(draw),
        codecs=_codecs(draw),
        hang_up_after=_hang_up(draw) if draw.random() < 0.4 else 100.0,
        reply=488 if draw.random() < 0.1 else 200,
        reply_after=draw.uniform(0.0, 3.0) if draw.random() < 0.3 else 0.0,
        timing=drawn(draw),
    )


def gateway_plan(draw: Random, contact: str) -> Plan:
    """A carrier is like a phone that is more often out of order, and sometimes asks who calls."""
    plan = called_plan(draw, contact)
    trouble = draw.choices(((None, None), (503, 0.0), (404, 0.1), (200, None)), (70, 15, 5, 10))[0]
    status, after = trouble
    if status is not None:
        plan = msgspec.structs.replace(plan, final=status, final_after=after, contact=None)
    return msgspec.structs.replace(plan, challenge=draw.random() < 0.5)


def _provisionals(draw: Random) -> tuple[Provisional, ...]:
    ringing = Provisional(draw.uniform(0.0, 2.0), 180)
    early = Provisional(draw.uniform(0.0, 3.0), 183, media=True)
    return draw.choice(((), (ringing,), (ringing,), (early,), (ringing, early)))
