"""What has been asked of the shell and not been answered yet."""

from __future__ import annotations

from typing import Protocol

from b2bua.effects import Answer


class Waiter(Protocol):
    """Whoever asked."""

    def resolved(self, answer: Answer) -> None:
        """The answer came."""


class Pending:
    """The open questions of one core. An answer to one that is not open is dropped."""

    def __init__(self) -> None:
        self._waiters: dict[int, Waiter] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._waiters)

    def ask(self, waiter: Waiter) -> int:
        """An id for a question of this waiter's."""
        self._last += 1
        self._waiters[self._last] = waiter
        return self._last

    def forget(self, waiter: Waiter) -> None:
        """A waiter's patience is over: an answer that comes now is dropped."""
        self._waiters = {id: other for id, other in self._waiters.items() if other is not waiter}

    def answered(self, id: int, answer: Answer) -> None:
        """Hand an answer to whoever waits for it."""
        waiter = self._waiters.pop(id, None)
        if waiter is not None:
            waiter.resolved(answer)
