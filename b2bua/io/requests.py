"""What an operator may ask of a running server, as its control socket carries it: one line of JSON each way.

The values alone: `control` serves them, `b2bua.operator` asks them.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

CONTROL = "control.sock"
"""The socket's name in the state directory."""


class ShowCalls(msgspec.Struct, frozen=True, tag="show-calls", tag_field="do"):
    """All calls, as `b2bua.core.CallView`."""


class WatchCalls(msgspec.Struct, frozen=True, tag="watch-calls", tag_field="do"):
    """The calls that have begun or were answered at a wall time `since` then, and those of these ids that go on.

    As `{"now": wall seconds, "calls": [b2bua.core.CallView...]}`: `now` is what `since` should be the next time.
    """

    since: float
    calls: tuple[str, ...] = ()


class ShowRegistrations(msgspec.Struct, frozen=True, tag="show-registrations", tag_field="do"):
    """All bindings, as `b2bua.core.RegistrationView`."""


class ShowTrunks(msgspec.Struct, frozen=True, tag="show-trunks", tag_field="do"):
    """All trunks, as `b2bua.core.TrunkView`."""


class ShowStatus(msgspec.Struct, frozen=True, tag="show-status", tag_field="do"):
    """How the server is: its policy, addresses, sizes and counters."""


class ShowUsers(msgspec.Struct, frozen=True, tag="show-users", tag_field="do"):
    """All accounts, as `b2bua.core.UserView`."""


class ShowLimits(msgspec.Struct, frozen=True, tag="show-limits", tag_field="do"):
    """All limits of the policy in force, as `b2bua.core.LimitView`."""


class ShowTransports(msgspec.Struct, frozen=True, tag="show-transports", tag_field="do"):
    """All listen addresses, as `b2bua.io.traffic.TransportView`."""


class ShowUser(msgspec.Struct, frozen=True, tag="show-user", tag_field="do"):
    """One account, as `b2bua.core.UserDetail`."""

    name: str


class ShowTrunk(msgspec.Struct, frozen=True, tag="show-trunk", tag_field="do"):
    """One trunk, as `b2bua.core.TrunkDetail`."""

    name: str


class Measure(msgspec.Struct, frozen=True, tag="measure", tag_field="do"):
    """The same in numbers, as `b2bua.io.measures.Measures`."""


class HangUp(msgspec.Struct, frozen=True, tag="hangup", tag_field="do"):
    """End the call with this id."""

    call: str


class SwitchTrunk(msgspec.Struct, frozen=True, tag="trunk", tag_field="do"):
    """Let no new calls go to a trunk or come from there, or let them again."""

    trunk: str
    disable: bool


class ShowPolicies(msgspec.Struct, frozen=True, tag="show-policies", tag_field="do"):
    """All versions of the policy, as `b2bua.core.PolicyView`."""


class ShowSecurity(msgspec.Struct, frozen=True, tag="show-security", tag_field="do"):
    """Who is shut out, as `b2bua.core.SecurityView`."""


class Unban(msgspec.Struct, frozen=True, tag="unban", tag_field="do"):
    """Let an address or an account in again, and forget what it did."""

    who: str


class Reload(msgspec.Struct, frozen=True, tag="reload", tag_field="do"):
    """Read the policy again and let so many percent of new calls follow it."""

    percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100


class RollBack(msgspec.Struct, frozen=True, tag="rollback", tag_field="do"):
    """Let new calls follow the version before."""


class Explain(msgspec.Struct, frozen=True, tag="explain", tag_field="do"):
    """What these sentences would lead to now, as `b2bua.io.explaining.Answer`: each with what it is called in problems,
    and its line there.
    """

    sentences: tuple[tuple[str, str, int], ...]


class ShowTape(msgspec.Struct, frozen=True, tag="tape", tag_field="do"):
    """The messages so far of a call in progress: its `call`, how many were `left_out`, and `messages`, each as the list
    that `b2bua.tape.Kept` is in JSON, its octets in Base64 (RFC 4648 section 4).
    """

    call: str


Request: TypeAlias = (
    ShowCalls
    | WatchCalls
    | ShowRegistrations
    | ShowTrunks
    | ShowStatus
    | ShowPolicies
    | ShowSecurity
    | Unban
    | ShowUsers
    | ShowLimits
    | ShowTransports
    | ShowUser
    | ShowTrunk
    | Measure
    | HangUp
    | SwitchTrunk
    | Reload
    | RollBack
    | Explain
    | ShowTape
)


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """What was asked for was not done; the text says why, in as many lines as it takes."""
