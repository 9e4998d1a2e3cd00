"""Random numbers for the core: tags, branches, Call-IDs (RFC 3261 19.3 asks for 32 bits at least; these have 64)."""

from __future__ import annotations

import os

_IDS = 512
_OCTETS = 8


class Ids:
    """16 random hexadecimal digits a call. The system's randomness is fetched for many at a time."""

    def __init__(self) -> None:
        self._left: list[str] = []

    def __call__(self) -> str:
        """One that nobody can guess."""
        if not self._left:
            text = os.urandom(_IDS * _OCTETS).hex()
            self._left = [text[begun : begun + 2 * _OCTETS] for begun in range(0, len(text), 2 * _OCTETS)]
        return self._left.pop()
