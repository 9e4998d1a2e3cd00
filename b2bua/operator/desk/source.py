"""Asking the server how it is, for whoever asks the desk.

Owns that the server is asked once a second at most, however many ask here, and for how long an answer is waited for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from b2bua.io.requests import CONTROL, Measure

FRESH_SECONDS: Final = 1.0
"""For so long an answer serves others too."""

PATIENCE_SECONDS: Final = 4.0
"""For an answer: who scrapes gives up after 10 s, and wants to know why."""


class SilentError(Exception):
    """The server does not answer; the text says why."""


class Source:
    """The server of a state directory."""

    def __init__(self, state: Path) -> None:
        self._path = state / CONTROL
        self._asking = trio.Lock()
        self._at = float("-inf")
        self._answer: Mapping[str, Any] | SilentError = SilentError("the server was not asked yet")

    async def measures(self) -> Mapping[str, Any]:
        """How the server is, as `b2bua.io.measures.Measures`. Raises SilentError."""
        async with self._asking:
            if trio.current_time() - self._at >= FRESH_SECONDS:
                try:
                    self._answer = await self._asked()
                except SilentError as error:
                    self._answer = error
                self._at = trio.current_time()
        if isinstance(self._answer, SilentError):
            raise SilentError(str(self._answer))
        return self._answer

    async def _asked(self) -> Mapping[str, Any]:
        try:
            with trio.fail_after(PATIENCE_SECONDS):
                async with await trio.open_unix_socket(str(self._path)) as stream:
                    await stream.send_all(msgspec.json.encode(Measure()) + b"\n")
                    answer = b"".join([bytes(part) async for part in stream])
        except trio.TooSlowError:
            raise SilentError(f"the server gave no answer within {PATIENCE_SECONDS:g} s") from None
        except (OSError, trio.BrokenResourceError) as error:
            raise SilentError(f"the server cannot be asked: {error}") from None
        try:
            result: Mapping[str, Any] = json.loads(answer)["result"]
        except (ValueError, KeyError):
            raise SilentError("the server's answer is none; its log says why") from None
        return result
