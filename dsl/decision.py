"""Facts in, decisions out: the plain data that the policy and the engine exchange.

Owns the shapes; says nothing of how a policy is written (tree) or run (evaluate). Every value here can be written
as JSON by msgspec, so a decision can be recorded, replayed and compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias, assert_never

import msgspec

Event: TypeAlias = Literal[
    "register",
    "call",
    "busy",
    "no-answer",
    "unreachable",
    "failure",
    "redirect",
    "hold",
    "resume",
    "transfer",
    "message",
]
Media: TypeAlias = Literal["auto", "direct", "relay"]
OutcomeKind: TypeAlias = Literal["busy", "no-answer", "unreachable", "failure", "redirect"]


class Ambient(Protocol):
    """What holds at the moment of the event; asked only for what the rules come to need."""

    def registered(self, user: str) -> bool:
        """Whether a user has a binding."""

    def busy(self, user: str) -> bool:
        """Whether a user is in a call."""

    def over(self, limit: str, key: str) -> bool:
        """Whether one more would pass that limit for that key."""

    def up(self, trunk: str) -> bool:
        """Whether a trunk takes calls."""

    def full(self, trunk: str) -> bool:
        """Whether all channels of a trunk are taken."""

    def turn(self, group: str) -> int:
        """How often a group was called in turn before."""

    def draw(self, group: str) -> float:
        """What chance says of the order of a group, at least 0 and below 1: for one call always the same."""


class Facts(msgspec.Struct, kw_only=True):
    """What is known when an event fires. Absent facts are None.

    `time` is wall seconds since the epoch; `source` an IP address as text; `trunk` the trunk that the request came
    from, and `caller_number` the E.164 number that it gives of who calls; `headers` maps lower-case names to first
    values. Register alone has `user`, `expires` (seconds), `contacts` (how many) and `agent`. Hold and resume alone
    have `holder` and `held`, each a party (the account, else the number or name that was called or calls), whether the
    holder is the caller, and resume `held_for` (seconds). Transfer alone has `transferor` and `transferee`, each a
    party, whether the transferor is an account of ours and whether it is the caller, and `target`, the user to whom it
    is to go; `dialed` is then what the transferor dialled. In an `attended` one the transferor talks to the target in
    another call, and both of these say who is there.
    """

    time: float
    source: str
    transport: str
    ambient: Ambient
    trunk: str | None = None
    authenticated: bool = False
    caller: str | None = None
    caller_number: str | None = None
    claimed: str | None = None
    dialed: str | None = None
    callee: str | None = None
    anonymous: bool = False
    diverted_by: str | None = None
    headers: Mapping[str, str] = {}
    user: str | None = None
    expires: int | None = None
    contacts: int | None = None
    agent: str | None = None
    holder: str | None = None
    held: str | None = None
    holder_is_caller: bool = False
    held_for: float | None = None
    transferor: str | None = None
    transferee: str | None = None
    transferor_is_known: bool = False
    transferor_is_caller: bool = False
    attended: bool = False
    target: str | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a dial ended. `target` is the party last tried, `code` its SIP status, `redirected` the first Contact."""

    kind: OutcomeKind
    target: str | None = None
    code: int | None = None
    rang: bool = False
    tried: int = 0
    redirected: str | None = None


class UserTarget(msgspec.Struct, frozen=True, tag="user"):
    """Ring a user of ours on every binding."""

    user: str


class NumberTarget(msgspec.Struct, frozen=True, tag="number"):
    """Call a number through a trunk. A number that is absent (None) makes the leg a failure."""

    number: str | None
    trunk: str


class UriTarget(msgspec.Struct, frozen=True, tag="uri"):
    """Call a SIP URI: one that the operator wrote, or a redirection's, which reaches our own users only."""

    uri: str | None
    written: bool


Target: TypeAlias = UserTarget | NumberTarget | UriTarget


def party_of(target: Target) -> str | None:
    """The user, number or URI that was called."""
    match target:
        case UserTarget(user=user):
            return user
        case NumberTarget(number=number):
            return number
        case UriTarget(uri=uri):
            return uri
        case _:
            assert_never(target)


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """Parties that ring together for at most `seconds`. `after` says when: always, or only after `unreachable`."""

    parties: tuple[Target, ...]
    seconds: float = 120.0
    progress: float | None = None
    after: Literal["then", "else"] = "then"


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where in the policy a dial stands, so that its outcome can be decided later: data, never a suspended call.

    `dial` numbers the dial in its policy; `names` holds what `lookup` and captures bound there.
    """

    policy: str
    dial: int
    names: dict[str, object] = {}


class Challenge(msgspec.Struct, frozen=True, tag="challenge"):
    """Ask who it is (401), without state."""


class Accept(msgspec.Struct, frozen=True, omit_defaults=True, tag="accept"):
    """Let the phone register. Expiry bounds in seconds; absent bounds leave the server's own."""

    max_contacts: int | None = None
    min_expires: int | None = None
    max_expires: int | None = None


class Reject(msgspec.Struct, frozen=True, omit_defaults=True, tag="reject"):
    """Answer with a failure."""

    code: int
    reason: str | None = None


class Redirect(msgspec.Struct, frozen=True, tag="redirect"):
    """Answer 3xx with this Contact."""

    code: int
    uri: str


class Dial(msgspec.Struct, frozen=True, omit_defaults=True, tag="dial"):
    """Call these steps. `forwarder` is set by `forward`: the user on whose behalf the call goes on.

    `notify` is the provisional status that tells the caller of a forwarding (181).
    """

    steps: tuple[Step, ...]
    frame: Frame
    forwarder: str | None = None
    notify: int | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, tag="answer"):
    """Take the call ourselves. `sound` is the name of a declared sound where `kind` is play, else None.

    Without `loop` the call ends when the sound does; echo and tone go on until the caller hangs up.
    """

    kind: Literal["echo", "tone", "play"]
    sound: str | None = None
    loop: bool = False


class Play(msgspec.Struct, frozen=True, omit_defaults=True, tag="play"):
    """The held party hears this sound, by its declared name, until the holder is back; without `loop` once."""

    sound: str
    loop: bool = False


class Continue(msgspec.Struct, frozen=True, tag="continue"):
    """A hold or resume simply passes to the other side."""


class Transfer(msgspec.Struct, frozen=True, tag="transfer"):
    """Let a transfer be: call this party on behalf of the transferee, for at most `seconds`.

    Of an attended one nobody is called, whatever stands here: the two who are there already are connected.
    """

    target: Target
    seconds: float = 120.0


class Deliver(msgspec.Struct, frozen=True, omit_defaults=True, tag="deliver"):
    """Hand a message to a user, on every binding; to nobody where the user is absent."""

    user: str | None = None


Action: TypeAlias = Challenge | Accept | Reject | Redirect | Dial | Answer | Play | Continue | Transfer | Deliver


class HeaderEdit(msgspec.Struct, frozen=True):
    """A change to the called side's headers: `value` None strips."""

    name: str
    value: str | None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to do, by which version of the policy, and which rules said so (`line:col`, in the order they fired).

    `takes` names the limits that this decision uses up, with their keys, `turns` the groups that it calls in turn.
    `asked` holds the ambient facts that were taken, by name. `media` is the way of the media, where a rule chose one.
    `fault` tells why the policy failed to decide, where it did: then the action is what is done in its place, and the
    last of the rules is where it was given up.
    """

    action: Action
    policy: str
    rules: tuple[str, ...] = ()
    takes: tuple[tuple[str, str], ...] = ()
    headers: tuple[HeaderEdit, ...] = ()
    tags: dict[str, str] = {}
    logs: tuple[str, ...] = ()
    asked: dict[str, object] = {}
    media: Media | None = None
    turns: tuple[str, ...] = ()
    fault: str | None = None
