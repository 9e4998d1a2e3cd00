"""What goes wrong in a run: one kind of trouble per seed in turn, how much of it drawn from the seed."""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

from .link import Faults

MANY_PORTS = 400
KINDS = (
    "clean",
    "lossy",
    "reordered",
    "slow store",
    "failing store",
    "gone",
    "silent",
    "streams",
    "malformed",
    "reload",
    "drain",
    "everything",
)


class Profile(msgspec.Struct, frozen=True):
    """The troubles of one run.

    `store_fails` and `names_fail` are probabilities per request, `store_delay` seconds; `silent` and `gone` count the
    parties that die in the middle of the run, the latter with their host saying so (ICMP, closed streams); `closings`
    counts how often a living phone's stream is closed; `malformed` counts datagrams from a stranger. `reloads` and
    `drains` name the time of it in seconds. Media goes that `way`, through so many `ports` at most, 0 without any media
    process; `media_down` says when that dies, and is there again.
    """

    kind: str
    faults: Faults = Faults()
    store_delay: tuple[float, float] = (0.001, 0.05)
    store_fails: float = 0.0
    names_fail: float = 0.0
    silent: int = 0
    gone: int = 0
    closings: int = 0
    malformed: int = 0
    way: Literal["auto", "relay", "direct"] = "auto"
    ports: int = 0
    media_down: tuple[tuple[float, float], ...] = ()
    reloads: float | None = None
    drains: float | None = None


def profile_of(seed: int, draw: Random) -> Profile:
    """The profile of that seed."""
    trouble = _trouble(seed, draw)
    ways: tuple[Literal["auto", "relay", "direct"], ...] = ("auto", "relay", "direct")
    way, ports = draw.choice(ways), draw.choice((0, 12, MANY_PORTS, MANY_PORTS, MANY_PORTS, MANY_PORTS))
    # Without ports nothing can be relayed.
    way = "auto" if way == "relay" and not ports else way
    falls = sorted(draw.uniform(15.0, 130.0) for _ in range(draw.choice((0, 0, 1, 2)) if ports else 0))
    down = tuple((fall, fall + draw.uniform(0.1, 8.0)) for fall in falls)
    return msgspec.structs.replace(trouble, way=way, ports=ports, media_down=down)


def _trouble(seed: int, draw: Random) -> Profile:
    kind = KINDS[seed % len(KINDS)]
    lossy = Faults(loss=draw.uniform(0.05, 0.2), twice=draw.uniform(0.0, 0.1), delay=(0.001, 0.08))
    match kind:
        case "lossy":
            return Profile(kind, faults=lossy)
        case "reordered":
            late = Faults(delay=(0.001, 0.3), late=draw.uniform(0.1, 0.4), lateness=1.5, twice=0.1)
            return Profile(kind, faults=late)
        case "slow store":
            return Profile(kind, store_delay=(0.2, 8.0))
        case "failing store":
            return Profile(kind, store_fails=draw.uniform(0.2, 1.0), names_fail=0.3)
        case "gone":
            return Profile(kind, gone=3)
        case "silent":
            return Profile(kind, silent=3)
        case "streams":
            return Profile(kind, closings=12)
        case "malformed":
            return Profile(kind, malformed=60)
        case "reload":
            return Profile(kind, reloads=draw.uniform(10.0, 90.0))
        case "drain":
            return Profile(kind, drains=draw.uniform(40.0, 120.0))
        case "everything":
            faults = Faults(loss=0.1, twice=0.05, delay=(0.001, 0.2), late=0.1, lateness=1.0)
            times = draw.uniform(10.0, 90.0), draw.uniform(100.0, 130.0)
            return Profile(kind, faults, (0.001, 2.0), 0.1, 0.1, 1, 1, 2, 30, *times)
        case _:
            return Profile(kind)
