"""What RTP payloads sound like: the four codecs of telephony, decoded by others' decoders.

Owns names and payload types as phones write them (RFC 3551 section 6), and decoding. Nothing here is the product's.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import soundfile
from av import AudioResampler, CodecContext, Packet

from .music import Sound, at_rate


class Codec(NamedTuple):
    """`phone` is what baresip calls it, `rate` the audio's samples a second, `clock` its RTP clock."""

    name: str
    phone: str
    rate: int
    clock: int


PCMU = Codec("PCMU", "pcmu", 8_000, 8_000)
PCMA = Codec("PCMA", "pcma", 8_000, 8_000)
G722 = Codec("G722", "g722/16000/1", 16_000, 8_000)
OPUS = Codec("opus", "opus/48000/1", 48_000, 48_000)
ALL = (PCMU, PCMA, G722, OPUS)

STATIC = {0: PCMU, 8: PCMA, 9: G722}
"""Payload types that need no description; a dynamic one is Opus here, unless it is telephone-event."""


def decode(codec: Codec, payloads: Iterable[bytes]) -> Sound:
    """Return the sound of consecutive payloads, at the codec's own rate, in units of 16 bits."""
    match codec.name:
        case "PCMU" | "PCMA":
            law = "ULAW" if codec is PCMU else "ALAW"
            octets = io.BytesIO(b"".join(payloads))
            read, _ = soundfile.read(octets, dtype="int16", samplerate=8000, channels=1, format="RAW", subtype=law)
            return read.astype(np.float64)
        case "G722":
            context = CodecContext.create("g722", "r")
        case _:
            context = CodecContext.create("libopus", "r")
    context.sample_rate = codec.rate
    context.layout = "mono"
    resampler = AudioResampler("s16", "mono", codec.rate)
    frames = (frame for payload in payloads for frame in context.decode(Packet(payload)))
    parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)


def heard(codec: Codec, payloads: Iterable[bytes]) -> Sound:
    """Return the sound of consecutive payloads at 8 kHz, for comparing."""
    return at_rate(decode(codec, payloads), codec.rate)
