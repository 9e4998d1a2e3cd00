"""The decisions that a call acts on: the language's own values, under the names by which the engine knows them."""

from dsl.decision import (
    Accept,
    Answer,
    Challenge,
    Continue,
    Decision,
    Dial,
    Frame,
    HeaderEdit,
    Outcome,
    OutcomeKind,
    Play,
    Redirect,
    Reject,
    Step,
    Target,
)

__all__ = [
    "Accept",
    "Answer",
    "Challenge",
    "Continue",
    "Decision",
    "Dial",
    "Frame",
    "HeaderEdit",
    "Outcome",
    "OutcomeKind",
    "Play",
    "Redirect",
    "Reject",
    "Step",
    "Target",
]
