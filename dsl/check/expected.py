"""What tests expect: decisions that the event can have, and things that it can bring about.

Owns each expectation by itself; their order is `scenarios`'.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report
from dsl.check.rules import decision_word
from dsl.vocabulary import DECISIONS, WITHIN_A_CALL

_IN_A_CALL = ("call", *WITHIN_A_CALL)


def check_expected(step: tree.Expectation, event: str, report: Report) -> None:
    """Check one `expect`, after an event."""
    match step:
        case tree.ExpectDecision(decision=decision):
            _decision(decision, event, report)
        case tree.ExpectRedirect() | tree.ExpectReject():
            word = "redirect" if isinstance(step, tree.ExpectRedirect) else "reject"
            _possible(word, step, event, report)
        case tree.ExpectResponse(code=code):
            if not 100 <= code.value <= 699:
                report.wrong(code, f"`{code.value}` is no response", "write a status from 100 to 699")
        case tree.ExpectMedia() if event not in _IN_A_CALL:
            report.wrong(step, f"a `{event}` has no media")
        case tree.ExpectHeader() if event not in _IN_A_CALL:
            report.wrong(step, f"a `{event}` calls nobody who could be sent headers")
        case tree.ExpectRings() | tree.ExpectAnswered() | tree.ExpectNumber() if event not in _IN_A_CALL:
            report.wrong(step, f"a `{event}` calls nobody")
        case tree.ExpectExpires() if event != "register":
            report.wrong(step, f"a `{event}` does not expire", "this belongs to `register`")
        case _:
            pass


def _decision(decision: tree.Decision, event: str, report: Report) -> None:
    word = decision_word(decision)
    if isinstance(decision, tree.Do):
        report.wrong(decision, "a sub is no decision", "write what it should decide")
    else:
        _possible(word, decision, event, report)
    if isinstance(decision, tree.Dial) and decision.outcomes:
        advice = "write `given ... answers ...` and the next `expect`"
        report.wrong(decision.outcomes[0], "no outcome can be expected here", advice)


def _possible(word: str, node: tree.Node, event: str, report: Report) -> None:
    if word not in DECISIONS[event]:
        report.wrong(node, f"`{word}` cannot decide a `{event}`")
