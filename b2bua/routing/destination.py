"""Where a leg goes, and as whom: what routing hands to a call for each party that it dials."""

from __future__ import annotations

import msgspec

from b2bua.dialog.hops import Hop
from b2bua.effects import Flow


class Account(msgspec.Struct, frozen=True, gc=False):
    """What answers a trunk's challenges, from that trunk's own addresses only."""

    username: str
    password: str


class Destination(msgspec.Struct, frozen=True, gc=False):
    """One INVITE to send.

    `uri` is the Request-URI; `party` who it is for the record; `hop` where it is sent, unless `flow` binds it to the
    way by which a phone registered (RFC 3261 10, RFC 5626). `from_` and `to` are header values without tags; `routes`
    a Path (RFC 3327). `source` is the address that a phone of ours registered from, None where that is not known to be
    its own. `headers` are added, with what routing knows: identity, Diversion, History-Info. `spare` is another flow
    to the same phone, for when this one has failed (RFC 5626 5.3).
    """

    uri: str
    party: str
    hop: Hop
    from_: str
    to: str
    flow: Flow | None = None
    routes: tuple[str, ...] = ()
    trunk: str | None = None
    account: Account | None = None
    source: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    spare: Destination | None = None


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Why a party cannot be dialled at all: `unreachable` or `failure`: the outcomes of a dial. The caller may be told
    more about it in `headers`.
    """

    kind: str
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
