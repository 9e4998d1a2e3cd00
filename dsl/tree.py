"""What a `.route` file says, as written: frozen nodes, each with its place in the file.

Owns the shape that `parser` builds and that `resolve`, `check`, `compile` and `tester` read. Nothing here is
resolved: a `Reference` may be a fact, a user, a declaration, a parameter of a sub, or a name that a rule
bound; `resolve` says which, by the span of its name.
Places count lines and columns from 1; an end column is the one after the last character.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """From which character to which: `end_column` is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Node(msgspec.Struct, frozen=True):
    """Anything that was written."""

    span: Span


# Words and literals


class Name(Node, frozen=True):
    """An identifier. `quoted`: written as `user "anna.schmidt"`, so surely a user."""

    text: str
    quoted: bool = False


class Text(Node, frozen=True):
    """A text between double quotes, without them."""

    value: str


class Integer(Node, frozen=True):
    """A whole number without a unit; `text` keeps leading zeros."""

    value: int
    text: str


class Duration(Node, frozen=True):
    """A time with its unit (`20s`, `2min`, `1h`, `1d`). Without a unit `seconds` is None."""

    text: str
    seconds: float | None


class Code(Node, frozen=True):
    """A SIP status code."""

    value: int


class Pattern(Node, frozen=True):
    """A number pattern, without its backticks; `patterns` reads it."""

    text: str


class Network(Node, frozen=True):
    """An IP address or network, as written; `networks` reads it."""

    text: str


# Expressions: what has a value


class Reference(Node, frozen=True):
    """A bare name, or a fact of two words: `diverted by`, `held for`."""

    name: Name


class Attribute(Node, frozen=True):
    """`bob.mobile`, `d.user`, `caller.number`: a user's attribute, a table row's column."""

    base: Name
    attribute: Name


class Header(Node, frozen=True):
    """`header "N"`: the first value of that header in the request; may be absent."""

    name: Text


class E164(Node, frozen=True):
    """`e164(x)`: x as an international number, absent where it is none."""

    argument: Expression


Expression: TypeAlias = Reference | Attribute | Header | E164 | Text | Integer | Duration | Network


# Conditions: what holds or not


class Or(Node, frozen=True):
    """Any of two or more, tried from the left."""

    conditions: tuple[Condition, ...]


class And(Node, frozen=True):
    """All of two or more, tried from the left."""

    conditions: tuple[Condition, ...]


class Not(Node, frozen=True):
    """The opposite: `not C`, and what `not in` and `is not` mean."""

    condition: Condition


class Compare(Node, frozen=True):
    """Two values: equality for every type, order for numbers and durations. `!=` negates `==` exactly."""

    left: Expression
    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    right: Expression


class In(Node, frozen=True):
    """A user in a group or a users file; an address in a net (by name, or written out)."""

    item: Expression
    collection: Name | Network


class Matches(Node, frozen=True):
    """A text is of the pattern's form; the pattern's captures are bound in the rule's body."""

    item: Expression
    pattern: Pattern


class Is(Node, frozen=True):
    """`X is absent`, `dialed is emergency`, `U is registered|busy`, `T is up|full`."""

    subject: Expression
    state: Name


class Over(Node, frozen=True):
    """One more would pass that limit."""

    limit: Name


class Within(Node, frozen=True):
    """The present is within those hours."""

    hours: Name


class Lookup(Node, frozen=True):
    """The table has a row for the key; the row is bound to `bound` in the rule's body, if a name is given."""

    table: Name
    key: Expression
    bound: Name | None


class FromTrunk(Node, frozen=True):
    """The request came from that trunk."""

    trunk: Name


class Holds(Node, frozen=True):
    """A fact that is itself true or false: `authenticated`, `anonymous`, `rang`, `attended`."""

    fact: Expression


Condition: TypeAlias = Or | And | Not | Compare | In | Matches | Is | Over | Within | Lookup | FromTrunk | Holds


# Decisions: what ends a path


class Challenge(Node, frozen=True):
    """Ask who it is."""


class Accept(Node, frozen=True):
    """Let the phone register, with at most so many contacts, for a time within bounds."""

    max_contacts: Integer | None
    min_expires: Duration | None
    max_expires: Duration | None


class Reject(Node, frozen=True):
    """Answer with a failure."""

    code: Code
    reason: Text | None


class Redirect(Node, frozen=True):
    """Answer 3xx with this Contact."""

    code: Code
    target: Expression


class Party(Node, frozen=True):
    """Whom to call: a user, or a number through a trunk."""

    target: Expression
    trunk: Name | None


class Step(Node, frozen=True):
    """Parties that ring together. `after` is how the step follows the one before; the first has `then`."""

    after: Literal["then", "else"]
    parties: tuple[Party, ...]
    duration: Duration | None
    progress: Duration | None


class Outcome(Node, frozen=True):
    """`busy -> reject 486` inside a dial: what follows when it ends so."""

    kind: Name
    body: Block


class Dial(Node, frozen=True):
    """`dial`, or `forward` (`forwarded`), which tells the caller with the status `notify`, if given."""

    forwarded: bool
    steps: tuple[Step, ...]
    notify: Code | None
    outcomes: tuple[Outcome, ...]


class Do(Node, frozen=True):
    """Go on in a sub; it decides."""

    sub: Name
    arguments: tuple[Expression, ...]


class Answer(Node, frozen=True):
    """Take the call ourselves: `answer echo`, `answer tone`, `answer play SOUND`."""

    service: Name
    sound: Name | None


class Continue(Node, frozen=True):
    """Pass it on as it is (hold, resume)."""


class Play(Node, frozen=True):
    """Music to a party that is held."""

    sound: Name
    party: Name
    loop: bool


class Transfer(Node, frozen=True):
    """Let a transfer go to this party."""

    party: Party
    duration: Duration | None


class Deliver(Node, frozen=True):
    """Hand a MESSAGE to a user."""

    target: Expression


Decision: TypeAlias = Challenge | Accept | Reject | Redirect | Dial | Do | Answer | Continue | Play | Transfer | Deliver


# Actions: what is done on the way, and ends nothing


class Tag(Node, frozen=True):
    """Mark the call's record."""

    name: Name
    value: Expression


class Log(Node, frozen=True):
    """Write a line for the operator."""

    text: Expression


class SetHeader(Node, frozen=True):
    """Give the called side a header: `set header "N" to X`."""

    name: Text
    value: Expression


class StripHeader(Node, frozen=True):
    """Keep a header from the called side."""

    name: Text


class Media(Node, frozen=True):
    """Choose how the media of the call flows."""

    choice: Name


Action: TypeAlias = Tag | Log | SetHeader | StripHeader | Media


# Rules


class When(Node, frozen=True):
    """If the condition holds, the body decides. `head` is the rule without its body."""

    condition: Condition
    body: Block
    head: Span


class AlsoWhen(Node, frozen=True):
    """If the condition holds, the body's actions are done; the next statement is tried in any case."""

    condition: Condition
    body: Block
    head: Span


class Otherwise(Node, frozen=True):
    """What is left."""

    body: Block
    head: Span


Statement: TypeAlias = When | AlsoWhen | Otherwise | Decision | Action


class Block(Node, frozen=True):
    """Statements in file order, first match. `-> a, b` is a block too; `end` is where it is left."""

    statements: tuple[Statement, ...]
    end: Span


# Declarations


class PolicyName(Node, frozen=True):
    """`policy "acme-office"`."""

    name: Text


class Domain(Node, frozen=True):
    """The hosts that are ours; the first is the realm."""

    hosts: tuple[Text, ...]


class Timezone(Node, frozen=True):
    """The zone in which `hours` are read (IANA name)."""

    zone: Text


class Country(Node, frozen=True):
    """The country code, `+49`."""

    code: Text


class NationalPrefix(Node, frozen=True):
    """Digits before an area code; empty for `none`."""

    digits: Text


class InternationalPrefix(Node, frozen=True):
    """Digits before a country code; empty for `none`."""

    digits: Text


class Emergency(Node, frozen=True):
    """The numbers of the emergency services."""

    numbers: tuple[Text, ...]


class Users(Node, frozen=True):
    """A users file, and the name by which the script calls all of them."""

    name: Name
    file: Text


class Group(Node, frozen=True):
    """Some users by one name."""

    name: Name
    members: tuple[Name, ...]


class Net(Node, frozen=True):
    """Some networks by one name."""

    name: Name
    networks: tuple[Network, ...]


class Sound(Node, frozen=True):
    """A sound file."""

    name: Name
    file: Text


class Time(Node, frozen=True):
    """A time of day in minutes, `24:00` included; None where there is no such time, which `check` refuses."""

    text: str
    minutes: int | None


class Opening(Node, frozen=True):
    """`mon-fri 08:00-18:00`: the two days may be the same. `closes` itself is outside."""

    first_day: Name
    last_day: Name
    opens: Time
    closes: Time


class Hours(Node, frozen=True):
    """Weekly openings, and a file of days on which they do not hold."""

    name: Name
    openings: tuple[Opening, ...]
    exceptions: Text | None


class Limit(Node, frozen=True):
    """So many per sliding window, or at once (`per` None); for each value of `each`, else in all."""

    name: Name
    count: Integer
    per: Duration | None
    each: Name | None


class Table(Node, frozen=True):
    """Rows of a CSV file; `key` is number, prefix or text."""

    name: Name
    file: Text
    key: Name


class Uri(Node, frozen=True):
    """Where the trunk is."""

    uri: Text


class Peers(Node, frozen=True):
    """The addresses from which the trunk calls us."""

    networks: tuple[Network, ...]


class Login(Node, frozen=True):
    """`login "acme" secret "pstn"`: our name there, and the entry of `secrets.yaml` for its challenges.

    `registers`: written as `register as "acme" secret "pstn"`; we keep ourselves registered there.
    """

    username: Text
    secret: Text | None
    registers: bool


class NumberFormat(Node, frozen=True):
    """How the trunk wants numbers: e164, plain, national or as-dialed."""

    form: Name


class FromChoice(Node, frozen=True):
    """Whose number stands in From: caller or account."""

    choice: Name


class CallerId(Node, frozen=True):
    """The number shown for callers who have none."""

    number: Text


class Allow(Node, frozen=True):
    """The only numbers that may be dialled there."""

    patterns: tuple[Pattern, ...]


class Channels(Node, frozen=True):
    """How many calls at once."""

    count: Integer


class Check(Node, frozen=True):
    """How often OPTIONS asks whether the trunk is up."""

    every: Duration


class Failover(Node, frozen=True):
    """Status codes that count as unreachable there."""

    codes: tuple[Code, ...]


class Progress(Node, frozen=True):
    """How long to wait for a first 101 to 199."""

    within: Duration


class Trusted(Node, frozen=True):
    """P-Asserted-Identity is taken from, and sent to, that trunk (RFC 3325)."""


class Transit(Node, frozen=True):
    """Calls that come from other trunks may go out through this one, and why."""

    reason: Text


Setting: TypeAlias = (
    Uri
    | Peers
    | Login
    | NumberFormat
    | FromChoice
    | CallerId
    | Allow
    | Channels
    | Check
    | Failover
    | Progress
    | Trusted
    | Transit
)


class Trunk(Node, frozen=True):
    """A way out of the house."""

    name: Name
    settings: tuple[Setting, ...]


class Parameter(Node, frozen=True):
    """`who: user`; types are user, number, text."""

    name: Name
    type: Name


class Sub(Node, frozen=True):
    """A block by name; whoever does it ends there."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Block


class On(Node, frozen=True):
    """What is decided when an event fires."""

    event: Name
    body: Block


# Tests


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
    """The decision tags the call so."""

    name: Name
    value: Text


TestStep: TypeAlias = (
    CallStep
    | RegisterStep
    | GivenTime
    | GivenAnswer
    | GivenRings
    | GivenState
    | GivenOver
    | ExpectDecision
    | ExpectResponse
    | ExpectTag
)


class Test(Node, frozen=True):
    """Steps in order: what is given, what happens, what is expected of it."""

    title: Text
    steps: tuple[TestStep, ...]


Declaration: TypeAlias = (
    PolicyName
    | Domain
    | Timezone
    | Country
    | NationalPrefix
    | InternationalPrefix
    | Emergency
    | Users
    | Group
    | Net
    | Sound
    | Hours
    | Limit
    | Table
    | Trunk
    | Sub
    | On
    | Test
)


class Script(Node, frozen=True):
    """A whole file. `source` is its text."""

    source: str
    declarations: tuple[Declaration, ...]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the file."""
    yield node
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, Node):
            yield from walk(value)
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield from walk(item)
