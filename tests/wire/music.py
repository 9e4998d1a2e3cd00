"""Music that can be told apart, and whether a recording has it.

Owns writing a party's own tune, random notes from a seed, as a WAV file, reading recordings at whatever rate they
were made, and finding a tune in them by normalised correlation. The notes stay below 800 Hz, so that all of it can be
compared at 8 kHz.
"""

from __future__ import annotations

import random
import struct
import wave
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sound: TypeAlias = NDArray[np.float64]
"""Samples at `RATE`, mono, in units of a 16-bit file."""

RATE = 8000
"""Samples per second of every sound here."""

SAME = 0.9
"""A correlation above this is that tune; other tunes gave up to 0.75."""

OTHER = 0.8
"""A correlation below this is not that tune."""

_NOTE = RATE // 4
_HEADER = 44


class Found(NamedTuple):
    """How like the tune it is, 0 to 1, and where in the tune, in seconds."""

    likeness: float
    at: float


def write_tune(path: Path, seed: str, seconds: float) -> None:
    """Write random notes of 0.25 s, each under a Hann window, so that no two seeds sound alike."""
    notes = random.Random(seed)
    steps = np.arange(_NOTE)
    window = np.sin(np.pi * steps / _NOTE) ** 2 * 12000
    pitches = [notes.uniform(200, 800) for _ in range(int(np.ceil(seconds * RATE / _NOTE)))]
    samples = np.concatenate([window * np.sin(2 * np.pi * pitch / RATE * steps) for pitch in pitches])
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


def read(path: Path) -> Sound:
    """Return what a 16-bit WAV file holds, as far as it is written: its lengths are filled in only at its end."""
    data = path.read_bytes()
    if len(data) < _HEADER:
        return np.empty(0)
    channels, rate = struct.unpack_from("<HI", data, 22)
    whole = (len(data) - _HEADER) // (2 * channels) * 2 * channels
    samples = np.frombuffer(data, "<i2", count=whole // 2, offset=_HEADER)
    return at_rate(samples.reshape(-1, channels).mean(axis=1), rate)


def seconds(path: Path) -> float:
    """Return how much sound a 16-bit WAV file holds by now."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER:
        return 0.0
    channels, rate = struct.unpack_from("<HI", header, 22)
    octets = path.stat().st_size - _HEADER
    return octets / float(2 * channels * rate)


def at_rate(samples: Sound, rate: int) -> Sound:
    """Bring samples at a whole multiple of `RATE` to it. A triangle over two steps is filter enough below 800 Hz."""
    step, odd = divmod(rate, RATE)
    if odd:
        raise ValueError(f"{rate} Hz is no multiple of {RATE}")
    rise = np.arange(1, step + 1) / step**2
    return np.convolve(samples, np.concatenate((rise, rise[-2::-1])), "same")[::step] if samples.size else samples


def find(heard: Sound, tune: Sound, *, start: float = 0.0, seconds: float = 0.75) -> Found:
    """Find a window of `heard` in `tune`. The window begins `start` seconds in; silence is like nothing: 0.

    Raises ValueError when the window is not there.
    """
    window = heard[int(start * RATE) : int((start + seconds) * RATE)]
    if len(window) < int(seconds * RATE) - 1:
        raise ValueError(f"only {len(heard) / RATE:.2f} s were recorded, {start + seconds:g} are needed")
    likeness, place = correlate(window, tune)
    return Found(likeness, place / RATE)


def likeness(heard: Sound, tune: Sound, *, start: float, seconds: float = 0.75) -> float:
    """Return the best correlation, 0 to 1, of a window of `heard` with any place of `tune`."""
    return find(heard, tune, start=start, seconds=seconds).likeness


def correlate(window: Sound, whole: Sound) -> tuple[float, int]:
    """Return the best normalised correlation of `window` with a place of `whole`, and that place, in samples.

    Both are at the same rate, whichever. A window that is softer than one unit is silence: like nothing.
    """
    places = len(whole) - len(window) + 1
    window = window - window.mean()
    power = float(np.dot(window, window))
    if places < 1 or power < len(window):
        return 0.0, 0
    size = 1 << (len(whole) + len(window)).bit_length()
    products = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(window, size)), size)[:places]
    sums = np.concatenate(([0.0], np.cumsum(np.square(whole, dtype=np.float64))))
    energies = sums[len(window) :] - sums[: -len(window)]
    # Where the tune itself is silent it is like nothing.
    scores = np.where(energies > len(window), products / np.sqrt(np.maximum(energies, 1.0) * power), 0.0)
    best = int(scores.argmax())
    return float(scores[best]), best


def looped(tune: Sound) -> Sound:
    """Return the tune twice: a window that goes over its end is found as well."""
    return np.concatenate((tune, tune))
