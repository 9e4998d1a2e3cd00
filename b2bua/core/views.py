"""What an operator sees of calls and registrations: plain values, taken at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from b2bua.call.call import Call
from b2bua.call.leg import Leg
from b2bua.call.outgoing import OutgoingLeg
from b2bua.registrar.binding import Binding
from b2bua.registrar.door import Door
from b2bua.registrar.ledger import Entry
from b2bua.routing.versions import ALL, Version, Versions
from b2bua.trunk.line import Line


class LegView(msgspec.Struct, frozen=True):
    """One leg: who it is, and where it stands."""

    number: int
    party: str
    state: str
    sip_call_id: str


class CallView(msgspec.Struct, frozen=True):
    """One call. Times are wall seconds; `rules` are the positions in the policy that decided."""

    id: str
    caller: str
    callee: str
    source: str
    started: float
    answered: float | None
    policy: str
    rules: tuple[str, ...]
    tags: dict[str, str]
    legs: tuple[LegView, ...]


class RegistrationView(msgspec.Struct, frozen=True):
    """One binding; `expires` in seconds from now."""

    user: str
    contact: str
    expires: int
    source: str
    transport: str
    agent: str
    reachable: bool


class PolicyView(msgspec.Struct, frozen=True):
    """One version of the policy. `since` is the wall time when it was loaded; `calls` are those in progress.

    `percent` of new calls follow it. `state` is in force, on trial, previous (what a rollback leads to), draining, or
    refused: what was read last and has problems, the first of which is `why`.
    """

    hash: str
    name: str
    state: str
    since: float
    percent: int
    calls: int
    why: str = ""


class TrunkView(msgspec.Struct, frozen=True):
    """One trunk. `since` is the wall time of the last change between up and down, `why` empty where all is well.

    `registration` is off, registering, registered, waiting, refused or leaving, `registered_until` wall seconds.
    `calls_ok` were dealt with by the trunk, be it by a refusal; `calls_failed` met silence, a broken transport or 503.
    `latency` is what the last check took, in seconds; `check_why` says why it came to nothing.
    """

    name: str
    uri: str
    state: str
    why: str
    since: float
    registration: str
    registration_why: str
    registered_until: float | None
    channels: int
    limit: int | None
    calls_ok: int
    calls_failed: int
    last_failure: str
    last_failure_at: float | None
    latency: float | None
    check_why: str = ""


class FailureView(msgspec.Struct, frozen=True):
    """An address or an account with failures to authenticate. `since` and `last` are wall seconds.

    `left` is how many seconds it is shut out still, 0 for one that is not; `bans` how often it has been. `others` are
    the first few accounts that an address tried, or addresses that tried an account; `turned_away` is what has come
    since it was shut out.
    """

    who: str
    kind: Literal["address", "account"]
    failures: int
    since: float
    last: float
    bans: int
    left: int
    turned_away: int
    others: tuple[str, ...]


class SecurityView(msgspec.Struct, frozen=True):
    """Who is shut out: addresses, and accounts that let nobody in from where they are not known; and addresses that
    have failed, who failed most first.
    """

    bans: tuple[FailureView, ...]
    closed: tuple[FailureView, ...]
    failing: tuple[FailureView, ...]
    counters: dict[str, int]


_COUNTED: Final = (
    "challenges",
    "authentications_refused",
    "authentications_held",
    "bans",
    "accounts_closed",
    "messages_banned",
    "registers_dropped",
)
_MOST_FAILING: Final = 20


def security_view(door: Door, now: float, wall: float, counters: Mapping[str, int]) -> SecurityView:
    """The door as the operator sees it."""
    ledgers = door.sources, door.accounts
    for ledger in ledgers:
        ledger.prune(now)

    def view(entry: Entry, kind: Literal["address", "account"]) -> FailureView:
        return FailureView(
            who=entry.name,
            kind=kind,
            failures=entry.failures,
            since=wall - now + entry.since,
            last=wall - now + entry.last,
            bans=entry.bans,
            left=max(0, round(entry.until - now)),
            turned_away=entry.turned_away,
            others=tuple(entry.others),
        )

    bans = sorted(door.sources.banned.values(), key=lambda entry: -entry.until)
    closed = sorted(door.accounts.banned.values(), key=lambda entry: -entry.until)
    return SecurityView(
        tuple([view(entry, "address") for entry in bans]),
        tuple([view(entry, "account") for entry in closed]),
        tuple([view(entry, "address") for entry in door.sources.failing()[:_MOST_FAILING]]),
        {name: counters.get(name, 0) for name in _COUNTED},
    )


def trunk_view(line: Line, channels: int, wall: float) -> TrunkView:
    """A trunk that carries so many legs now."""
    trunk, trust, registration = line.gateway.trunk, line.trust, line.registration
    return TrunkView(
        name=trunk.name,
        uri=trunk.uri,
        state=line.state.value,
        why=line.why,
        since=line.since,
        registration=line.registration_state(wall),
        registration_why="" if registration is None else registration.why,
        registered_until=None if registration is None else registration.until,
        channels=channels,
        limit=trunk.channels,
        calls_ok=trust.good,
        calls_failed=trust.bad,
        last_failure=trust.why,
        last_failure_at=trust.failed_at,
        latency=None if line.check is None else line.check.latency,
        check_why="" if line.check is None else line.check.why,
    )


def policy_views(versions: Versions, followed: Sequence[Version]) -> list[PolicyView]:
    """The versions that there are, and those that calls follow: one for each call in `followed`."""
    calls = Counter(version.policy.hash for version in followed)
    on_trial = versions.percent if versions.trial is not None else 0
    known = [(versions.current, "in force", ALL - on_trial)]
    if versions.trial is not None:
        known.append((versions.trial, "on trial", on_trial))
    if versions.previous is not None and all(
        versions.previous.policy.hash != each.policy.hash for each in versions.live
    ):
        known.append((versions.previous, "previous", 0))
    draining = {version.policy.hash: version for version in sorted(followed, key=lambda version: version.since)}
    for version, _, _ in known:
        draining.pop(version.policy.hash, None)
    known += [(version, "draining", 0) for version in reversed(draining.values())]
    return [
        PolicyView(
            hash=version.policy.hash,
            name=version.policy.name,
            state=state,
            since=version.since,
            percent=percent,
            calls=calls[version.policy.hash],
            why=version.why,
        )
        for version, state, percent in known
    ]


def call_view(call: Call, legs: list[Leg]) -> CallView:
    """A call with those of its legs that are left."""
    return CallView(
        id=call.id,
        caller=call.caller,
        callee=call.callee,
        source=call.source,
        started=call.incoming.started_at,
        answered=call.incoming.answered_at,
        policy=call.inquiry.policy.hash,
        rules=call.rules,
        tags=call.tags,
        legs=tuple(_leg_view(call, leg) for leg in sorted(legs, key=lambda leg: leg.number)),
    )


def _leg_view(call: Call, leg: Leg) -> LegView:
    party = leg.destination.party if isinstance(leg, OutgoingLeg) else call.party(leg).name or ""
    return LegView(leg.number, party, leg.state.value, leg.dialog.call_id)


def registration_view(binding: Binding, wall: float) -> RegistrationView:
    """A binding as the operator sees it."""
    flow = binding.flow
    remote = binding.source or flow.remote
    host = f"[{remote}]" if ":" in remote else remote
    return RegistrationView(
        user=binding.aor,
        contact=binding.contact,
        expires=max(0, int(binding.expires_at - wall)),
        source=host if binding.source else f"{host}:{flow.remote_port}",
        transport=flow.transport.lower(),
        agent=binding.agent or "",
        reachable=binding.reachable,
    )
