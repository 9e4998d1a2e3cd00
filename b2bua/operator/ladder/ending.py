"""How a call ended, or how it goes on, as the last part of its sentence: who hung up, who gave up, who fell silent.

Owns what the records and the messages show of an end.
"""

from __future__ import annotations

from collections.abc import Sequence

from b2bua.operator.ladder.case import Case
from b2bua.operator.ladder.reading import ReadMessage
from b2bua.operator.show import clock
from dsl.decision import Redirect, Reject

DURING = ("hold", "resume", "transfer")
"""Events of a call that somebody has answered."""

CANCELLED = 487
SOON = 1.0
"""Seconds within which the end of one leg is what ends another."""

_UNANSWERED = ("ACK", "BYE", "CANCEL")


def told_end(case: Case, read: Sequence[ReadMessage]) -> str:
    """The part; empty where a decision that is told already ended it."""
    first = next((leg for leg in case.legs if leg.direction == "in"), None)
    answers = [leg.answer for leg in case.legs if leg.answer is not None]
    answered = min(answers) if answers else None
    if case.live:
        return (
            f"talking for {clock(case.now - answered)}" if answered else f"ringing for {clock(case.now - case.start)}"
        )
    end = max([leg.end for leg in case.legs if leg.end is not None], default=case.start)
    if first is not None and first.answer is None:
        if first.cause == CANCELLED:
            return f"{case.caller_name} gave up after {clock(end - case.start)}"
        decided = [event.decision.action for event in case.events if event.event not in DURING]
        if decided and isinstance(decided[-1], Reject | Redirect):
            return ""
        return f"ended with {first.cause} {first.reason}".rstrip()
    return f"{_hung_up_by(case, read, end)} after {clock(end - answered)}" if answered else ""


def _hung_up_by(case: Case, read: Sequence[ReadMessage], end: float) -> str:
    """The records say it in the words of caller and callee, which after a transfer are places, not parties."""
    if any(leg.transferred_by for leg in case.legs):
        names = {leg.sip_call_id: leg.party for leg in case.legs}
        byes = [each for each in read if not each.kept.sent and not each.status and each.method == "BYE"]
        left = [names[each.call_id] for each in byes if each.call_id in names and each.kept.wall >= end - SOON]
        return f"hung up by {left[0]}" if left else f"ended with call {case.joined}" if case.joined else "over"
    by = next((leg.hung_up_by for leg in case.legs if leg.hung_up_by), "")
    if by == "system":
        return _why_we_ended(case, read)
    if by == "caller":
        return f"hung up by {case.caller_name}"
    answered = next((leg.party for leg in case.legs if leg.direction == "out" and leg.answer is not None), "")
    return f"hung up by {answered or 'the called party'}" if by else "over"


def _why_we_ended(case: Case, read: Sequence[ReadMessage]) -> str:
    """Who no longer answered, as far as the messages show it; else that it was us."""
    for leg in case.legs:
        mine = [each for each in read if each.call_id == leg.sip_call_id]
        answers = [number for number, each in enumerate(mine) if _is_answer_of_ours(each)]
        if answers and not any(_acknowledges(each) for each in mine[answers[-1] :]):
            return f"{leg.party} never acknowledged our answer: ended by us"
        asked = [each for each in mine if each.kept.sent and not each.status and each.method not in _UNANSWERED]
        heard = {each.same[4:7] for each in mine if not each.kept.sent and each.status}
        if asked and asked[-1].same[4:7] not in heard:
            return f"{leg.party} did not answer {asked[-1].label}: ended by us"
    return "ended by us"


def _is_answer_of_ours(each: ReadMessage) -> bool:
    return each.kept.sent and each.method == "INVITE" and 200 <= each.status < 300


def _acknowledges(each: ReadMessage) -> bool:
    return not each.kept.sent and not each.status and each.method == "ACK"
