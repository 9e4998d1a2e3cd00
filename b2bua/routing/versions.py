"""The versions of the policy that calls follow: one in force, one on trial beside it, and the one before.

Owns which of them a new request follows, and when one takes another's place. On trial a version has the requests of so
many percent of all Call-IDs, by their hash: a request that is repeated with credentials and a phone's refreshes stay
with the version that they had, and a wider trial takes in what a narrower one did. Leaves trunks and accounts to
whoever keeps them, and versions that only calls still follow to those calls: nothing here knows them any more.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias
from zlib import crc32

from b2bua.dialog.dialog import is_address
from b2bua.routing.gateways import gateways_of
from dsl.policy import Policy

Taken: TypeAlias = Literal["unchanged", "trial", "force"]
"""What has become of a policy that was loaded: nothing new, on trial, or in force."""

ALL: Final = 100
"""Percent."""


class Version:
    """A policy, with what is worked out from it once.

    `since` is when it was loaded, `ends` when calls that still follow it leave it for the one in force, both in wall
    seconds; `why` says why it takes no new calls. `fixed` has the trunk of each address that is written in a trunk's
    URI, `named` each trunk whose URI has a name, with that URI. `apart` are the trunks that are elsewhere, or known by
    another account, than those of the same name whose state is known.
    """

    __slots__ = ("among", "apart", "ends", "fixed", "gateways", "named", "policy", "since", "why")

    def __init__(self, among: Versions, policy: Policy, since: float) -> None:
        self.among = among
        self.since = since
        self.ends = math.inf
        self.why = ""
        self.apart: frozenset[str] = frozenset()
        self.read(policy)

    def read(self, policy: Policy) -> None:
        """The same version was loaded again, maybe with other passwords. PeerError for a trunk's URI that is none."""
        self.gateways = gateways = gateways_of(policy)
        self.policy = policy
        self.fixed: dict[str, str] = {}
        named = []
        for name, gateway in gateways.items():
            host = gateway.hop.uri.host
            if is_address(host):
                self.fixed.setdefault(host, name)
            else:
                named.append((name, gateway.trunk.uri))
        self.named = tuple(named)


class Versions:
    """Those that new requests follow. `max_age` is how long a call may follow one that is replaced, in seconds."""

    def __init__(self, policy: Policy, max_age: float, wall: float) -> None:
        self._max_age = max_age
        self.current = Version(self, policy, wall)
        self.trial: Version | None = None
        self.percent = ALL
        self.previous: Version | None = None

    @property
    def live(self) -> tuple[Version, ...]:
        """Those that new requests follow, the one in force first."""
        return (self.current,) if self.trial is None else (self.current, self.trial)

    @property
    def kept(self) -> tuple[Version, ...]:
        """Those, and the one that can be gone back to."""
        return self.live if self.previous is None else (*self.live, self.previous)

    def of(self, call_id: str) -> Version:
        """The version for a request that belongs to no call."""
        trial = self.trial
        if trial is not None and crc32(call_id.encode(errors="surrogateescape")) % ALL < self.percent:
            return trial
        return self.current

    def take(self, policy: Policy, percent: int, wall: float) -> Taken:
        """A policy was loaded, for so many `percent` of new calls. PeerError for one whose trunks cannot be used.

        That of the version in force ends a trial. One that is on trial already, or another, is from now on for so many.
        """
        trial = self.trial
        if policy.hash == self.current.policy.hash:
            self.current.read(policy)
            self._end_trial(wall, "taken back")
            return "unchanged"
        if trial is not None and policy.hash == trial.policy.hash:
            trial.read(policy)
        else:
            fresh = Version(self, policy, wall)
            self._end_trial(wall, f"replaced by {policy.hash}")
            trial = fresh
        if percent < ALL:
            self.trial, self.percent = trial, percent
            return "trial"
        self.trial, self.percent = None, ALL
        self.previous, self.current = self.current, trial
        self._retire(self.previous, wall, f"replaced by {policy.hash}")
        return "force"

    def back(self, wall: float) -> Version:
        """Take the last step back: end the trial, else let the version before be in force again. Gives what is left.

        Raises KeyError when there is neither.
        """
        given_up = self.trial
        if given_up is not None:
            self._end_trial(wall, "rolled back")
            return given_up
        if self.previous is None:
            raise KeyError("no version before")
        given_up, self.current, self.previous = self.current, self.previous, None
        self.current.ends, self.current.why = math.inf, ""
        self._retire(given_up, wall, "rolled back")
        return given_up

    def _end_trial(self, wall: float, why: str) -> None:
        if self.trial is not None:
            self._retire(self.trial, wall, why)
        self.trial, self.percent = None, ALL

    def _retire(self, version: Version, wall: float, why: str) -> None:
        version.ends, version.why = wall + self._max_age, why
