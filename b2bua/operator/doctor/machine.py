"""What of the machine a server depends on: its clock, its disk, how many files may be open, and this build.

Owns no more than looking: nothing is changed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from b2bua import __version__
from b2bua.operator.doctor.findings import Finding, failure, ok, warning
from b2bua.settings import Settings

_TIME_ERROR = 5
_TIMEX_OCTETS = 208
"""`struct timex` of adjtimex(2); its first field, `modes`, is 0 for whoever only asks."""

_JUMP_SECONDS = 0.1
_EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
_LEAST_OCTETS = 100_000_000
_OTHERS = 1_000
"""Descriptors beside those of media: connections, the store, files that are read."""


def build() -> Finding:
    """Which b2bua it is, and what runs it."""
    import b2bua.core.core as core

    compiled = not str(core.__file__).endswith(".py")
    return ok(
        "build",
        f"b2bua {__version__}, {'compiled' if compiled else 'interpreted'}, Python {platform.python_version()}",
    )


def open_files(settings: Settings) -> Finding:
    """Each connection takes a descriptor, and each media port too; a server takes as many as it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    hosts = len(settings.media.hosts or {listener.host for listener in settings.listen})
    ports = (settings.media.last_port - settings.media.first_port + 1) * hosts if settings.media.last_port else 0
    needed = ports + _OTHERS
    if most == resource.RLIM_INFINITY or most >= needed:
        return ok("open files", f"up to {most:,}" if most != resource.RLIM_INFINITY else "without limit")
    told = f"no more than {most:,} may be open, and media ports and connections take {needed:,}"
    return failure("open files", told, "raise it: LimitNOFILE= in the unit, or `ulimit -Hn`; or have fewer media ports")


def disk(state: Path, settings: Settings) -> Finding:
    """Whether there is room for what is kept, and whether it may be written."""
    there = state
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        return failure("disk", f"{state} cannot be written", "name a directory of yours with --state")
    free = shutil.disk_usage(there).free
    told = f"{_octets(free)} free for {state}"
    if free < _LEAST_OCTETS:
        return failure("disk", told, "make room: without it nobody can register, and calls leave no records")
    kept = settings.history.messages.octets
    if free < kept:
        return warning("disk", f"{told}, and messages of calls may take {_octets(kept)}", "make room, or keep less")
    return ok("disk", told)


def clock(offset: float) -> list[Finding]:
    """Whether somebody keeps the clock right, and whether it has jumped since `offset` was its `clock_offset`."""
    now = datetime.now(UTC)
    if now < _EARLIEST:
        return [failure("clock", f"it says {now:%Y-%m-%d}", "set it: certificates and hours of a policy go by it")]
    moved = clock_offset() - offset
    if abs(moved) > _JUMP_SECONDS:
        told = f"it jumped by {moved:+.1f} s just now, against the time that has passed"
        return [warning("clock", told, "let one program keep it, which slows it or speeds it up rather than sets it")]
    synchronised = _synchronised()
    if synchronised is None:
        return [ok("clock", f"{now:%Y-%m-%d %H:%M} UTC; the kernel does not say whether it is kept right")]
    if not synchronised:
        told = "nobody keeps it right (NTP): certificates, records and hours of a policy go by it"
        return [warning("clock", told, "have chrony or systemd-timesyncd run, here or on the host of this machine")]
    return [ok("clock", f"{now:%Y-%m-%d %H:%M} UTC, kept right by NTP")]


def clock_offset() -> float:
    """Wall time less monotonic time, in seconds: it stays the same unless somebody sets the clock."""
    return time.time() - time.monotonic()


def _synchronised() -> bool | None:
    """What adjtimex(2) says; None where it may not be asked."""
    if sys.platform != "linux":
        return None
    answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_OCTETS))
    return None if answer < 0 else bool(answer != _TIME_ERROR)


def _octets(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
