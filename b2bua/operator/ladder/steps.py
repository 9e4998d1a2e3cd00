"""What a story is made of: messages, decisions and remarks, in their order.

Values alone; they are what `show call --json` prints of a call's course.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Column(msgspec.Struct, frozen=True):
    """A party of the ladder beside ourselves. `address` is where it was first heard of, with the transport.

    `first` and `last` are the times of its first and last message, in seconds since the call's start.
    """

    leg: int
    name: str
    address: str
    first: float
    last: float


class Arrow(msgspec.Struct, frozen=True, tag="message", tag_field="step"):
    """A message between a party and us. `time` is seconds since the call's start, `count` how often it was sent, the
    last time at `last`.

    `label` says what it is, `short` the same in less room, `session` what its session description says in a word, and
    `media` where that wants its media, if it is elsewhere than before. `status` is 0 for a request.
    """

    time: float
    leg: int
    sent: bool
    label: str
    short: str = ""
    status: int = 0
    session: str = ""
    media: str = ""
    count: int = 1
    last: float = 0.0


class Decided(msgspec.Struct, frozen=True, tag="decision", tag_field="step"):
    """What the policy said. `because` is the event with what led to it, `places` where the rules stand, empty where
    none fired, `decision` as a policy writes it.
    """

    time: float
    event: str
    because: str
    places: str
    decision: str


class Remark(msgspec.Struct, frozen=True, tag="remark", tag_field="step"):
    """Something that is no message, about a leg."""

    time: float
    leg: int
    text: str


Step: TypeAlias = Arrow | Decided | Remark


class Story(msgspec.Struct, frozen=True):
    """A call told: a sentence, who took part (the caller first), and what happened."""

    call: str
    sentence: str
    columns: tuple[Column, ...]
    steps: tuple[Step, ...]
