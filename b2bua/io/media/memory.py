"""Sounds in memory that the server and its media process share: written once, handed over as a descriptor."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Sequence

from b2bua.media.sound import Sound, packed

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def stored(name: str, payloads: Sequence[bytes]) -> int:
    """The descriptor of memory that holds these payloads and never changes. Raises OSError; LocalError if empty."""
    data = packed(payloads)
    descriptor = os.memfd_create(name[:32], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def mapped(descriptor: int) -> Sound:
    """The sound in it, read in place; the descriptor is closed. Raises OSError."""
    try:
        memory = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
    return Sound(memoryview(memory))
