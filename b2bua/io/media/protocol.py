"""What the server and its media process say to each other: MessagePack over a socket pair that keeps messages apart.

Owns the messages. The server says `Command`s, and is told `Event`s. An end of either side ends the connection.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from b2bua.effects import Codec, MediaPlan, MediaPort

MESSAGE_OCTETS = 128 * 1024
"""The longest message. Both sides cut what they say into pieces that stay far below."""

PLANS = 256
"""Plans in one message; each takes some 300 octets at most."""

PORTS = 512
"""Ports in one message; each takes some 100 octets at most."""


class Open(msgspec.Struct, frozen=True, tag=True):
    """The first command: bind all even ports of this range, and the odd ones above, on each host.

    From then on there is a `Report` whenever so many seconds have passed.
    """

    hosts: tuple[str, ...]
    first_port: int
    last_port: int
    report_seconds: float


class Learn(msgspec.Struct, frozen=True, tag=True):
    """A sound in one codec: the descriptor of the memory that it lies in comes with this message."""

    version: str
    codec: Codec


class Forget(msgspec.Struct, frozen=True, tag=True):
    """A sound is not in force any more. Who is listening to it hears it to its end."""

    version: str


class Plans(msgspec.Struct, frozen=True, tag=True):
    """Do this, in this order: ports, and what each is to do from now on."""

    plans: list[tuple[int, MediaPlan | None]]


class Bound(msgspec.Struct, frozen=True, tag=True):
    """Some of the ports that were bound."""

    ports: tuple[MediaPort, ...]


class Ready(msgspec.Struct, frozen=True, tag=True):
    """All ports were told. `missing` says how many pairs could not be bound, by the reason.

    `realtime` is whether the process comes before others when the processor is short (SCHED_RR, sched(7)).
    """

    missing: dict[str, int]
    realtime: bool


class NotLearned(msgspec.Struct, frozen=True, tag=True):
    """A sound that was handed over cannot be played; `reason` is for the operator."""

    version: str
    codec: Codec
    reason: str


class Played(msgspec.Struct, frozen=True, tag=True):
    """A sound that does not loop has ended."""

    port: int
    playing: int


class Silent(msgspec.Struct, frozen=True, tag=True):
    """A playing was to have begun a while ago, and no packet has left."""

    port: int
    playing: int


class Report(msgspec.Struct, frozen=True, tag=True):
    """From time to time: what is going on, and what went on since the start. Its absence is a sign of ill health.

    `in_use` ports have a plan, `players` are sounding. Packets: `relayed`; of `strangers`, who may not send here;
    `unwanted`, since there is nobody to send them to; `played`; `late` ones of these by more than 5 ms; `skipped` ones,
    not sent since it was too late for them; `lost`, which the kernel did not take.
    """

    ports: int
    in_use: int
    players: int
    relayed: int
    strangers: int
    unwanted: int
    played: int
    late: int
    skipped: int
    lost: int


Command: TypeAlias = Open | Learn | Forget | Plans
Event: TypeAlias = Bound | Ready | NotLearned | Played | Silent | Report

encode = msgspec.msgpack.Encoder().encode
command = msgspec.msgpack.Decoder(Command).decode
event = msgspec.msgpack.Decoder(Event).decode
