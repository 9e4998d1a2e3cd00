"""Nonces that carry their own proof, and how often each has been used (RFC 7616 3.3 and 5.4).

A nonce is the second it was made, 64 random bits, the mark of whom it was given to, and a keyed hash of these
(BLAKE2b, RFC 7693), all in hexadecimal: making one keeps nothing. Only a nonce that has proved a password once is
remembered, with its highest count, so nobody without an account can fill the table. Whoever answers a nonce that was
given to an address has received it there: a datagram's source, which anybody can forge, is proved by it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

_TIME: Final = 10
_RANDOM = 16
_MARK: Final = 8
_PROOF: Final = 32
_LENGTH: Final = _TIME + _RANDOM + _MARK + _PROOF

SKEW: Final = 5.0
"""Seconds by which a nonce may seem to come from the future after the wall clock was set back."""


class Nonces:
    """Makes nonces and tells whether one is ours, fresh and not replayed."""

    def __init__(self, key: bytes, realm: str, lifetime: float, capacity: int) -> None:
        """`lifetime` in seconds; `capacity` is how many used nonces are remembered."""
        self._key = blake2b(b"nonce " + realm.encode(), key=key, digest_size=32).digest()
        self._marking = blake2b(b"mark " + realm.encode(), key=key, digest_size=32).digest()
        self._lifetime = lifetime
        self._capacity = capacity
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._forgotten = float("-inf")

    def make(self, wall: float, draw: Callable[[], str], address: str) -> str:
        """A new nonce for whoever is at this address. `draw` gives 16 random hexadecimal digits."""
        body = f"{int(wall):0{_TIME}x}{draw()}"
        body += self._mark(body, address)
        return body + self._proof(body)

    def fresh(self, nonce: str, count: int, wall: float, address: str | None) -> bool:
        """Whether `count` may be used with this nonce now, by whoever is at this address; None: wherever that is.

        Where some nonces had to be forgotten, none of their age or older is taken that is not known: a replay never
        passes, at worst a phone is challenged once more.
        """
        made = self._made(nonce)
        if made is None or not wall - self._lifetime <= made <= wall + SKEW:
            return False
        if address is not None:
            end = _TIME + _RANDOM
            if not compare_digest(self._mark(nonce[:end], address), nonce[end : end + _MARK]):
                return False
        used = self._counts.get(nonce)
        return made > self._forgotten if used is None else count > used

    def spend(self, nonce: str, count: int, wall: float) -> None:
        """A fresh nonce has proved a password: neither this count nor a lower one can be used with it again."""
        if nonce in self._counts:
            self._counts[nonce] = count
        else:
            self._remember(nonce, count, wall)

    def __len__(self) -> int:
        return len(self._counts)

    def _remember(self, nonce: str, count: int, wall: float) -> None:
        self._counts[nonce] = count
        for _ in range(2):
            first = next(iter(self._counts))
            made = _time(first)
            expired = made < wall - self._lifetime
            if not expired and len(self._counts) <= self._capacity:
                return
            if not expired:
                self._forgotten = max(self._forgotten, made)
            del self._counts[first]

    def _made(self, nonce: str) -> float | None:
        """When one of ours was made; None when it is not ours."""
        if len(nonce) != _LENGTH or not nonce.isascii():
            return None
        body = nonce[:-_PROOF]
        if not compare_digest(self._proof(body), nonce[-_PROOF:]):
            return None
        return _time(nonce)

    def _mark(self, body: str, address: str) -> str:
        return blake2b(f"{body}{address}".encode(), key=self._marking, digest_size=_MARK // 2).hexdigest()

    def _proof(self, body: str) -> str:
        return blake2b(body.encode(), key=self._key, digest_size=_PROOF // 2).hexdigest()


def _time(nonce: str) -> float:
    return float(int(nonce[:_TIME], 16))
