"""What is known of names: the cache of the resolver, as a table (RFC 3263, RFC 2308, RFC 8767).

Owns for how long what DNS said holds, with bounds above and below, and that it serves for a day more while no name
server answers. Leaves asking to `names`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from b2bua.effects import Found, Target, Transport
from b2bua.values import Frozen

SHORTEST_LIFE: Final = 1.0
"""In seconds: a name is not asked more often."""

LONGEST_LIFE: Final = 3600.0
"""Nothing that DNS says is believed for longer."""

LONGEST_DOUBT: Final = 30.0
"""Nor for longer than that, where half of what was asked had no answer."""

SHORTEST_DENIAL: Final = 5.0
"""For so long at least, a name that has no servers is not asked again."""

LONGEST_DENIAL: Final = 300.0
"""And for so long at most: what an operator has just entered is soon found."""

RECHECK_SECONDS: Final = 30.0
"""While no name server answers, they are asked no more often about a name that is known (RFC 8767 5)."""

STALE_SECONDS: Final = 86_400.0
"""After its life, for so long an answer serves while nobody gives a newer one."""

MOST_NAMES: Final = 4096
"""Answers kept; beyond, the one is forgotten that was not asked for the longest."""

_REFRESHED_AFTER: Final = 0.9

Question: TypeAlias = tuple[str, int | None, Transport | None, bool]
"""A host as a URI gives it: its name, its port, the transport that it asks for, and whether only TLS will do."""


class Known(Frozen):
    """The servers of a name, or why there are none. Times are monotonic seconds: from `refresh_at` on DNS is asked
    again by the way, until `until` nobody waits for that, and until `last` this serves if nothing newer comes.

    `unanswered` is whether the last look-up had no answer, `doubtful` whether it had only half of one.
    """

    targets: tuple[Target, ...]
    reason: str
    refresh_at: float
    until: float
    last: float
    unanswered: bool = False
    doubtful: bool = False


class Cache:
    """What DNS said, by question."""

    def __init__(self) -> None:
        self._known: dict[Question, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, question: Question) -> Known | None:
        """What is known, perhaps no longer true; from now on it is the one that was asked for last."""
        known = self._known.pop(question, None)
        if known is not None:
            self._known[question] = known
        return known

    def learn(self, question: Question, found: Found, now: float) -> Known:
        """DNS answered. Half an answer does not replace a whole one that may still serve."""
        old = self._known.get(question)
        if found.doubtful and old is not None and old.targets and not old.doubtful and now < old.last:
            return self.stay(question, found.reason, now)
        if found.targets:
            life = min(max(found.life, SHORTEST_LIFE), LONGEST_DOUBT if found.doubtful else LONGEST_LIFE)
            until = now + life
            refresh_at = now + _REFRESHED_AFTER * life
            known = Known(found.targets, "", refresh_at, until, until + STALE_SECONDS, False, found.doubtful)
        else:
            until = now + min(max(found.life, SHORTEST_DENIAL), LONGEST_DENIAL)
            known = Known((), found.reason or f"{question[0]} has no address", until, until, until)
        return self._keep(question, known)

    def stay(self, question: Question, reason: str, now: float) -> Known:
        """DNS did not answer: what was known goes on to serve, as long as it may."""
        old = self._known.get(question)
        if old is not None and old.targets and now < old.last:
            again = now + RECHECK_SECONDS
            known = Known(old.targets, "", again, max(again, old.until), old.last, True, old.doubtful)
        else:
            until = now + SHORTEST_DENIAL
            known = Known((), reason, until, until, until, True)
        return self._keep(question, known)

    def _keep(self, question: Question, known: Known) -> Known:
        self._known.pop(question, None)
        self._known[question] = known
        if len(self._known) > MOST_NAMES:
            del self._known[next(iter(self._known))]
        return known
