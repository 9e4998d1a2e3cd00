"""Nodes of `test` blocks: what is given, what happens, what is expected."""

from __future__ import annotations

from typing import TypeAlias

from dsl.tree.basics import Code, Duration, Integer, Name, Network, Node, Text
from dsl.tree.declarations import Date, Time
from dsl.tree.expectations import Expectation
from dsl.tree.values import Expression


class From(Node, frozen=True):
    """Who calls: a user with the right password, a trunk, whoever claims a text, or (all None) anyone.

    With `claimed` too a trunk brings a call from that number.
    """

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


class WithAgent(Node, frozen=True):
    """`agent "Snom"`: how the phone that registers calls itself."""

    agent: Text


class WithoutName(Node, frozen=True):
    """`anonymous`: the caller wants not to be named."""


class WithDiversion(Node, frozen=True):
    """`diverted by carol`: the call was for somebody else, who sent it on."""

    by: Text | Name


class WithLabel(Node, frozen=True):
    """`as first`: what later sentences call this call."""

    label: Name


class WithTimes(Node, frozen=True):
    """`40 times`: so often, one right after the other; what follows is about the last."""

    count: Integer


Circumstance: TypeAlias = (
    WithSource
    | WithoutPassword
    | WithHeader
    | WithContacts
    | WithExpires
    | WithTransport
    | WithAgent
    | WithoutName
    | WithDiversion
    | WithLabel
    | WithTimes
)


class CallStep(Node, frozen=True):
    """An INVITE: `call from alice to bob source office`. `dialed` as a text, or a user by name."""

    caller: From
    dialed: Text | Name
    circumstances: tuple[Circumstance, ...]


class RegisterStep(Node, frozen=True):
    """A REGISTER: `register alice source office contacts 4`; `register anyone` has no account (user None).

    `leaves`: it is `unregister alice`, after which the phone is registered no more.
    """

    user: Name | None
    circumstances: tuple[Circumstance, ...]
    leaves: bool = False


class HoldStep(Node, frozen=True):
    """`hold by alice`: a party of the call that was answered puts the other on hold."""

    holder: From


class ResumeStep(Node, frozen=True):
    """`resume by alice after 90s`: the holder is back; the clock goes on by that time."""

    holder: From
    after: Duration | None


class TransferStep(Node, frozen=True):
    """`transfer by alice to carol`: a party of the call that was answered has the other go on to somebody else.

    `attended` says that it talks to that one already, in another call.
    """

    transferor: From
    dialed: Text | Name
    attended: bool = False


class MessageStep(Node, frozen=True):
    """`message from alice to bob`: whatever it says, no rule reads it."""

    caller: From
    dialed: Text | Name
    circumstances: tuple[Circumstance, ...]


class HangUp(Node, frozen=True):
    """`hang up first`: that call is over, the one that goes on if none is named (None), or `every` call."""

    label: Name | None
    every: bool = False


class BackStep(Node, frozen=True):
    """`back to first`: what follows is about that call."""

    label: Name


class WaitStep(Node, frozen=True):
    """`wait 20min`: the clock goes on."""

    duration: Duration


class GivenTime(Node, frozen=True):
    """From here on it is that time in the policy's zone: "2026-12-24 19:00"."""

    time: Text


class GivenMoment(Node, frozen=True):
    """`given time fri 18:30`, `given time dec 24 19:00`, `given time 18:30`: the next such moment.

    `day` is None where the day goes on.
    """

    day: Name | Date | None
    time: Time


class GivenAnswer(Node, frozen=True):
    """`given alice answers 486`, `given pstn answers 503 after 10s`: a user, a trunk, or a number."""

    party: Expression
    code: Code
    after: Duration | None


class GivenRedirect(Node, frozen=True):
    """`given alice redirects to "sip:alice@home.example"`: the party answers 302 with this Contact."""

    party: Expression
    target: Text | Name


class GivenRings(Node, frozen=True):
    """`given alice rings`: it rings there, and nobody answers."""

    party: Expression


class GivenState(Node, frozen=True):
    """`given alice is busy`, `given pstn is not up`."""

    subject: Expression
    state: Name
    negated: bool


class GivenBegins(Node, frozen=True):
    """`given desk begins with carol`: the next to come first in a group in turn, or whom chance puts first."""

    group: Name
    member: Name


class GivenOver(Node, frozen=True):
    """`given over toll`: that limit is used up."""

    limit: Name


Happening: TypeAlias = (
    CallStep | RegisterStep | HoldStep | ResumeStep | TransferStep | MessageStep | HangUp | BackStep | WaitStep
)
"""What happens."""

Given: TypeAlias = (
    GivenTime | GivenMoment | GivenAnswer | GivenRedirect | GivenRings | GivenState | GivenBegins | GivenOver
)
"""What holds from here on."""

TestStep: TypeAlias = Happening | Given | Expectation


class Test(Node, frozen=True):
    """Steps in order: what is given, what happens, what is expected of it."""

    title: Text
    steps: tuple[TestStep, ...]
