"""A screen that is drawn again and again, for `--watch`.

Owns the terminal while it lasts: the alternate screen (xterm's 1049), so that what stood there before is there again
afterwards, however it ends. Leaves what is drawn to whoever calls.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from b2bua.operator.columns import cut

SECONDS = 1.0
"""Between two drawings."""

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_TERMINATED = 128 + signal.SIGTERM


def can_redraw() -> bool:
    """Whether standard output is a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def redraw(title: str, draw: Callable[[int], str]) -> None:
    """Draw each second, and when the terminal's size changes, until Ctrl-C. `draw` is told the width in cells."""
    signal.signal(signal.SIGTERM, _end)
    # Blocked, so that waiting for it ends when it comes.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
    try:
        _write(_ENTER)
        while True:
            size = shutil.get_terminal_size()
            _write(screen(title, draw(size.columns), size.columns, size.lines))
            signal.sigtimedwait({signal.SIGWINCH}, SECONDS)
    except KeyboardInterrupt:
        return
    finally:
        _write(_LEAVE)


def screen(title: str, text: str, columns: int, lines: int) -> str:
    """One drawing: a line with the title and the time of day, and as much of the text as there is room for."""
    head = f"{title}  {time.strftime('%H:%M:%S')}  Ctrl-C ends"
    body = text.split("\n")
    room = max(1, lines - 2)
    if len(body) > room:
        # The last line sums up.
        body = [*body[: room - 2], f"… {len(body) - room + 1:,} more lines", body[-1]]
    shown = [cut(line, columns) for line in (head, "", *body)]
    return _HOME + "\n".join(line + _REST_OF_LINE for line in shown[:lines]) + _REST_OF_SCREEN


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(_TERMINATED)
