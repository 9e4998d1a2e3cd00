"""Sound files that a policy declares: whether each can be played, and by which version it is known.

Owns telling what is wrong with a file, which takes decoding all of it once. Resampling and encoding for phones are
the server's, who reads the file again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

LONGEST_MINUTES = 30
"""A sound that is longer is refused: all of it is kept in memory, in every codec."""

RATES = range(4_000, 384_001)
"""Samples a second of what can be played."""

_BLOCK = 65_536
"""Frames decoded at a time."""

_LITTLE = 0.5
"""Seconds by which a sound may be shorter than its file says: MP3 files often only estimate it."""


class Sound(msgspec.Struct, frozen=True):
    """A sound by the name that the policy gives it; `version` is the hash (hex) of the file's content."""

    name: str
    path: Path
    version: str


class SoundError(Exception):
    """A file that cannot be played: `message` goes on from the file's name."""

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


def read_sound(name: str, path: Path) -> Sound:
    """Decode a sound file to its end. Raises SoundError for one that cannot be played, OSError for one that is not
    there.
    """
    if path.exists() and not path.is_file():
        raise SoundError("is no file")
    with path.open("rb", buffering=0) as file:
        version = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        if file.tell() == 0:
            raise SoundError("is empty")
        file.seek(0)
        _decode(file.fileno())
    return Sound(name, path, version)


def _decode(opened: int) -> None:
    """Decode what can be read from this file descriptor, and keep nothing of it."""
    import soundfile

    try:
        with soundfile.SoundFile(opened, closefd=False) as file:
            rate, announced = file.samplerate, len(file)
            if rate not in RATES:
                raise SoundError(f"has {rate} samples a second", f"save it with {RATES.start} or more, such as 16000")
            most = LONGEST_MINUTES * 60 * rate
            decoded = 0
            if announced <= most:
                while decoded <= most and (block := len(file.read(_BLOCK, dtype="int16"))):
                    decoded += block
    except soundfile.LibsndfileError:
        raise SoundError("is no sound, or is damaged", "WAV, FLAC, Ogg Vorbis and MP3 can be played") from None
    if max(announced, decoded) > most:
        raise SoundError(f"is longer than {LONGEST_MINUTES} minutes")
    if decoded == 0:
        raise SoundError("holds no sound")
    if announced - decoded > _LITTLE * rate:
        raise SoundError(f"breaks off after {decoded / rate:.1f} s of {announced / rate:.1f} s", "save it again")
