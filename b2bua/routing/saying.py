"""What a decision has to tell the operator: lines that rules log, and that the policy failed to decide.

Owns the alarm for that: a line in the log with the rule's place, and a counter.
"""

from __future__ import annotations

from b2bua.effects import Log
from b2bua.routing.verdicts import Decision
from b2bua.transaction.turn import Turn


def say(decision: Decision, turn: Turn, about: dict[str, object]) -> None:
    """Log a decision's lines. `about` tells of what they are."""
    fault = decision.fault
    for line in decision.logs:
        if line == fault:
            turn.count("decisions_failed")
            turn.effects.append(Log("error", "policy failed", {**about, "policy": decision.policy, "why": fault}))
        else:
            turn.effects.append(Log("info", "policy", {**about, "said": line}))
