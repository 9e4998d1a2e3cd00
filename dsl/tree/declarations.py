"""Nodes of what a script declares, and of what a trunk says."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dsl.tree.basics import Code, Duration, Integer, Name, Network, Node, Pattern, Text
from dsl.tree.rules import Block
from dsl.tree.values import Attribute, Range


class Include(Node, frozen=True):
    """`include "trunks.route"`: the declarations of another file, relative to this one."""

    file: Text


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


Way: TypeAlias = Literal["together", "order", "turn", "weight"]
"""How the members of a group are called: all at once; or one after the other, in the order of the script, each time
beginning with the next, or by chance.
"""


class Group(Node, frozen=True):
    """Some users by one name. `weights` has one for each member where the way is `weight`, else none."""

    name: Name
    members: tuple[Name, ...]
    way: Way = "together"
    weights: tuple[Integer, ...] = ()


class Trunks(Node, frozen=True):
    """Some trunks by one name, tried one after the other. `weights` as for a group."""

    name: Name
    members: tuple[Name, ...]
    way: Way
    weights: tuple[Integer, ...] = ()


class Numbers(Node, frozen=True):
    """Numbers by one name: written out (`file` None), or one on each line of a file."""

    name: Name
    items: tuple[Text | Integer | Pattern | Range, ...]
    file: Text | None


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


class DayRange(Node, frozen=True):
    """`mon-fri`, or one day, which is first and last."""

    first: Name
    last: Name


class Date(Node, frozen=True):
    """`dec 24`, which is every year (`year` None), or `2026-12-24`. `check` refuses a date that there is not."""

    text: str
    year: int | None
    month: int
    day: int


class Times(Node, frozen=True):
    """`08:00-18:00`: `closes` itself is outside, and is the next day where it is not later than `opens`."""

    opens: Time
    closes: Time


class Weekly(Node, frozen=True):
    """`mon-fri, sun 08:00-12:00 and 13:00-18:00`."""

    days: tuple[DayRange, ...]
    times: tuple[Times, ...]


class Dated(Node, frozen=True):
    """`dec 24 to dec 26`, `2026-12-24 08:00-12:00`: on each of these days at those times, or (none) all day."""

    first: Date
    last: Date
    times: tuple[Times, ...]


class Stretch(Node, frozen=True):
    """`2026-12-23 18:00 to 2027-01-07 08:00`: from a moment until before another."""

    first: Date
    opens: Time
    last: Date
    closes: Time


Opening: TypeAlias = Weekly | Dated | Stretch


class Hours(Node, frozen=True):
    """When it is open, and when not all the same: a file of days (a text), other hours (a name), dates.

    `zone` is None where the policy's own holds.
    """

    name: Name
    zone: Text | None
    openings: tuple[Opening, ...]
    exceptions: tuple[Text | Name | Dated | Stretch, ...]


class Limit(Node, frozen=True):
    """So many per sliding window, or at once (`per` None); for each value of `each`, else in all.

    `own`: `caller.lines` in `caller.lines or 2 at once for each caller`, which says how many for whom it is not absent.
    """

    name: Name
    count: Integer
    per: Duration | None
    each: Name | None
    own: Attribute | None = None


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
    """The number shown for callers who have none, and asserted where nobody vouches for theirs."""

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
    """What is decided when an event fires, or one of several outcomes of a dial."""

    events: tuple[Name, ...]
    body: Block

    @property
    def names(self) -> tuple[str, ...]:
        """The events as they are called."""
        return tuple(event.text for event in self.events)
