"""Sound files that a policy declares: whether each can be played, and by which version it is known.

Owns telling what is wrong with a file. Of a WAV file of plain samples its header tells; any other is decoded to its
end, by a library that takes longer to be loaded than all else that `check` does. Resampling and encoding for phones are
the server's, who reads the file again.
"""

from __future__ import annotations

import hashlib
import os
import struct
from io import FileIO
from pathlib import Path

import msgspec

LONGEST_MINUTES = 30
"""A sound that is longer is refused: all of it is kept in memory, in every codec."""

RATES = range(4_000, 384_001)
"""Samples a second of what can be played."""

_BLOCK = 65_536
"""Frames decoded at a time."""

_PLAIN = 1
"""The format of samples as whole numbers, in a WAV file."""

_PLAIN_BITS = (8, 16, 24, 32)

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
    """See that a sound file can be played to its end. Raises SoundError for one that cannot, OSError for one that is
    not there.
    """
    if path.exists() and not path.is_file():
        raise SoundError("is no file")
    with FileIO(path) as file:
        version = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        if file.tell() == 0:
            raise SoundError("is empty")
        plain = _plain_wave(file)
        if plain is not None:
            rate, frames = plain
            _must_have_a_usual_rate(rate)
            _must_be_of_bearable_length(rate, frames)
        else:
            file.seek(0)
            _decode(file.fileno())
    return Sound(name, path, version)


def _plain_wave(file: FileIO) -> tuple[int, int] | None:
    """Samples a second and frames of a WAV file that holds plain samples and all that it announces, else None."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size < 12 or struct.unpack("<4s4x4s", file.read(12)) != (b"RIFF", b"WAVE"):
        return None
    align, rate = 0, 0
    while len(head := file.read(8)) == 8:
        chunk, length = struct.unpack("<4sI", head)
        begins = file.tell()
        if begins + length > size:
            return None
        if chunk == b"fmt " and length >= 16:
            kind, channels, rate, _, align, bits = struct.unpack("<HHIIHH", file.read(16))
            if kind != _PLAIN or bits not in _PLAIN_BITS or channels == 0 or align != channels * bits // 8:
                return None
        elif chunk == b"data":
            return (rate, length // align) if align and length % align == 0 else None
        file.seek(begins + length + length % 2)
    return None


def _must_have_a_usual_rate(rate: int) -> None:
    if rate not in RATES:
        raise SoundError(f"has {rate} samples a second", f"save it with {RATES.start} or more, such as 16000")


def _must_be_of_bearable_length(rate: int, frames: int) -> None:
    if frames > LONGEST_MINUTES * 60 * rate:
        raise SoundError(f"is longer than {LONGEST_MINUTES} minutes")
    if frames == 0:
        raise SoundError("holds no sound")


def _decode(opened: int) -> None:
    """Decode what can be read from this file descriptor, and keep nothing of it."""
    import soundfile

    try:
        with soundfile.SoundFile(opened, closefd=False) as file:
            rate, announced = file.samplerate, len(file)
            _must_have_a_usual_rate(rate)
            most = LONGEST_MINUTES * 60 * rate
            decoded = 0
            if announced <= most:
                while decoded <= most and (block := len(file.read(_BLOCK, dtype="int16"))):
                    decoded += block
    except soundfile.LibsndfileError:
        raise SoundError("is no sound, or is damaged", "WAV, FLAC, Ogg Vorbis and MP3 can be played") from None
    _must_be_of_bearable_length(rate, announced if announced > most else decoded)
    if announced - decoded > _LITTLE * rate:
        raise SoundError(f"breaks off after {decoded / rate:.1f} s of {announced / rate:.1f} s", "save it again")
