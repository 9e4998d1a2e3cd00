"""What is said on a terminal while something takes long: how far it is, or which file is being read.

Owns drawing it on standard error, in one line that is taken away again. Whether it is wanted is for whoever calls.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from b2bua.operator.columns import cut
from dsl.files import Files

FIRST_SECONDS = 0.7
"""What is done earlier is done before anybody has wondered."""

_AGAIN_SECONDS = 0.1
_CELLS = 24


class Bar:
    """So much of a whole that is known. Drawn at most ten times a second, by a `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._due = self._began + _AGAIN_SECONDS
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """So many of so many are done."""
        now = self._clock()
        if now < self._due or not done:
            return
        self._due = now + _AGAIN_SECONDS
        self._drawn = True
        part = min(1.0, done / max(1, total))
        left = (now - self._began) * (1 - part) / part
        full = round(_CELLS * part)
        bar = "#" * full + "-" * (_CELLS - full)
        _line(f"[{bar}] {100 * part:.0f} %  {done:,} of {total:,}, {left:.0f} s left")

    def end(self) -> None:
        """Take it away."""
        if self._drawn:
            _line("")


@contextmanager
def reading(files: Files) -> Iterator[None]:
    """While files are read: after a while, which one it is, and for how long it has been read."""
    over = threading.Event()
    telling = threading.Thread(target=_tell, args=(files, over), daemon=True)
    telling.start()
    try:
        yield
    finally:
        over.set()
        telling.join()


def _tell(files: Files, over: threading.Event) -> None:
    if over.wait(FIRST_SECONDS):
        return
    name, since = "", time.monotonic()
    while True:
        # A list at once: the other thread goes on adding to it.
        last = list(files.seen)[-1:]
        if last and str(last[0]) != name:
            name, since = str(last[0]), time.monotonic()
        _line(f"reading {name}, {time.monotonic() - since:.0f} s")
        if over.wait(_AGAIN_SECONDS):
            break
    _line("")


def _line(text: str) -> None:
    columns = shutil.get_terminal_size().columns
    sys.stderr.write(f"\r{cut(text, columns - 1)}\x1b[K")
    sys.stderr.flush()
