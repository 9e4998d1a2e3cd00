"""What the kernel says of our processes (proc(5)): processor, memory, descriptors."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Used(msgspec.Struct, frozen=True):
    """What a process has used: processor in seconds since its start, memory that it holds in octets."""

    processor: float
    memory: int
    descriptors: int


def used(pid: int) -> Used | None:
    """What it uses; None when it has ended, or is not ours to look at."""
    folder = Path("/proc") / str(pid)
    try:
        # What stands before the last bracket is the program's name, which may hold anything.
        fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        descriptors = len(os.listdir(folder / "fd"))
    except OSError:
        return None
    return Used((int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE, descriptors)
