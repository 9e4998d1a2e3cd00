"""A call in one plain sentence: who called whom, what became of it and by which rule, and who ended it.

Owns the words. What the records, the decisions and the messages do not say is left out, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from b2bua.operator.ladder.case import Case, CaseLeg, told_places
from b2bua.operator.ladder.ending import CANCELLED, DURING, SOON, told_end
from b2bua.operator.ladder.reading import ReadMessage
from b2bua.operator.show import clock
from b2bua.sip.message import REASONS
from dsl.decision import (
    Answer,
    Decision,
    Dial,
    Play,
    Redirect,
    Reject,
    Transfer,
    UserTarget,
)
from dsl.expectation import told, told_party
from dsl.plan.recorded import Happened

_RINGING = (180, 181, 182, 183)


def told_case(case: Case, read: Sequence[ReadMessage]) -> str:
    """The sentence, without a full stop."""
    rang = frozenset(each.call_id for each in read if not each.kept.sent and each.status in _RINGING)
    parts = [_who(case), *_ways(case, rang), *_during(case)]
    return "; ".join(filter(None, [*parts, told_end(case, read)]))


def told_outcome(case: Case, event: Happened) -> str:
    """What led to an event: `bob busy (486)`, `alice holds`."""
    facts, outcome = event.facts, event.outcome
    if event.event in ("hold", "resume"):
        verb = "holds" if event.event == "hold" else "is back"
        return f"{facts.get('holder') or 'somebody'} {verb}"
    if event.event == "transfer" and facts.get("transferor") == facts.get("target"):
        return f"{facts.get('transferor') or 'somebody'} takes over {facts.get('transferee') or 'somebody'}"
    if event.event == "transfer":
        return f"{facts.get('transferor') or 'somebody'} transfers {facts.get('transferee') or 'somebody'}"
    if outcome is None:
        return event.event
    words = {"busy": "busy", "no-answer": "no answer", "redirect": "redirects"}.get(outcome.kind, outcome.kind)
    target = _target_name(case, event)
    return f"{target} {words}".lstrip() + (f" ({outcome.code})" if outcome.code else "")


def _who(case: Case) -> str:
    """`alice called 200 (bob): office.route:49`."""
    said = f"{case.caller_name} called {case.callee or 'nobody'}"
    first = next((event for event in case.events if event.event == "call"), None)
    dial = None if first is None else first.decision.action
    if first is None or not isinstance(dial, Dial):
        return said
    where = told_places(case.places(first.decision)[-1:])
    if len(dial.steps) == 1 and len(dial.steps[0].parties) == 1:
        name = told_party(dial.steps[0].parties[0]).replace('"', "").removeprefix(f"{case.callee} ")
        said += "" if name.lower() == case.callee.lower() else f" ({name})"
    return f"{said}: {where}" if where else said


def _ways(case: Case, rang: frozenset[str]) -> list[str]:
    """What was decided until somebody had the call, and what came of it, a part for each decision."""
    events = [event for event in case.events if event.event not in DURING]
    parts = []
    for number, event in enumerate(events):
        following = events[number + 1] if number + 1 < len(events) else None
        until = following.time if following is not None else None
        why = "" if number == 0 else _why(case, event, events[number - 1])
        so = _so(case, event, until, rang)
        where = told_places(case.places(event.decision)[-1:])
        said = f"{why}, so {so}" if why and so else why or so
        dials_first = number == 0 and isinstance(event.decision.action, Dial)
        if said and not (dials_first and following is not None):
            parts.append(f"{said}: {where}" if where and not dials_first else said)
    if not case.events and case.rules:
        parts.append(f"decided by {told_places(case.recorded_places())}")
    return parts


def _why(case: Case, event: Happened, before: Happened) -> str:
    """Why a dial went on: what became of each that it called."""
    called = _called(case, before.time, event.time)
    if called:
        return _endings(called)
    outcome = event.outcome
    if outcome is None:
        return event.event
    name = _target_name(case, event) or "the called party"
    if outcome.kind == "unreachable":
        return f"{name} was not registered" if isinstance(_target(before), UserTarget) else f"{name} was unreachable"
    if outcome.code is None and outcome.kind == "failure":
        return f"{name} could not be called"
    return f"{name}: {outcome.kind}" + (f" ({outcome.code})" if outcome.code else "")


def _target(event: Happened) -> object:
    action = event.decision.action
    return action.steps[-1].parties[-1] if isinstance(action, Dial) and action.steps else None


def _so(case: Case, event: Happened, until: float | None, rang: frozenset[str]) -> str:
    """What a decision led to; empty where the next part says it."""
    action = event.decision.action
    match action:
        case Reject(code=code, reason=reason):
            return f"the call was refused with {code} {reason or REASONS.get(code, '')}".rstrip()
        case Redirect(uri=uri):
            return f"the caller was sent to {uri}"
        case Answer(kind="play", sound=sound):
            return f"we answered and played {sound}"
        case Answer(kind=kind):
            return f"we answered with {'an echo' if kind == 'echo' else 'a tone'}"
        case Dial():
            return _dialled(case, event, until, rang)
        case _:
            return told(action)


def _dialled(case: Case, event: Happened, until: float | None, rang: frozenset[str]) -> str:
    """Who answered a dial, and who did not before; whom it calls where nobody did."""
    called = _called(case, event.time, until)
    for name, legs in called.items():
        for leg in legs:
            if leg.answer is not None:
                before = {other: tried for other, tried in called.items() if _left(tried, leg.start)}
                answered = f"{name} answered after {clock(leg.answer - case.start)}"
                return f"{_endings(before)}, then {answered}" if before else answered
    fruitless = {name: legs for name, legs in called.items() if _failed(legs)}
    if until is not None:
        return f"{_parties(event.decision)} was called"
    if fruitless:
        return _endings(fruitless)
    ringing = [name for name, legs in called.items() if any(leg.sip_call_id in rang for leg in legs)]
    return f"it rang at {_listed(ringing)}" if ringing else f"{_parties(event.decision)} was called"


def _called(case: Case, since: float, until: float | None) -> dict[str, list[CaseLeg]]:
    """The legs that a dial began, by who was called: `until` is when the next decision was made."""
    called: dict[str, list[CaseLeg]] = {}
    transfers = [event.time for event in case.events if event.event == "transfer"]
    for leg in case.legs:
        if leg.direction == "in" or any(leg.start >= time - _WITHIN for time in transfers):
            continue
        # One that began and ended with a decision led to it; one that began with it and went on came of it.
        led_on = leg.end is not None and leg.end <= leg.start + _WITHIN
        begun = leg.start >= since - _WITHIN and not (led_on and leg.start <= since + _WITHIN and since > case.start)
        if begun and (until is None or leg.start < until - _WITHIN or (led_on and leg.start <= until + _WITHIN)):
            called.setdefault(leg.party, []).append(leg)
    return called


_WITHIN = 0.0005


def _left(legs: Sequence[CaseLeg], at: float) -> bool:
    """Whether all of these had failed, or were given up, when another was called."""
    return _failed(legs) or all(leg.answer is None and leg.end is not None and leg.end <= at + SOON for leg in legs)


def _failed(legs: Sequence[CaseLeg]) -> bool:
    return all(leg.answer is None and leg.cause not in (0, CANCELLED) for leg in legs)


def _endings(called: Mapping[str, Sequence[CaseLeg]]) -> str:
    """What became of those that were called: `bob was busy, carol and dave did not answer`."""
    names: dict[str, list[str]] = {}
    for name, legs in called.items():
        names.setdefault(_ending(legs), []).append(name)
    return ", ".join(
        f"{_listed(each)} {ending}".replace(" was ", " were " if len(each) > 1 else " was ")
        for ending, each in names.items()
    )


def _ending(legs: Sequence[CaseLeg]) -> str:
    """What became of somebody's legs: the best of them counts."""
    causes = {leg.cause for leg in legs}
    if causes & {0, CANCELLED}:
        return "did not answer"
    if causes & {486, 600, 603}:
        return "was busy"
    if causes == {408}:
        return "was silent"
    leg = min(legs, key=lambda leg: leg.cause)
    if leg.cause < 400:
        return "redirected it"
    if leg.cause >= 500:
        return f"failed with {leg.cause} {leg.reason}".rstrip()
    return f"rejected it with {leg.cause} {leg.reason}".rstrip()


def _during(case: Case) -> list[str]:
    """Holds, and who was to go elsewhere."""
    parts = []
    held: dict[tuple[str, str], float] = {}
    for event in case.events:
        facts, action = event.facts, event.decision.action
        if event.event == "hold":
            key = (str(facts.get("holder") or "somebody"), action.sound if isinstance(action, Play) else "")
            held.setdefault(key, 0.0)
        elif event.event == "resume":
            holder = str(facts.get("holder") or "somebody")
            for key in held:
                if key[0] == holder:
                    held[key] += float(facts.get("held_for") or 0.0)
                    break
        elif event.event == "transfer":
            parts.append(_transfer(case, event))
    return [_holding(*key, seconds) for key, seconds in held.items()] + list(dict.fromkeys(parts))


def _holding(holder: str, sound: str, seconds: float) -> str:
    lasting = f" for {clock(seconds)}" if seconds else ""
    return f"held by {holder}{lasting}{f' ({sound} was played)' if sound else ''}"


def _transfer(case: Case, event: Happened) -> str:
    facts, action = event.facts, event.decision.action
    transferor, transferee = facts.get("transferor") or "somebody", facts.get("transferee") or "somebody"
    target = facts.get("target") or facts.get("dialed") or "somebody"
    where = told_places(case.places(event.decision)[-1:])
    done, wanted, way = ("connected", "connect", "with") if facts.get("attended") else ("transferred", "transfer", "to")
    taken = [leg for leg in case.legs if leg.direction == "out" and leg.start >= event.time - _WITHIN]
    if not isinstance(action, Transfer):
        said = f"{transferor} was not allowed to {wanted} {transferee} {way} {target} ({told(action)})"
    elif case.live or any(leg.transferred_by for leg in case.legs):
        said = f"{transferor} {done} {transferee} {way} {target}"
        said = f"{transferor} took a place beside {transferee}" if transferor == target else said
    else:
        why = f", who {_ending(taken)}" if taken and _failed(taken) else ""
        said = f"{transferor} wanted to {wanted} {transferee} {way} {target}{why}: it came to nothing"
    return f"{said}: {where}" if where else said


def _parties(decision: Decision) -> str:
    action = decision.action
    if not isinstance(action, Dial):
        return told(action)
    return _listed([told_party(party).replace('"', "") for step in action.steps for party in step.parties])


def _target_name(case: Case, event: Happened) -> str:
    """Who an outcome is about. A number went to a trunk: the one whose leg ended then."""
    target = None if event.outcome is None else event.outcome.target
    ended = [leg for leg in case.legs if leg.trunk and leg.end is not None and leg.end <= event.time + _WITHIN]
    if target is None or not ended or target in (leg.party for leg in case.legs):
        return target or ""
    return max(ended, key=lambda leg: (leg.end or 0.0, leg.number)).party


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
