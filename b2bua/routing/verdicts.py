"""The decisions that a call acts on: the language's own values, under the names by which the engine knows them."""

from dsl.decision import (
    Accept,
    Challenge,
    Decision,
    Dial,
    Frame,
    HeaderEdit,
    Outcome,
    OutcomeKind,
    Redirect,
    Reject,
    Step,
    Target,
)

__all__ = [
    "Accept",
    "Challenge",
    "Decision",
    "Dial",
    "Frame",
    "HeaderEdit",
    "Outcome",
    "OutcomeKind",
    "Redirect",
    "Reject",
    "Step",
    "Target",
]
