"""Targets that failed: each is passed over for a while, and then tried again (RFC 3263 section 4.3).

Owns for how long, and what that means for an order of addresses. Bounded: what failed the longest ago is forgotten.
Leaves what counts as a failure to whoever sent something there.
"""

from __future__ import annotations

from typing import Final

from b2bua.effects import Address, Log, Resolved
from b2bua.transaction.turn import Turn
from b2bua.values import Frozen

FIRST_SECONDS: Final = 30.0
"""After a first failure; each further one in a row doubles it."""

LONGEST_SECONDS: Final = 300.0
"""So long at most: what is back is in use five minutes later."""

LONGEST_ASKED: Final = 3600.0
"""And so long, where the target itself asked for it (Retry-After, RFC 3261 20.33)."""

MOST_FAILED: Final = 4096
"""Failures remembered."""


class Failure(Frozen):
    """A target is passed over until `until`, in monotonic seconds; the last wait was `wait` seconds."""

    until: float
    wait: float


class Failures:
    """The targets that failed and have not succeeded since."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._failed: dict[Address, Failure] = {}

    def failed(self, address: Address, why: str, retry_after: float | None) -> None:
        """Pass this address over from now on. One that is passed over already waits no longer for failing again."""
        turn = self._turn
        now = turn.now
        old = self._failed.pop(address, None)
        turn.count("targets_failed")
        if retry_after is not None:
            wait = min(max(retry_after, 1.0), LONGEST_ASKED)
        elif old is None:
            wait = FIRST_SECONDS
        elif now < old.until:
            self._failed[address] = old
            return
        else:
            wait = min(2 * old.wait, LONGEST_SECONDS)
        self._failed[address] = Failure(now + wait, wait)
        if len(self._failed) > MOST_FAILED:
            del self._failed[next(iter(self._failed))]
        fields: dict[str, object] = {"address": shown(address), "why": why, "seconds": wait}
        turn.effects.append(Log("warning", "target passed over", fields))

    def succeeded(self, address: Address) -> None:
        """Pass this address over no longer."""
        if self._failed and self._failed.pop(address, None) is not None:
            self._turn.effects.append(Log("info", "target back", {"address": shown(address)}))

    def arranged(self, addresses: tuple[Address, ...]) -> Resolved:
        """Those that failed come last; when all did, the one due soonest is tried first."""
        failed = self._failed
        if not failed or len(addresses) == 1:
            return Resolved(addresses)
        now = self._turn.now
        due = {address: failed[address].until for address in addresses if address in failed}
        good = [address for address in addresses if due.get(address, now) <= now]
        bad = sorted([address for address in addresses if due.get(address, now) > now], key=due.__getitem__)
        if good and bad:
            self._turn.count("targets_passed_over")
        return Resolved((*good, *bad), len(bad) if good else 0)

    def passed_over(self) -> dict[str, float]:
        """Which targets are passed over now, and for how many seconds more."""
        now = self._turn.now
        return {shown(at): round(failure.until - now, 3) for at, failure in self._failed.items() if failure.until > now}


def shown(address: Address) -> str:
    """An address as an operator reads it: `udp:192.0.2.1:5060`."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{address.transport.lower()}:{host}:{address.port}"
