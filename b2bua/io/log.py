"""What the operator reads on stderr: one line an event, for eyes or for machines.

Owns the two forms. What is said is for whoever says it; no secret and no line end of a peer's ever gets through.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger


class _Sink(io.TextIOBase):
    """A stream whose reader may be gone, and whose disk may be full: neither is a reason to stop working."""

    def __init__(self, to: TextIO) -> None:
        self._to = to

    def write(self, text: str) -> int:
        """Write, if that can be done."""
        with contextlib.suppress(OSError, ValueError):
            self._to.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that can be done."""
        with contextlib.suppress(OSError, ValueError):
            self._to.flush()


_BARE = re.compile(r"[^\s\"=\\]+").fullmatch
_FIRST = ("timestamp", "level", "event")


def open_log(as_json: bool, to: TextIO = sys.stderr) -> FilteringBoundLogger:
    """A log that writes lines of JSON, or `time level event key=value ...`. Debug events are left out."""
    form = [structlog.processors.JSONRenderer()] if as_json else [_line]
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(cast(TextIO, _Sink(to))),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            *form,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    return logger.bind()


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """One line; the trace of a bug follows, indented."""
    trace = event.pop("exception", None)
    words = [str(event[key]) for key in _FIRST]
    words[2] = words[2] if words[2].isprintable() else json.dumps(words[2])
    words += [f"{key}={_value(value)}" for key, value in event.items() if key not in _FIRST]
    if trace is not None:
        words.append("\n  " + str(trace).replace("\n", "\n  "))
    return " ".join(words)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if text.isprintable() and _BARE(text) else json.dumps(text)
