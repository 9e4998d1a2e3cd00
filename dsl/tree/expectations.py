"""What a `test` block expects, as written.

Owns the sentences that begin with `expect`. What is given and what happens is `scenarios`'.
"""

from __future__ import annotations

from typing import TypeAlias

from dsl.tree.basics import Code, Duration, Name, Node, Text
from dsl.tree.rules import Decision, Party


class ExpectDecision(Node, frozen=True):
    """The next decision is this one; what it does not mention may be anything."""

    decision: Decision


class ExpectRedirect(Node, frozen=True):
    """`expect redirect 302`, `expect redirect`: the next decision sends the caller elsewhere, wherever that is."""

    code: Code | None


class ExpectReject(Node, frozen=True):
    """`expect reject`: the next decision refuses, with whatever status."""


class ExpectResponse(Node, frozen=True):
    """The caller is sent that status."""

    code: Code


class ExpectRings(Node, frozen=True):
    """`expect rings alice and carol`: it rings at these next, together, and nowhere else."""

    parties: tuple[Party, ...]


class ExpectAnswered(Node, frozen=True):
    """`expect answered by bob`: the call comes to this party."""

    party: Party


class ExpectNumber(Node, frozen=True):
    """`expect trunk pstn gets "00493012345"`: a number in the form in which the trunk is sent it."""

    trunk: Name
    number: Text


class ExpectExpires(Node, frozen=True):
    """`expect expires 1h`: for so long the phone is registered."""

    duration: Duration


class ExpectHeader(Node, frozen=True):
    """What was decided gives the called side a header with this value, or (`value` None) lets none arrive."""

    name: Text
    value: Text | None


class ExpectTag(Node, frozen=True):
    """What was decided tags the call so, or (`value` None) not at all."""

    name: Name
    value: Text | None


class ExpectLog(Node, frozen=True):
    """What was decided writes this line for the operator."""

    text: Text


class ExpectTakes(Node, frozen=True):
    """`expect takes toll`, `expect leaves toll`: whether what was decided uses one of the limit up."""

    limit: Name
    taken: bool


class ExpectMedia(Node, frozen=True):
    """That is how the call's media flows: what a rule chose last, else auto."""

    choice: Name


class ExpectNothing(Node, frozen=True):
    """`expect nothing further`: no decision follows."""


Expectation: TypeAlias = (
    ExpectDecision
    | ExpectRedirect
    | ExpectReject
    | ExpectResponse
    | ExpectRings
    | ExpectAnswered
    | ExpectNumber
    | ExpectExpires
    | ExpectHeader
    | ExpectTag
    | ExpectLog
    | ExpectTakes
    | ExpectMedia
    | ExpectNothing
)
"""What is expected."""
