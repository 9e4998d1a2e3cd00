"""Which files a policy was read from, so that whoever loaded it can tell when to load it again.

Owns what of a file shows that it has changed. A file counts as it was just before it was read, so that no change is
missed; one that could not be read is there too. Leaves reading to those who read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

Signature: TypeAlias = tuple[int, int, int, int] | None
"""Device, inode, size and time of the last change; None for a file that cannot be found."""


def signature(path: Path) -> Signature:
    """How a file is now. An editor that puts another file in its place changes it as one does that writes into it."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Files:
    """The files that one load has asked for: `seen` gives each as it was then."""

    def __init__(self) -> None:
        self.seen: dict[Path, Signature] = {}

    def note(self, path: Path) -> Path:
        """Remember how a file is that is about to be read."""
        self.seen.setdefault(path, signature(path))
        return path
