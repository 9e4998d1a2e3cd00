"""Files of sound become payloads that sound like them, in each codec."""

from __future__ import annotations

import os
import struct
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from b2bua.effects import Codec
from b2bua.io import sounds
from b2bua.io.sounds import SoundError, available_codecs, encode, tone
from tests.wire import codecs, music
from tests.wire.codecs import decode

ALIKE = 0.95
SECONDS = 3.0
EACH = pytest.mark.parametrize("codec", codecs.ALL, ids=lambda codec: codec.name)


@pytest.fixture(scope="module")
def tune(tmp_path_factory: pytest.TempPathFactory) -> music.Sound:
    path = tmp_path_factory.mktemp("tune") / "tune.wav"
    music.write_tune(path, "sounds", SECONDS)
    return music.read(path)


def written(path: Path, tune: music.Sound, *, rate: int = 8000, channels: int = 1, subtype: str | None = None) -> Path:
    samples = soxr.resample(tune / 32768, music.RATE, rate)
    soundfile.write(path, np.repeat(samples[:, np.newaxis], channels, axis=1), rate, subtype=subtype)
    return path


def alike(codec: codecs.Codec, payloads: tuple[bytes, ...], tune: music.Sound) -> float:
    """The worst likeness of any half second of what was encoded, compared at the codec's own rate."""
    half = codec.rate // 2
    heard, whole = decode(codec, payloads), soxr.resample(tune, music.RATE, codec.rate)
    return min(music.correlate(heard[at : at + half], whole)[0] for at in range(half, len(heard) - half, half))


@EACH
def test_what_is_encoded_sounds_like_its_source(codec: codecs.Codec, tune: music.Sound, tmp_path: Path) -> None:
    made = encode(written(tmp_path / "a.wav", tune), ["PCMU", "PCMA", "G722", "opus"])
    assert alike(codec, made[codec.name], tune) > ALIKE


@EACH
def test_the_level_is_kept(codec: codecs.Codec, tune: music.Sound, tmp_path: Path) -> None:
    made = encode(written(tmp_path / "a.wav", tune, rate=44_100, channels=2), [codec.name])
    assert np.std(decode(codec, made[codec.name])) == pytest.approx(np.std(tune), rel=0.02)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("stereo.wav", 44_100, 2, "PCM_16"),
        ("eight-bits.wav", 8000, 1, "PCM_U8"),
        ("floats.wav", 48_000, 1, "FLOAT"),
        ("24-bits.flac", 96_000, 2, "PCM_24"),
        ("odd.wav", 11_025, 1, "PCM_16"),
        ("odder.wav", 37_123, 1, "PCM_16"),
        ("six-channels.wav", 22_050, 6, "PCM_16"),
        ("a-law.wav", 8000, 1, "ALAW"),
        ("vorbis.ogg", 44_100, 2, "VORBIS"),
        ("opus.ogg", 48_000, 1, "OPUS"),
        ("layer-three.mp3", 44_100, 2, "MPEG_LAYER_III"),
        ("a-wav-that-says-raw.raw.wav", 8000, 1, "PCM_16"),
    ],
)
def test_any_usual_file_is_read(
    name: str, rate: int, channels: int, subtype: str, tune: music.Sound, tmp_path: Path
) -> None:
    path = written(tmp_path / name, tune, rate=rate, channels=channels, subtype=subtype)
    made = encode(path, ["PCMU", "G722"])
    assert alike(codecs.PCMU, made["PCMU"], tune) > ALIKE
    assert alike(codecs.G722, made["G722"], tune) > ALIKE
    # An MP3's encoder pads its ends.
    assert len(made["PCMU"]) == pytest.approx(SECONDS / sounds.PACKET_TIME, abs=5)


def test_a_name_does_not_say_what_a_file_is(tune: music.Sound, tmp_path: Path) -> None:
    written(tmp_path / "a.wav", tune).rename(tmp_path / "a.raw")
    assert alike(codecs.PCMU, encode(tmp_path / "a.raw", ["PCMU"])["PCMU"], tune) > ALIKE


@EACH
def test_payloads_are_20_ms_and_the_last_is_filled_up_with_silence(codec: codecs.Codec, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(161, 0.5), 8000)
    payloads = encode(tmp_path / "a.wav", [codec.name])[codec.name]
    assert len(payloads) == 2
    heard = decode(codec, payloads)
    assert len(heard) == 2 * codec.rate // 50
    if codec.name != "opus":
        assert {len(payload) for payload in payloads} == {160}
    if codec.name.startswith("PCM"):
        assert np.abs(heard[161:]).max() < 10 < np.abs(heard[:161]).min()


def test_clock_and_ticks_are_those_of_the_payload_formats() -> None:
    said = {codec: (form.samples, form.ticks) for codec, form in sounds.FORMATS.items()}
    assert said == {"PCMU": (160, 160), "PCMA": (160, 160), "G722": (320, 160), "opus": (960, 960)}


def test_only_what_is_asked_for_is_made(tune: music.Sound, tmp_path: Path) -> None:
    assert set(encode(written(tmp_path / "a.wav", tune), ["opus"])) == {"opus"}


def test_without_pyav_the_old_codecs_are_left(
    tune: music.Sound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "find_spec", lambda name: None)
    assert available_codecs() == ("PCMU", "PCMA")
    assert set(encode(written(tmp_path / "a.wav", tune), ["PCMA", "G722", "opus"])) == {"PCMA"}


def test_channels_that_oppose_each_other_are_silence(tmp_path: Path) -> None:
    half = np.full(800, 0.25)
    soundfile.write(tmp_path / "a.wav", np.stack((half, -half), axis=1), 8000)
    assert np.abs(decode(codecs.PCMU, encode(tmp_path / "a.wav", ["PCMU"])["PCMU"])).max() < 10


def test_samples_that_are_no_numbers_or_too_loud_are_neither_error_nor_wrapped_round(tmp_path: Path) -> None:
    soundfile.write(
        tmp_path / "a.wav", np.array([np.nan, np.inf, -np.inf, 7.0] * 400, np.float32), 8000, subtype="FLOAT"
    )
    heard = decode(codecs.PCMU, encode(tmp_path / "a.wav", ["PCMU"])["PCMU"])
    assert (np.sign(heard[:4]) == [0, 1, -1, 1]).all()


def _truncated(path: Path) -> None:
    path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")


def _of_no_frames(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))


def _at_no_rate(path: Path) -> None:
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, 1, 2, 2, 16, b"data", 4)
    path.write_bytes(header + bytes(4))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.touch(), "not recognised"),
        (lambda path: path.write_text("music"), "not recognised"),
        (lambda path: path.mkdir(), "no file"),
        (os.mkfifo, "no file"),
        (_truncated, "no 'data' chunk"),
        (_of_no_frames, "no sound"),
        (_at_no_rate, "1 Hz is no sampling rate"),
    ],
    ids=["missing", "empty", "text", "folder", "pipe", "truncated", "without frames", "at 1 Hz"],
)
def test_what_is_no_sound_is_refused_with_the_reason(make, why: str, tmp_path: Path) -> None:
    make(tmp_path / "a.wav")
    with pytest.raises(SoundError, match=why):
        encode(tmp_path / "a.wav", ["PCMU"])


def test_a_file_that_ends_early_is_played_as_far_as_it_goes(tune: music.Sound, tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", tune)
    os.truncate(path, path.stat().st_size // 2)
    made = encode(path, ["PCMU"])["PCMU"]
    assert len(made) == pytest.approx(SECONDS / sounds.PACKET_TIME / 2, abs=1)
    assert alike(codecs.PCMU, made, tune) > ALIKE


def test_it_runs_in_several_threads_at_once(tune: music.Sound, tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", tune, rate=44_100)
    made: list[dict[Codec, sounds.Payloads]] = []
    threads = [threading.Thread(target=lambda: made.append(encode(path, available_codecs()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert all(other == made[0] for other in made)


@EACH
def test_the_tone_is_one_frequency_and_loops_without_a_click(codec: codecs.Codec) -> None:
    payloads = tone([codec.name])[codec.name]
    assert len(payloads) * sounds.PACKET_TIME == 1.0
    heard = decode(codec, payloads * 3)[codec.rate :]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    pitch = spectrum.argmax() * codec.rate / len(heard)
    assert pitch == pytest.approx(sounds.TONE_FREQUENCY, abs=1)
    # A click is energy far from the tone, and a step that the wave does not have.
    near = slice(spectrum.argmax() - 200, spectrum.argmax() + 200)
    assert np.square(spectrum[near]).sum() > 0.99 * np.square(spectrum).sum()
    steepest = 2 * np.pi * sounds.TONE_FREQUENCY / codec.rate * np.abs(heard).max()
    assert np.abs(np.diff(heard)).max() < 1.15 * steepest


def test_the_tone_is_as_loud_as_tones_are() -> None:
    # -10 dBm0, where the full scale of a sine is +3.14 dBm0.
    heard = decode(codecs.PCMU, tone(["PCMU"])["PCMU"])
    level = 20 * np.log10(np.std(heard) * np.sqrt(2) / 32768) + 3.14
    assert level == pytest.approx(-10, abs=0.3)
