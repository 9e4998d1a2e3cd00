"""Performs `Resolve`: one look-up each, in a task of its own.

Owns that each is answered once. What is remembered, joined and bounded is the core's (`b2bua.names`); the looking up
is `location`'s.
"""

from __future__ import annotations

import trio

from b2bua.effects import Answer, Failed, Found, Resolve
from b2bua.io.dns_queries import NoAnswerError, NoSuchNameError
from b2bua.io.location import Locator
from b2bua.io.shell import Shell


class Resolver:
    """Answers every `ask` once."""

    def __init__(self, shell: Shell, locator: Locator) -> None:
        self._shell = shell
        self._locator = locator
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Look names up until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await trio.sleep_forever()

    def ask(self, question: Resolve) -> None:
        """Answer from this machine's own names, or begin to ask DNS."""
        local = self._locator.local(question)
        if local is not None:
            self._shell.answer(question.id, local)
        elif self._nursery is not None:
            self._nursery.start_soon(self._shell.contained, self._find, question)
        else:
            self._shell.answer(question.id, Failed("names are not looked up any more"))

    async def _find(self, question: Resolve) -> None:
        answer: Answer = Failed(f"{question.host} could not be looked up")
        try:
            answer = await self._locator.find(question)
        except NoSuchNameError as error:
            answer = Found((), error.life, str(error))
        except NoAnswerError as error:
            answer = Failed(str(error))
        finally:
            self._shell.answer(question.id, answer)
