"""Session descriptions as values (RFC 8866), read so that calls, tests and ladders can ask what was agreed.

Owns reading. Leaves the octets that cross from leg to leg alone: what is sent is the peer's own text, but for its
o= line (`origin`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import is_number

Attributes: TypeAlias = tuple[tuple[str, str | None], ...]
"""The a= lines in order: name and value, None where there is no colon."""

NEVER = "0.0.0.0"
"""The address by which RFC 2543 put a stream on hold."""


class Direction(StrEnum):
    """Which way a stream flows, as its sender sees it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Who made the description, and which one it is (section 5.2). The numbers are kept as text."""

    username: str
    session_id: str
    version: str
    family: str
    address: str


class Connection(msgspec.Struct, frozen=True, gc=False):
    """Where to send to (section 5.7): `family` is IP4 or IP6, `address` as written, without brackets."""

    family: str
    address: str


class Media(msgspec.Struct, frozen=True, gc=False):
    """One stream (section 5.14). `connection` and `direction` are those in force: its own, else the session's.

    Port 0 means that it is refused or gone (RFC 3264 section 6). `formats` are payload types as text.
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    connection: Connection | None
    direction: Direction
    attributes: Attributes

    @property
    def held(self) -> bool:
        """Whether its sender does not want to hear us (RFC 3264 8.4)."""
        away = self.direction in (Direction.SENDONLY, Direction.INACTIVE)
        return away or (self.connection is not None and self.connection.address == NEVER)


class Session(msgspec.Struct, frozen=True, gc=False):
    """A description. `time` is the text of the first t= line."""

    origin: Origin
    name: str
    connection: Connection | None
    time: str
    attributes: Attributes
    media: tuple[Media, ...]


class _Section:
    """The lines up to the next m= line."""

    __slots__ = ("attributes", "connection", "fields", "first")

    def __init__(self, first: str) -> None:
        self.first = first
        self.fields: dict[str, str] = {}
        self.connection: Connection | None = None
        self.attributes: list[tuple[str, str | None]] = []

    def add(self, letter: str, value: str) -> None:
        """Take one line. PeerError 400."""
        if letter == "c" and self.connection is None:
            self.connection = _connection(value)
        elif letter == "a":
            name, colon, rest = value.partition(":")
            self.attributes.append((name, rest if colon else None))
        else:
            self.fields.setdefault(letter, value)

    def direction(self, default: Direction) -> Direction:
        """The first direction attribute."""
        for name, value in self.attributes:
            if value is None and name in Direction.__members__.values():
                return Direction(name)
        return default


def parse(body: bytes) -> Session:
    """Read a description. PeerError 400 for what is none: no v=0 and o= in front, a line that is no type and value.

    Lines may end with LF alone, s= and t= may be missing, unknown types are passed over.
    """
    text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    lines = [line for line in text.split("\n") if line]
    if not lines or lines[0].rstrip(" ") != "v=0":
        raise PeerError(400, "Session Description Without v=0")
    session = _Section("")
    sections = [session]
    for line in lines[1:]:
        if line[1:2] != "=" or not line[0].isalpha():
            raise PeerError(400, "Bad Line In Session Description")
        if line[0] == "m":
            sections.append(_Section(line[2:]))
        else:
            sections[-1].add(line[0], line[2:])
    default = session.direction(Direction.SENDRECV)
    return Session(
        _origin(session.fields.get("o", "")),
        session.fields.get("s", ""),
        session.connection,
        session.fields.get("t", ""),
        tuple(session.attributes),
        tuple([_media(section, session.connection, default) for section in sections[1:]]),
    )


def _media(section: _Section, connection: Connection | None, direction: Direction) -> Media:
    words = section.first.split()
    port = words[1].partition("/")[0] if len(words) > 3 else ""
    if not is_number(port) or len(port) > 5 or int(port) > 65535:
        raise PeerError(400, "Bad Media In Session Description")
    return Media(
        words[0].lower(),
        int(port),
        words[2],
        tuple(words[3:]),
        section.connection or connection,
        section.direction(direction),
        tuple(section.attributes),
    )


def _origin(text: str) -> Origin:
    words = text.split()
    if len(words) != 6 or words[3] != "IN":
        raise PeerError(400, "Bad Origin In Session Description")
    return Origin(words[0], words[1], words[2], words[4], words[5])


def _connection(text: str) -> Connection:
    words = text.split()
    if len(words) != 3 or words[0] != "IN":
        raise PeerError(400, "Bad Connection In Session Description")
    return Connection(words[1], words[2])
