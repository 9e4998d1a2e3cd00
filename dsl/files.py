"""Which files a policy was read from, so that whoever loaded it can tell when to load it again.

Owns what of a file shows that it has changed, and what stands in for a file that an editor has not saved yet. A file
counts as it was just before it was read, so that no change is missed; one that could not be read is there too. Leaves
reading to those who read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PosixPath
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


class UnsavedFile(PosixPath):
    """A file that is read as an editor has it, whatever stands in it on the disk."""

    content: bytes

    @classmethod
    def of(cls, path: Path, content: bytes) -> UnsavedFile:
        """The file at this path with this content."""
        file = cls(path)
        file.content = content
        return file

    def read_bytes(self) -> bytes:
        """What the editor has."""
        return self.content


class Files:
    """The files that one load has asked for: `seen` gives each as it was then.

    `unsaved` has the texts of an editor by their paths, without `..`; they are read in place of what is on the disk.
    """

    def __init__(self, unsaved: Mapping[Path, str] | None = None) -> None:
        self.seen: dict[Path, Signature] = {}
        self._unsaved = unsaved or {}

    def note(self, path: Path) -> Path:
        """Remember how a file is that is about to be read, and as what."""
        self.seen.setdefault(path, signature(path))
        text = self._unsaved.get(Path(os.path.normpath(path))) if self._unsaved else None
        return path if text is None else UnsavedFile.of(path, text.encode())
