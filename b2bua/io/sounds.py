"""Sounds as RTP payloads: read from files, made mono, resampled and encoded once, 20 ms to a payload.

Owns reading WAV, MP3, Ogg and FLAC (libsndfile), resampling (soxr) and the four codecs: PCMU and PCMA (RFC 3551
4.5.14), G.722 (4.5.2; 16 kHz audio under an RTP clock of 8 kHz) and Opus (RFC 7587; 48 kHz). G.722 and Opus need
PyAV, the extra `codecs`; without it they are not among `available_codecs()`. Leaves to the media process when a
payload is sent and under which header, and to the language what a script may call a sound.

Nothing here is shared between calls, so that any number of them may run in threads. A file is read in slices, and
what it takes beside its payloads does not grow with it.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import msgspec
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from b2bua.effects import Codec
from dsl.sounds import RATES

Samples: TypeAlias = NDArray[np.float32]
Frames: TypeAlias = NDArray[np.int16]

Payloads: TypeAlias = tuple[bytes, ...]
"""A sound in one codec: RTP payloads of 20 ms each, in order."""

PACKET_TIME: Final = 0.020
"""Seconds of sound in a payload."""

TONE_FREQUENCY: Final = 425
"""Hz; most of Europe's dial and ringing tones have it (ITU-T E.180)."""

_TONE_LEVEL: Final = 0.22
"""Of full scale: -10 dBm0, as ITU-T E.180 wants tones, where a full sine is +3.14 dBm0 (ITU-T G.711)."""

_TONE_SECONDS: Final = 1
_OPUS_BIT_RATE: Final = 48_000
_FULL_SCALE: Final = 32_768
_SLICE_SECONDS: Final = 1


class SoundError(Exception):
    """There is no sound in a file that could be played; the message says why, for the operator."""


class CodecFormat(msgspec.Struct, frozen=True):
    """What a codec works on: `rate` samples a second of audio, under an RTP clock of `clock` ticks a second.

    `ticks` is how far the RTP timestamp goes on with a payload.
    """

    rate: int
    clock: int

    @property
    def samples(self) -> int:
        """Samples in a payload."""
        return self.rate // 50

    @property
    def ticks(self) -> int:
        """Ticks of the RTP clock in a payload."""
        return self.clock // 50


FORMATS: Final[dict[Codec, CodecFormat]] = {
    "PCMU": CodecFormat(8_000, 8_000),
    "PCMA": CodecFormat(8_000, 8_000),
    "G722": CodecFormat(16_000, 8_000),  # the clock is a mistake that was kept (RFC 3551 4.5.2)
    "opus": CodecFormat(48_000, 48_000),
}


def available_codecs() -> tuple[Codec, ...]:
    """Return the codecs that sounds can be had in here, best known first."""
    packaged = find_spec("av") is not None
    return tuple(codec for codec in FORMATS if packaged or codec in ("PCMU", "PCMA"))


def encode(path: Path, codecs: Collection[Codec]) -> dict[Codec, Payloads]:
    """Read a file and return its sound in each of `codecs` that is available here.

    Channels are averaged and the level is kept; the last payload is filled up with silence. Raises SoundError where
    the file is missing, is no audio, holds none, or has a sampling rate that is none. Takes about a second of CPU for
    a minute of sound in all four codecs: call it in a thread.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SoundError("it is no file")
        # By its descriptor: a name's ending would tell libsndfile what to believe.
        with path.open("rb", buffering=0) as opened, soundfile.SoundFile(opened.fileno(), closefd=False) as file:
            if file.samplerate not in RATES:
                raise SoundError(f"{file.samplerate} Hz is no sampling rate of sound")
            payloads = _encode(_slices(file), file.samplerate, codecs)
    except OSError as problem:
        raise SoundError(problem.strerror or str(problem)) from None
    except soundfile.LibsndfileError as problem:
        raise SoundError(problem.error_string.rstrip(".").lower()) from None
    if not all(payloads.values()):
        raise SoundError("there is no sound in it")
    return payloads


def tone(codecs: Collection[Codec]) -> dict[Codec, Payloads]:
    """Return a second of 425 Hz in each of `codecs` that is available here: it loops without a click.

    The wave goes on over the end, and so does what an encoder remembers, for the second before was the same.
    """
    rate = 48_000
    phase = 2 * np.pi * TONE_FREQUENCY * np.arange(rate * _TONE_SECONDS) / rate
    wave = (_TONE_LEVEL * np.sin(phase)).astype(np.float32)
    count = round(_TONE_SECONDS / PACKET_TIME)
    # Of three seconds the one in the middle: a resampler and an encoder begin and end otherwise than they go on.
    made = _encode(iter((wave, wave, wave)), rate, codecs)
    return {codec: payloads[count : 2 * count] for codec, payloads in made.items()}


class _Encoder(Protocol):
    """Makes payloads of whole frames of 16-bit samples: one row, one payload."""

    def encode(self, frames: Frames) -> list[bytes]: ...


class _Companded:
    """PCMU or PCMA (ITU-T G.711), as libsndfile does it: an octet a sample, and no memory."""

    def __init__(self, law: str) -> None:
        self._law = law

    def encode(self, frames: Frames) -> list[bytes]:
        octets = io.BytesIO()
        soundfile.write(octets, frames.ravel(), FORMATS["PCMU"].rate, format="RAW", subtype=self._law)
        data, size = octets.getvalue(), frames.shape[1]
        return [data[start : start + size] for start in range(0, len(data), size)]


class _Predicted:
    """G.722 or Opus, by FFmpeg: each payload builds on those before it."""

    def __init__(self, name: Literal["g722", "libopus"], rate: int, bit_rate: int, options: dict[str, str]) -> None:
        # Only here: PyAV is an extra, and a quarter of a second to import.
        from av import AudioFrame, CodecContext

        self._frame = AudioFrame
        self._context = CodecContext.create(name, "w")
        self._context.sample_rate = rate
        self._context.layout = "mono"
        self._context.format = "s16"
        self._context.bit_rate = bit_rate
        self._context.options = options
        self._rate = rate

    def encode(self, frames: Frames) -> list[bytes]:
        payloads = []
        for samples in frames:
            frame = self._frame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
            frame.sample_rate = self._rate
            # What Opus still holds at the end, 6.5 ms of mostly padding, is let go: all codecs have the same length.
            payloads += [bytes(packet) for packet in self._context.encode(frame)]
        return payloads


class _Framing:
    """A sound at the rate of a codec, cut into frames of 20 ms."""

    def __init__(self, source_rate: int, rate: int) -> None:
        self._resampler = soxr.ResampleStream(source_rate, rate, 1, dtype="float32")
        self._samples = round(rate * PACKET_TIME)
        self._rest = np.empty(0, np.int16)

    def take(self, samples: Samples) -> Frames:
        """Return the frames that are whole now."""
        return self._cut(self._resampler.resample_chunk(samples))

    def finish(self) -> Frames:
        """Return what is left, filled up with silence: no frame or some."""
        frames = self._cut(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        if not self._rest.size:
            return frames
        last = np.pad(self._rest, (0, self._samples - self._rest.size))
        return np.concatenate((frames, last[np.newaxis]))

    def _cut(self, resampled: Samples) -> Frames:
        # A resampler overshoots at a full-scale edge.
        whole = np.rint(resampled * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
        joined = np.concatenate((self._rest, whole))
        count = joined.size // self._samples
        self._rest = joined[count * self._samples :]
        return joined[: count * self._samples].reshape(count, self._samples)


def _encode(slices: Iterable[Samples], rate: int, codecs: Collection[Codec]) -> dict[Codec, Payloads]:
    """Encode a sound that comes in slices, mono, in every one of `codecs` that is available."""
    wanted = [codec for codec in available_codecs() if codec in codecs]
    framings = {FORMATS[codec].rate: _Framing(rate, FORMATS[codec].rate) for codec in wanted}
    encoders = {codec: _encoder(codec) for codec in wanted}
    payloads: dict[Codec, list[bytes]] = {codec: [] for codec in wanted}

    def encode_all(frames: dict[int, Frames]) -> None:
        for codec, encoder in encoders.items():
            payloads[codec] += encoder.encode(frames[FORMATS[codec].rate])

    for samples in slices:
        encode_all({rate: framing.take(samples) for rate, framing in framings.items()})
    encode_all({rate: framing.finish() for rate, framing in framings.items()})
    return {codec: tuple(made) for codec, made in payloads.items()}


def _encoder(codec: Codec) -> _Encoder:
    match codec:
        case "PCMU":
            return _Companded("ULAW")
        case "PCMA":
            return _Companded("ALAW")
        case "G722":
            return _Predicted("g722", FORMATS[codec].rate, 64_000, {})
        case "opus":
            # A frame of 20 ms is what one payload holds; music needs the full band (RFC 7587 section 3.1.1).
            options = {"application": "audio", "frame_duration": "20"}
            return _Predicted("libopus", FORMATS[codec].rate, _OPUS_BIT_RATE, options)


def _slices(file: soundfile.SoundFile) -> Iterator[Samples]:
    """Read a file second by second, its channels averaged; what is no number becomes silence."""
    while (read := file.read(file.samplerate * _SLICE_SECONDS, dtype="float32", always_2d=True)).size:
        mono: Samples = read.mean(axis=1, dtype=np.float32)
        yield np.nan_to_num(mono, nan=0.0, posinf=1.0, neginf=-1.0)
