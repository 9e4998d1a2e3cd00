"""Somebody at an address of his own who guesses passwords, and what must have become of that.

Has draws of its own, so that who calls whom is the same with and without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from b2bua.effects import Log
from b2bua.sip.message import Response

from .agent import Agent
from .clock import Clock
from .link import Link, Place
from .office import DOMAIN, USERS

HOST = "203.0.113.77"
_MOST_A_MINUTE = 10
_NAMES = (*USERS, "nobody", "admin", "100")


class Guesser(Agent):
    """`statuses` are what its guesses were told, `unanswered` how many nobody answered."""

    def __init__(
        self, server: Place, clock: Clock, link: Link, draw: Random, report: Callable[[str, str, str], None]
    ) -> None:
        super().__init__("guesser", Place("UDP", HOST, 5060), server, clock, link, draw, report)
        link.names[HOST] = self.name
        self.statuses: list[int] = []
        self.unanswered = 0

    def plan(self, begin: float, end: float) -> None:
        """Guess between these times, a few at once and again later."""
        for _ in range(self.draw.randrange(1, 5)):
            when = self.draw.uniform(begin, end)
            for number in range(self.draw.randrange(2, 12)):
                name, method = self.draw.choice(_NAMES), self.draw.choice(("REGISTER", "REGISTER", "MESSAGE"))
                self.clock.at(when + number * self.draw.uniform(0.0, 1.0), partial(self._guess, name, method))

    def _guess(self, name: str, method: str) -> None:
        address, call_id = f"sip:{name}@{DOMAIN}", self.token()
        uri = f"sip:{DOMAIN}" if method == "REGISTER" else address
        self.realms = {DOMAIN: (name, self.draw.choice(("1234", "secret", name)))}

        def attempt(number: int, challenged: Response | None) -> None:
            def heard(response: Response) -> None:
                if response.status == 401 and number == 1:
                    attempt(2, response)
                elif response.status >= 200:
                    self.statuses.append(response.status)

            def unheard() -> None:
                self.unanswered += 1

            self.ask(
                method,
                uri,
                from_=f"<{address}>;tag={self.token()}",
                to=f"<{address}>",
                call_id=call_id,
                cseq=number,
                heard=heard,
                timed_out=unheard,
                extra=self.credentials(method, uri, challenged) if challenged is not None else (),
            )

        attempt(1, None)

    def wrong(self, logs: Sequence[tuple[float, Log]]) -> Iterator[str]:
        """What became of it and must not. `logs` are the lines that were written, with their times."""
        # A server that drains takes no messages, from nobody.
        if any(status not in (401, 503) for status in self.statuses):
            yield f"a guess was told {self.statuses}"
        failures = [when for when, log in logs if log.fields.get("what") == "authentication failed"]
        sources = {
            log.fields["source"] for _, log in logs if log.fields.get("what") in ("authentication failed", "banned")
        }
        if sources - {HOST}:
            yield f"{sources - {HOST}} are taken for guessers"
        for begin in failures:
            within = [when for when in failures if begin <= when < begin + 60.0]
            if len(within) > _MOST_A_MINUTE:
                yield f"{len(within)} passwords were judged from {begin:.3f} on"
                return
