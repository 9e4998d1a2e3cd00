"""Music that can be told apart, and whether a recording has it.

Owns writing a party's own tune, random notes from a seed, as a WAV file, and finding it again in what
another party recorded, by normalised correlation. Plain Python on audio decimated to 2 kHz: the notes stay
below 800 Hz.
"""

from __future__ import annotations

import math
import operator
import random
import sys
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

RATE = 8000
"""Samples per second of every file here: mono, 16 bits."""

SAME = 0.9
"""A correlation above this is that tune; other tunes gave up to 0.75."""

_NOTE = RATE // 4
_DECIMATION = 4


def write_tune(path: Path, seed: str, seconds: float) -> None:
    """Write random notes of 0.25 s, each under a Hann window, so that no two seeds sound alike."""
    notes = random.Random(seed)
    window = [math.sin(math.pi * i / _NOTE) ** 2 * 12000 for i in range(_NOTE)]
    samples = array("h")
    for _ in range(math.ceil(seconds * RATE / _NOTE)):
        turn = 2 * math.pi * notes.uniform(200, 800) / RATE
        samples.extend(int(loud * math.sin(turn * i)) for i, loud in enumerate(window))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(_little_endian(samples).tobytes())


def read(path: Path) -> array[int]:
    """Return the samples of a mono 16-bit file at 8 kHz, as far as it is written."""
    data = path.read_bytes()[44:]
    samples = array("h")
    samples.frombytes(data[: len(data) // 2 * 2])
    return _little_endian(samples)


def likeness(heard: Sequence[int], tune: Sequence[int], *, start: float, seconds: float = 0.75) -> float:
    """Return the best correlation, 0 to 1, of a window of `heard` with any place of `tune`.

    The window begins `start` seconds in. Silence is like nothing: 0. Raises ValueError when the window is
    not there.
    """
    window = _decimated(heard[int(start * RATE) : int((start + seconds) * RATE)])
    if len(window) < int(seconds * RATE / _DECIMATION) - 1:
        raise ValueError(f"only {len(heard) / RATE:.2f} s were recorded, {start + seconds:g} are needed")
    mean = sum(window) / len(window)
    window = [value - mean for value in window]
    power = sum(value * value for value in window)
    if power < len(window):
        return 0.0
    whole = _decimated(tune)
    squares = [0.0]
    for value in whole:
        squares.append(squares[-1] + value * value)
    best = 0.0
    for lag in range(len(whole) - len(window) + 1):
        energy = squares[lag + len(window)] - squares[lag]
        if energy > 0:
            product = sum(map(operator.mul, window, whole[lag : lag + len(window)]))
            best = max(best, product / math.sqrt(energy * power))
    return best


def _decimated(samples: Sequence[int]) -> list[float]:
    whole = len(samples) - len(samples) % _DECIMATION
    return [sum(samples[i : i + _DECIMATION]) / _DECIMATION for i in range(0, whole, _DECIMATION)]


def _little_endian(samples: array[int]) -> array[int]:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples
