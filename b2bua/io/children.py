"""Processes of ours beside the server: how one is called, and how one is kept running.

Owns that our modules come from where the server's came from, and the pauses between an end and the next start. What a
process is for, and when it is as good as dead, is its supervisor's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from b2bua.io.service_manager import VARIABLES

FIRST_DELAY_SECONDS: Final = 0.1
LONGEST_DELAY_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 30.0
"""Between an end and the next start: the first, doubled each time up to the longest; who lived so long begins anew."""


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module of ours as a program: ours, and none that lies in the working directory."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """What `command` is to be run with: nothing of what a service manager has said to us alone."""
    ours = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return ours | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


async def keep_running(live: Callable[[], Awaitable[None]]) -> None:
    """Call `live`, which is one process from its start to its end, again and again until cancelled."""
    delay = FIRST_DELAY_SECONDS
    while True:
        began = trio.current_time()
        await live()
        if trio.current_time() - began >= STEADY_SECONDS:
            delay = FIRST_DELAY_SECONDS
        await trio.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY_SECONDS)
