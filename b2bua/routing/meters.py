"""What the policy may ask of the present moment, and what is counted for it.

Owns limits (sliding windows and totals), channels of trunks, turns of groups, and who is in a call. Leaves to the
policy which of them a decision needs, to calls to give back what they took, and to `trunk` which trunks take calls.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from b2bua.routing.versions import Version
from dsl.compile_setup import Limit

_MOST_KEYS: Final = 100_000


class Witness(Protocol):
    """One call through a trunk, to be told once how it went."""

    def succeeded(self) -> None:
        """The trunk dealt with it."""

    def failed(self, why: str) -> None:
        """It met silence, a broken transport, or 503."""

    def left(self) -> None:
        """It ended before the trunk could show anything."""


class Lines(Protocol):
    """Who knows which trunks take calls: all that are not `barred`. `witnesses` are told how calls went."""

    barred: set[str]
    witnesses: dict[str, Witness]

    def why(self, trunk: str) -> str:
        """Why not."""

    def witness(self, trunk: str) -> Witness | None:
        """Whom a call tells that goes to a trunk without one of the `witnesses`."""


class Meters:
    """Counters of one server; they outlive a reload. `registered` asks the registrar for a user's bindings."""

    def __init__(self, registered: Callable[[str], bool], lines: Lines) -> None:
        self.registered = registered
        self.lines = lines
        self.barred = lines.barred
        self._witnesses = lines.witnesses
        self._windows: dict[tuple[str, str], deque[float]] = {}
        self._totals: dict[tuple[str, str], int] = {}
        self._channels: dict[str, int] = {}
        self._in_calls: dict[str, int] = {}
        self._turns: dict[str, int] = {}

    def over(self, limit: Limit, key: str, now: float) -> bool:
        """Whether one more would pass the limit for this key."""
        if limit.per is None:
            return self._totals.get((limit.name, key), 0) >= limit.most(key)
        window = self._windows.get((limit.name, key))
        if window is None:
            return False
        while window and window[0] <= now - limit.per:
            window.popleft()
        return len(window) >= limit.most(key)

    def take(self, limit: Limit, key: str, now: float) -> bool:
        """Count one; True when it has to be given back at the call's end."""
        slot = (limit.name, key)
        if limit.per is None:
            self._totals[slot] = self._totals.get(slot, 0) + 1
            return True
        window = self._windows.pop(slot, None)
        if window is None:
            window = deque()
            if len(self._windows) >= _MOST_KEYS:
                del self._windows[next(iter(self._windows))]
        window.append(now)
        self._windows[slot] = window
        return False

    def give_back(self, name: str, key: str) -> None:
        """A call that took one of a total is over."""
        _lower(self._totals, (name, key))

    def used(self, limit: Limit, now: float) -> dict[str, int]:
        """How much of the limit each key has used that has used any."""
        name = limit.name
        if limit.per is None:
            return {key: count for (of, key), count in self._totals.items() if of == name}
        since = now - limit.per
        counts = {key: sum(at > since for at in window) for (of, key), window in self._windows.items() if of == name}
        return {key: count for key, count in counts.items() if count}

    def turn(self, group: str) -> int:
        """How often a group was called in turn."""
        return self._turns.get(group, 0)

    def take_turn(self, group: str) -> None:
        """A group is called in turn."""
        self._turns[group] = self._turns.get(group, 0) + 1

    def channels(self, trunk: str) -> int:
        """How many legs a trunk carries."""
        return self._channels.get(trunk, 0)

    def all_channels(self) -> dict[str, int]:
        """How many legs each trunk carries that carries any."""
        return self._channels

    def take_channel(self, trunk: str, apart: bool) -> Witness | None:
        """A leg through this trunk begins, whoever called. Gives whom to tell how it went: nobody, if it is `apart`
        from the one known by its name, or if the trunk called.
        """
        self._channels[trunk] = self._channels.get(trunk, 0) + 1
        if apart:
            return None
        witness = self._witnesses.get(trunk)
        return self.lines.witness(trunk) if witness is None else witness

    def free_channel(self, trunk: str) -> None:
        """A leg through this trunk is over."""
        _lower(self._channels, trunk)

    def busy(self, user: str) -> bool:
        """Whether a user is in a call."""
        return user in self._in_calls

    def calls_of(self, user: str) -> int:
        """How many calls a user is in."""
        return self._in_calls.get(user, 0)

    def enter_call(self, user: str) -> None:
        """A user has a call."""
        self._in_calls[user] = self._in_calls.get(user, 0) + 1

    def leave_call(self, user: str) -> None:
        """A user's call is over."""
        _lower(self._in_calls, user)


class Moment:
    """The meters as one version of the policy sees them at one time, and chance: what the language calls ambient facts.

    `call` is the Call-ID.
    """

    __slots__ = ("_call", "_meters", "_now", "_version")

    def __init__(self, version: Version, meters: Meters, now: float, call: str) -> None:
        self._version = version
        self._call = call
        self._meters = meters
        self._now = now

    def registered(self, user: str) -> bool:
        """Whether a user has a binding."""
        return self._meters.registered(user)

    def busy(self, user: str) -> bool:
        """Whether a user is in a call."""
        return self._meters.busy(user)

    def over(self, limit: str, key: str) -> bool:
        """Whether one more would pass that limit for that key."""
        return self._meters.over(self._version.policy.limits[limit], key, self._now)

    def up(self, trunk: str) -> bool:
        """Whether a trunk takes calls."""
        version = self._version
        return trunk in version.gateways and (trunk not in self._meters.barred or trunk in version.apart)

    def full(self, trunk: str) -> bool:
        """Whether all channels of a trunk are taken."""
        channels = self._version.policy.trunks[trunk].channels
        return channels is not None and self._meters.channels(trunk) >= channels

    def turn(self, group: str) -> int:
        """How often a group was called in turn before."""
        return self._meters.turn(group)

    def draw(self, group: str) -> float:
        """What chance says of a group's order, by the Call-ID: whoever asks again hears the same."""
        digest = hashlib.blake2b(f"{group} {self._call}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def _lower(counts: dict[Any, int], key: Any) -> None:
    left = counts.get(key, 0) - 1
    if left > 0:
        counts[key] = left
    else:
        counts.pop(key, None)
