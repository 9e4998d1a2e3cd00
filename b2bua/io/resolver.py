"""Answers to `Resolve`, with what DNS said kept for as long as it said.

Owns that many who ask the same cause one look-up, how many go on at the same time, and what is remembered: a day
longer than its life while no name server answers (RFC 8767), so that calls go on. Leaves the looking up to
`location`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import trio

from b2bua.effects import Failed, Resolve, Resolved
from b2bua.io.dns_queries import NoAnswerError, NoSuchNameError
from b2bua.io.location import LONGEST_LIFE, Locator, Question
from b2bua.io.shell import Shell
from b2bua.io.targets import Target, ordered

FAILED_SECONDS = 5.0
"""For so long a name that could not be found is not asked again."""

STALE_SECONDS = 86_400.0
"""After its life, for so long an answer serves while nobody gives a newer one."""

SHORTEST_LIFE = 1.0
"""In seconds: a name is not asked more often."""

NAMES = 4096
"""Answers kept; beyond, the one is forgotten that was not asked for the longest."""

LOOK_UPS = 256
"""Names looked up at the same time; beyond, the answer is a failure at once."""


class Known(NamedTuple):
    """What is known of a name: its servers, or why there are none. Until `until`, by trio's clock, DNS is not asked
    again, and until `last` this serves if it cannot be.
    """

    until: float
    last: float
    targets: tuple[Target, ...]
    reason: str = ""


class Resolver:
    """Answers every `ask` once. `draw` gives numbers from 0 to 1, for the weights of servers."""

    def __init__(self, shell: Shell, locator: Locator, draw: Callable[[], float]) -> None:
        self._shell = shell
        self._locator = locator
        self._draw = draw
        self._known: OrderedDict[Question, Known] = OrderedDict()
        self._asking: dict[Question, list[int]] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Look names up until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await trio.sleep_forever()

    def ask(self, question: Resolve) -> None:
        """Answer from what is known, or begin to look it up."""
        key = Question(question.host, question.port, question.transport)
        local = self._locator.local(key)
        if local is not None:
            self._answer(question.id, key, (local,))
            return
        known = self._known.get(key)
        if known is not None and known.until > trio.current_time():
            self._known.move_to_end(key)
            self._answer(question.id, key, known.targets, known.reason)
        elif key in self._asking:
            self._asking[key].append(question.id)
        elif self._nursery is None or len(self._asking) >= LOOK_UPS:
            self._shell.counters["lookups_refused"] += 1
            self._shell.answer(question.id, Failed("too many names are being looked up"))
        else:
            self._asking[key] = [question.id]
            self._nursery.start_soon(self._shell.contained, self._find, key)

    def _answer(self, id: int, key: Question, targets: tuple[Target, ...], reason: str = "") -> None:
        addresses = ordered(targets, self._draw)
        if addresses:
            self._shell.answer(id, Resolved(addresses))
        else:
            self._shell.answer(id, Failed(reason or f"{key.host} has no address that our listeners can reach"))

    async def _find(self, key: Question) -> None:
        again = trio.current_time() + FAILED_SECONDS
        known = Known(again, again, (), f"{key.host} could not be looked up")
        try:
            targets, life = await self._locator.find(key)
            until = trio.current_time() + min(max(life, SHORTEST_LIFE), LONGEST_LIFE)
            known = Known(until, until + STALE_SECONDS, targets)
        except NoSuchNameError as error:
            known = known._replace(reason=str(error))
        except NoAnswerError as error:
            self._shell.counters["lookups_failed"] += 1
            old = self._known.get(key)
            if old is not None and old.last > again:
                known = old._replace(until=again)
            else:
                known = known._replace(reason=str(error))
        finally:
            self._known[key] = known
            self._known.move_to_end(key)
            if len(self._known) > NAMES:
                self._known.popitem(last=False)
            for id in self._asking.pop(key):
                self._answer(id, key, known.targets, known.reason)
