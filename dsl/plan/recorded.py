"""What is kept of each call's decisions, so that another policy can be asked about the same calls.

Owns the shapes and how they are written: one document of JSON for each call, and one for each version of a policy that
decided some. What a request said is kept as it was, before any policy read it; nothing that proves who somebody is, and
no password of a URI, is ever written. Replaying is `replay`'s, where documents lie and for how long the store's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias, TypeVar

import msgspec

from dsl.compile_setup import Limit, Trunk
from dsl.decision import Decision, Dial, Facts, Frame, Outcome
from dsl.policy import Policy

MOST_EVENTS = 64
"""Decisions that are kept of one call, so that whoever holds and resumes without end fills no disk."""

SECRET_HEADERS = frozenset(
    (
        "authentication-info",
        "authorization",
        "cookie",
        "identity",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "set-cookie",
        "www-authenticate",
    )
)
"""Headers that prove who somebody is: a policy may ask for them, and a record never has them."""

_PASSWORD = re.compile(rb"(sips?:[^\s:@\"<>\\]*):[^\s@\"<>]*@")
_BLOTTED = rb"\1:***@"
_NO_FRAME = Frame("", 0)


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request said, and what was found out about it without asking the policy's rules.

    `trunk_uri` is the URI of `trunk` where the caller was recognised by that, and not by `peers`. `caller` is the
    account that proved itself, `number` what a trunk gave of who calls. `headers` has those that the policy names and
    the request had, by lower-case name. `user` is whom a REGISTER is about. The rest is as in `Facts`.
    """

    source: str
    transport: str = "udp"
    trunk: str | None = None
    trunk_uri: str | None = None
    caller: str | None = None
    number: str | None = None
    claimed: str | None = None
    dialed: str | None = None
    anonymous: bool = False
    diverted_by: str | None = None
    headers: dict[str, str] = {}
    user: str | None = None
    expires: int | None = None
    contacts: int | None = None
    agent: str | None = None


class Happened(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event and what was decided. `time` is wall seconds. `outcome` is how the dial before it ended, `facts` are
    those that hold for this event alone, by their names in `Facts`.
    """

    event: str
    time: float
    decision: Decision
    outcome: Outcome | None = None
    facts: dict[str, str | bool | float | None] = {}


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="decided"):
    """One call, message or registration: `call` is its id in the records, or the account of a registration."""

    call: str
    known: Known
    events: tuple[Happened, ...]


class Way(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trunk as far as it decides where a call goes, and as whom; without its secret. As in `Trunk`."""

    uri: str
    number: str = "as-dialed"
    from_: str = "caller"
    caller_id: str | None = None
    account: str | None = None
    allow: tuple[str, ...] | None = None
    channels: int | None = None
    failover: tuple[int, ...] = ()
    progress: float | None = None
    trusted: bool = False


class Home(msgspec.Struct, frozen=True, omit_defaults=True):
    """How numbers were written: the fields of a `NumberPlan`."""

    country: str | None = None
    national: str = ""
    international: str = ""
    bare: tuple[int, int] | None = None


class Version(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="version"):
    """A version of a policy, as far as its decisions cannot be understood without: its `hash`, and when it first
    decided something here.

    `sources` are the script's texts by file, the script itself under the empty name. `headers` are those that it names,
    `limits` what each recorded answer to `over` was about. `sounds` are versions of sounds by name.
    """

    hash: str
    name: str
    path: str
    since: float
    sources: dict[str, str]
    headers: tuple[str, ...] = ()
    limits: dict[str, Limit] = {}
    trunks: dict[str, Way] = {}
    sounds: dict[str, str] = {}
    emergency: tuple[str, ...] = ()
    home: Home = Home()


Line: TypeAlias = Recorded | Version

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_calls = msgspec.json.Decoder(Recorded)
_versions = msgspec.json.Decoder(Version)


def read_line(line: bytes | str) -> Line:
    """What one line of an exported file holds. Raises msgspec.DecodeError."""
    return _decoder.decode(line)


def read_recorded(document: bytes | str) -> Recorded:
    """What a stored document of a call holds. Raises msgspec.DecodeError."""
    return _calls.decode(document)


def read_version(document: bytes | str) -> Version:
    """What a stored document of a version holds. Raises msgspec.DecodeError."""
    return _versions.decode(document)


def version_of(policy: Policy, since: float) -> Version:
    """What is to be kept of a version."""
    plan = policy.setup.plan
    return Version(
        hash=policy.hash,
        name=policy.name,
        path=str(policy.path),
        since=since,
        sources={"": policy.script.source} | {each.name: each.source for each in policy.script.included},
        headers=policy.headers,
        limits=policy.limits,
        trunks={name: way_of(trunk) for name, trunk in policy.trunks.items()},
        sounds={name: sound.version for name, sound in policy.sounds.items()},
        emergency=tuple(sorted(policy.emergency)),
        home=Home(plan.country, plan.national, plan.international, plan.bare),
    )


def way_of(trunk: Trunk) -> Way:
    """A trunk without what is nobody's business, and without what decides nothing about calls out."""
    return Way(
        uri=trunk.uri,
        number=trunk.number,
        from_=trunk.from_,
        caller_id=trunk.caller_id,
        account=trunk.account,
        allow=None if trunk.allow is None else tuple(pattern.text for pattern in trunk.allow),
        channels=trunk.channels,
        failover=tuple(sorted(trunk.failover)),
        progress=trunk.progress,
        trusted=trunk.trusted,
    )


def known_of(facts: Facts, policy: Policy, number: str | None, headers: dict[str, str], named: str | None) -> Known:
    """What is kept of a request. `number` is what a trunk gave of who calls, as it gave it; `headers` those that the
    policy names; `named` whom a REGISTER says that it is about.
    """
    trunk, uri = facts.trunk, None
    if trunk is not None and policy.trunk_of(facts.source) != trunk:
        uri = policy.trunks[trunk].uri
    return Known(
        source=facts.source,
        transport=facts.transport,
        trunk=trunk,
        trunk_uri=uri,
        caller=facts.caller,
        number=number if trunk is not None and facts.caller is None else None,
        claimed=facts.claimed,
        dialed=facts.dialed,
        anonymous=facts.anonymous,
        diverted_by=facts.diverted_by,
        headers={name: value for name, value in headers.items() if name not in SECRET_HEADERS},
        user=named,
        expires=facts.expires,
        contacts=facts.contacts,
        agent=facts.agent,
    )


def without_frames(events: Iterable[Happened]) -> tuple[Happened, ...]:
    """The events without the places where their dials stood, which mean nothing to another version."""
    return tuple([_without_frame(event) for event in events])


def _without_frame(event: Happened) -> Happened:
    decision = event.decision
    if not isinstance(decision.action, Dial):
        return event
    action = msgspec.structs.replace(decision.action, frame=_NO_FRAME)
    return msgspec.structs.replace(event, decision=msgspec.structs.replace(decision, action=action))


Written = TypeVar("Written", Recorded, Version, tuple[Happened, ...])


def written(value: Written) -> bytes:
    """As JSON, on one line. Passwords in URIs are blotted; octets of a peer's that are no UTF-8 become U+FFFD."""
    try:
        document = msgspec.json.encode(value)
    except UnicodeEncodeError:
        document = msgspec.json.encode(_readable(msgspec.to_builtins(value)))
    return _PASSWORD.sub(_BLOTTED, document) if b"sip" in document else document


def _readable(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        case dict():
            return {_readable(key): _readable(item) for key, item in value.items()}
        case list() | tuple():
            return [_readable(item) for item in value]
        case _:
            return value
