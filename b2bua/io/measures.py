"""How the server is, in numbers, for whoever watches over it: taken at one moment, cheap enough for every few seconds.

Owns which there are. Their names for Prometheus are for `b2bua.operator.desk.metrics`.
"""

from __future__ import annotations

import msgspec

from b2bua.core import PolicyView, TrunkView
from b2bua.io.histogram import Shown
from b2bua.io.tally import Counted


class Waiting(msgspec.Struct, frozen=True):
    """What waits to be written; `failing` says why the last write failed, and is empty when it did not."""

    records: int
    decisions: int
    failing: str


class Expiry(msgspec.Struct, frozen=True):
    """A certificate's file, and when it ends (wall seconds)."""

    file: str
    expires: float


class Measures(msgspec.Struct, frozen=True):
    """All of them. `started` is in wall seconds; `users` are those with at least one of the `bindings`.

    `sizes`, `counters` and `media` are as `b2bua show status` has them. `lag` is the event loop's.
    """

    version: str
    pid: int
    media_pid: int | None
    started: float
    draining: bool
    users: int
    bindings: int
    sizes: dict[str, int]
    counters: dict[str, int]
    media: dict[str, int]
    trunks: list[TrunkView]
    policies: list[PolicyView]
    calls: Counted
    lag: Shown
    store: Waiting
    certificates: list[Expiry]
