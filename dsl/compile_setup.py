"""What a policy declares, ready for its rules: users, nets, sounds, hours, limits, tables and trunks by name.

Owns the shapes that compiled rules and the engine use. Reading the files behind them, with their problems, is
`compile_files`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from dsl.hours import Hours
from dsl.hunt_groups import HuntGroup
from dsl.networks import Network
from dsl.number_sets import NumberSet
from dsl.numbers import Format, NumberPlan
from dsl.patterns import Pattern
from dsl.secrets_file import Secret
from dsl.sounds import Sound
from dsl.tables import Table
from dsl.users import Directory

From: TypeAlias = Literal["caller", "account"]


_SOS = ("urn:service:sos", "service:sos")


class Limit(msgspec.Struct, frozen=True):
    """So many in a sliding window of `per` seconds, or at once (None), for each value of `each` or in all.

    `own` has the number for users who have one of their own.
    """

    name: str
    count: int
    per: float | None = None
    each: str | None = None
    own: dict[str, int] = {}

    def most(self, key: str) -> int:
        """How many there can be for this key."""
        return self.own.get(key, self.count)


class Trunk(msgspec.Struct, frozen=True):
    """A way out of the house. Absent settings are None; `check` and `progress` are seconds.

    `account` is our name there, `registers` whether we keep ourselves registered; `number` is the form in
    which it wants numbers; `allow` is None where any number may be dialled; `transit` gives the reason
    why its calls may leave through other trunks.
    """

    name: str
    uri: str
    peers: tuple[Network, ...] = ()
    account: str | None = None
    secret: Secret | None = None
    registers: bool = False
    check: float | None = None
    number: Format = "as-dialed"
    from_: From = "caller"
    caller_id: str | None = None
    allow: tuple[Pattern, ...] | None = None
    channels: int | None = None
    failover: frozenset[int] = frozenset()
    progress: float | None = None
    trusted: bool = False
    transit: str | None = None


class Setup(msgspec.Struct, frozen=True):
    """Everything that the rules refer to. `groups` are the users of each name, `hunt_groups` how groups are called,
    `trunk_groups` which trunks are tried for one name.
    """

    directory: Directory = Directory({}, {})
    plan: NumberPlan = NumberPlan()
    zone: ZoneInfo = ZoneInfo("UTC")
    domains: tuple[str, ...] = ()
    emergency: frozenset[str] = frozenset()
    groups: dict[str, frozenset[str]] = {}
    hunt_groups: dict[str, HuntGroup] = {}
    trunk_groups: dict[str, HuntGroup] = {}
    numbers: dict[str, NumberSet] = {}
    nets: dict[str, tuple[Network, ...]] = {}
    sounds: dict[str, Sound] = {}
    hours: dict[str, Hours] = {}
    limits: dict[str, Limit] = {}
    tables: dict[str, Table] = {}
    trunks: dict[str, Trunk] = {}
    callees: dict[str, str] = {}

    def is_emergency(self, dialed: str | None) -> bool:
        """Whether what was dialled reaches an emergency service (RFC 5031 for its URN)."""
        if dialed is None:
            return False
        return dialed in self.emergency or (":" in dialed and dialed.startswith(_SOS))
