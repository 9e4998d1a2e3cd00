"""Which accounts have shown the right password at which addresses lately.

They are who must not suffer when somebody else guesses: neither from a ban of their address nor when their account is
closed. Owns remembering them within a bound. Pure: `now` (monotonic seconds) is an argument.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

KNOWN_SECONDS: Final = 86_400.0
"""For so long after its last right password an account counts as known at an address."""

FORGIVEN_WRONG: Final = 2
"""So many wrong passwords after the last right one, an account is still known at its address."""

_CAPACITY: Final = 100_000


class _Pair:
    """An account at an address: when it was `right` last, in monotonic seconds, and how often `wrong` since."""

    __slots__ = ("right", "wrong")

    def __init__(self, right: float) -> None:
        self.right = right
        self.wrong = 0


class Known:
    """Accounts by address."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()
        self._at: dict[str, int] = {}

    def right(self, address: str, account: str, now: float) -> None:
        """The account showed its password there."""
        key = (address, account)
        pair = self._pairs.get(key)
        if pair is not None:
            pair.right = now
            pair.wrong = 0
            self._pairs.move_to_end(key)
            return
        self._pairs[key] = _Pair(now)
        self._at[address] = self._at.get(address, 0) + 1
        if len(self._pairs) > self._capacity:
            self._forget(next(iter(self._pairs)))

    def wrong(self, address: str, account: str) -> None:
        """Somebody showed a wrong password of this account there; often enough, and it is not known there any more."""
        pair = self._pairs.get((address, account))
        if pair is not None:
            pair.wrong += 1
            if pair.wrong > FORGIVEN_WRONG:
                self._forget((address, account))

    def has(self, address: str, account: str, now: float) -> bool:
        """Whether the account is known there."""
        pair = self._pairs.get((address, account))
        return pair is not None and now - pair.right < KNOWN_SECONDS

    def anybody(self, address: str, now: float) -> bool:
        """Whether any account is known there."""
        while self._pairs:
            key = next(iter(self._pairs))
            if now - self._pairs[key].right < KNOWN_SECONDS:
                break
            self._forget(key)
        return address in self._at

    def _forget(self, key: tuple[str, str]) -> None:
        del self._pairs[key]
        left = self._at[key[0]] - 1
        if left:
            self._at[key[0]] = left
        else:
            del self._at[key[0]]
