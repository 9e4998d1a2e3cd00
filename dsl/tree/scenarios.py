"""Nodes of `test` blocks: what is given, what happens, what is expected."""

from __future__ import annotations

from typing import TypeAlias

from dsl.tree.basics import Code, Duration, Integer, Name, Network, Node, Text
from dsl.tree.rules import Decision
from dsl.tree.values import Expression


class From(Node, frozen=True):
    """Who calls: a user with the right password, a trunk, whoever claims a text, or (all None) anyone."""

    user: Name | None = None
    trunk: Name | None = None
    claimed: Text | None = None


class WithSource(Node, frozen=True):
    """`source office`, `source 203.0.113.9`: the first address of a net, or that one."""

    source: Name | Network


class WithoutPassword(Node, frozen=True):
    """The request carries no credentials."""


class WithHeader(Node, frozen=True):
    """`header "N" "value"`: the request carries it."""

    name: Text
    value: Text


class WithContacts(Node, frozen=True):
    """How many contacts the phone registers."""

    count: Integer


class WithExpires(Node, frozen=True):
    """For how long the phone asks to be registered."""

    duration: Duration


class WithTransport(Node, frozen=True):
    """udp or tcp."""

    transport: Name


Circumstance: TypeAlias = WithSource | WithoutPassword | WithHeader | WithContacts | WithExpires | WithTransport


class CallStep(Node, frozen=True):
    """An INVITE: `call from alice to bob source office`. `dialed` as a text, or a user by name."""

    caller: From
    dialed: Text | Name
    circumstances: tuple[Circumstance, ...]


class RegisterStep(Node, frozen=True):
    """A REGISTER: `register alice source office contacts 4`; `register anyone` has no account (user None)."""

    user: Name | None
    circumstances: tuple[Circumstance, ...]


class HoldStep(Node, frozen=True):
    """`hold by alice`: a party of the call that was answered puts the other on hold."""

    holder: From


class ResumeStep(Node, frozen=True):
    """`resume by alice after 90s`: the holder is back; the clock goes on by that time."""

    holder: From
    after: Duration | None


class TransferStep(Node, frozen=True):
    """`transfer by alice to carol`: a party of the call that was answered has the other go on to somebody else."""

    transferor: From
    dialed: Text | Name


class MessageStep(Node, frozen=True):
    """`message from alice to bob`: whatever it says, no rule reads it."""

    caller: From
    dialed: Text | Name
    circumstances: tuple[Circumstance, ...]


class GivenTime(Node, frozen=True):
    """From here on it is that time in the policy's zone: "2026-12-24 19:00"."""

    time: Text


class GivenAnswer(Node, frozen=True):
    """`given alice answers 486`, `given pstn answers 503`: a user, a trunk, or a number."""

    party: Expression
    code: Code


class GivenRings(Node, frozen=True):
    """`given alice rings`: it rings there, and nobody answers."""

    party: Expression


class GivenState(Node, frozen=True):
    """`given alice is busy`, `given pstn is not up`."""

    subject: Expression
    state: Name
    negated: bool


class GivenOver(Node, frozen=True):
    """`given over toll`: that limit is used up."""

    limit: Name


class ExpectDecision(Node, frozen=True):
    """The next decision is this one; what it does not mention may be anything."""

    decision: Decision


class ExpectResponse(Node, frozen=True):
    """The caller is sent that status."""

    code: Code


class ExpectTag(Node, frozen=True):
    """What was decided tags the call so."""

    name: Name
    value: Text


class ExpectMedia(Node, frozen=True):
    """That is how the call's media flows: what a rule chose last, else auto."""

    choice: Name


TestStep: TypeAlias = (
    CallStep
    | RegisterStep
    | HoldStep
    | ResumeStep
    | TransferStep
    | MessageStep
    | GivenTime
    | GivenAnswer
    | GivenRings
    | GivenState
    | GivenOver
    | ExpectDecision
    | ExpectResponse
    | ExpectTag
    | ExpectMedia
)


class Test(Node, frozen=True):
    """Steps in order: what is given, what happens, what is expected of it."""

    title: Text
    steps: tuple[TestStep, ...]
