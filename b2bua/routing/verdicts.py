"""The decisions that a call acts on: the language's own values, under the names by which the engine knows them."""

from dsl.decision import (
    Accept,
    Answer,
    Challenge,
    Continue,
    Decision,
    Deliver,
    Dial,
    Frame,
    HeaderEdit,
    Media,
    Outcome,
    OutcomeKind,
    Play,
    Redirect,
    Reject,
    Step,
    Target,
    Transfer,
    party_of,
)
from dsl.policy import told_of_message
from dsl.sounds import Sound

__all__ = [
    "Accept",
    "Answer",
    "Challenge",
    "Continue",
    "Decision",
    "Deliver",
    "Dial",
    "Frame",
    "HeaderEdit",
    "Media",
    "Outcome",
    "OutcomeKind",
    "Play",
    "Redirect",
    "Reject",
    "Sound",
    "Step",
    "Target",
    "Transfer",
    "party_of",
    "told_of_message",
]
