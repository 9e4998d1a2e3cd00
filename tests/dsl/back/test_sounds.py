"""Sounds that a policy declares: what can be played, what is wrong with the rest, and what makes a version."""

import os
import random
import wave
from io import FileIO

import pytest
import soundfile

from dsl.diagnostics import PolicyError
from dsl.policy import load
from dsl.sounds import LONGEST_MINUTES, Sound, SoundError, _plain_wave, read_sound

SCRIPT = """\
policy "sounds"
domain a.example
sound jazz = "sounds/jazz.wav"
on register { otherwise -> reject 403 }
on call { when dialed == "1" -> answer play jazz otherwise -> reject 404 }
"""
MOST = LONGEST_MINUTES * 60


def silence(path, seconds=1.0, rate=8000, **kind):
    """A file of silence in the format that its name says."""
    with soundfile.SoundFile(path, "w", rate, 1, **kind) as file:
        for _ in range(int(seconds)):
            file.write([0.0] * rate)
        file.write([0.0] * int(seconds % 1 * rate))
    return path


def office(folder):
    (folder / "sounds").mkdir(exist_ok=True)
    script = folder / "sounds.route"
    script.write_text(SCRIPT)
    return script


def said(folder):
    """What is said of the policy's only sound."""
    with pytest.raises(PolicyError) as caught:
        load(office(folder))
    (problem,) = caught.value.problems
    return f"{problem.line}:{problem.column}: {problem.message} | {problem.advice}"


@pytest.mark.parametrize("name", ["jazz.wav", "jazz.flac", "jazz.ogg", "jazz.mp3"])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_each_of_the_usual_formats_can_be_played(tmp_path, name, rate):
    sound = read_sound("jazz", silence(tmp_path / name, 2.5, rate))
    assert (sound.name, sound.path) == ("jazz", tmp_path / name)


def test_a_policy_knows_its_sounds_by_name(tmp_path):
    script = office(tmp_path)
    path = silence(tmp_path / "sounds" / "jazz.wav")
    assert load(script).sounds == {"jazz": Sound("jazz", path, read_sound("jazz", path).version)}


def test_the_version_is_that_of_the_content_wherever_the_file_lies(tmp_path):
    one = read_sound("a", silence(tmp_path / "one.wav"))
    same = read_sound("b", silence(tmp_path / "same.wav"))
    other = read_sound("a", silence(tmp_path / "other.wav", 2.0))
    assert one.version == same.version != other.version
    assert int(one.version, 16) >= 0


def test_another_content_makes_another_version_of_the_policy(tmp_path):
    script = office(tmp_path)
    silence(tmp_path / "sounds" / "jazz.wav")
    first, again = load(script), load(script)
    silence(tmp_path / "sounds" / "jazz.wav", 2.0)
    assert first.hash == again.hash != load(script).hash


# What is wrong with a file


def test_one_that_is_not_there_is_missed_where_it_is_named(tmp_path):
    assert said(tmp_path) == (
        f"3:14: `sounds/jazz.wav` cannot be read: no such file or directory | looked in {tmp_path}"
    )


def test_a_folder_is_no_file_and_what_never_ends_is_none_either(tmp_path):
    (tmp_path / "sounds" / "jazz.wav").mkdir(parents=True)
    assert said(tmp_path) == "3:14: `sounds/jazz.wav` is no file | None"
    (tmp_path / "sounds" / "jazz.wav").rmdir()
    os.mkfifo(tmp_path / "sounds" / "jazz.wav")
    assert said(tmp_path) == "3:14: `sounds/jazz.wav` is no file | None"


@pytest.mark.parametrize("name", ["jazz.raw", "jazz.mp3", "jazz"])
def test_what_a_file_holds_counts_and_not_its_name(tmp_path, name):
    file = silence(tmp_path / "jazz.wav").rename(tmp_path / name)
    assert read_sound("jazz", file).path == file
    file.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(SoundError, match=r"^is no sound, or is damaged$"):
        read_sound("jazz", file)


@pytest.mark.parametrize(
    "content", [b"hello\n" * 100, b"RIFF\x24\x00\x00\x00WAVE", b"OggS" + bytes(200), b"fLaC" + bytes(200), b"\x00"]
)
def test_what_is_no_sound_is_refused_with_what_would_be_one(tmp_path, content):
    office(tmp_path)
    (tmp_path / "sounds" / "jazz.wav").write_bytes(content)
    assert said(tmp_path) == (
        "3:14: `sounds/jazz.wav` is no sound, or is damaged | WAV, FLAC, Ogg Vorbis and MP3 can be played"
    )


def test_a_file_of_nothing_and_a_sound_of_nothing_are_told_apart(tmp_path):
    office(tmp_path)
    path = tmp_path / "sounds" / "jazz.wav"
    path.touch()
    assert said(tmp_path) == "3:14: `sounds/jazz.wav` is empty | None"
    silence(path, 0.0)
    assert said(tmp_path) == "3:14: `sounds/jazz.wav` holds no sound | None"


def test_a_flac_that_was_cut_off_is_damaged_and_an_mp3_says_where(tmp_path):
    flac = silence(tmp_path / "jazz.flac", 5.0)
    flac.write_bytes(flac.read_bytes()[:-20])
    with pytest.raises(SoundError, match="is no sound, or is damaged"):
        read_sound("jazz", flac)
    mp3 = silence(tmp_path / "jazz.mp3", 5.0, 16000)
    mp3.write_bytes(mp3.read_bytes()[: mp3.stat().st_size // 2])
    with pytest.raises(SoundError, match=r"^breaks off after 2\.\d s of 5\.\d s$"):
        read_sound("jazz", mp3)


def test_half_an_hour_can_be_played_and_no_longer(tmp_path):
    path = tmp_path / "long.wav"
    for seconds in (MOST, MOST + 1):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(4000)
            file.writeframes(bytes(4000 * seconds))
        if seconds > MOST:
            with pytest.raises(SoundError, match=r"^is longer than 30 minutes$"):
                read_sound("jazz", path)
        else:
            assert read_sound("jazz", path).name == "jazz"


def test_what_says_of_itself_that_it_is_longer_is_not_decoded_to_see(tmp_path):
    path = silence(tmp_path / "long.flac")
    flac = bytearray(path.read_bytes())
    flac[22:26] = (MOST * 8000 + 1).to_bytes(4, "big")
    path.write_bytes(flac)
    with pytest.raises(SoundError, match="is longer than 30 minutes"):
        read_sound("long", path)


def test_a_rate_at_which_nothing_can_be_heard_is_refused(tmp_path):
    office(tmp_path)
    silence(tmp_path / "sounds" / "jazz.wav", rate=1000)
    advice = "save it with 4000 or more, such as 16000"
    assert said(tmp_path) == f"3:14: `sounds/jazz.wav` has 1000 samples a second | {advice}"


def test_what_is_wrong_with_a_sound_is_told_beside_all_else(tmp_path):
    script = office(tmp_path)
    script.write_text(SCRIPT.replace("reject 403", "reject 17"))
    with pytest.raises(PolicyError) as caught:
        load(script)
    assert [problem.line for problem in caught.value.problems] == [3, 4]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW", "IMA_ADPCM"])
def test_of_plain_samples_the_header_tells_and_of_others_nothing(tmp_path, subtype):
    path = silence(tmp_path / "jazz.wav", 2.0, 16000, subtype=subtype)
    with FileIO(path) as file:
        assert _plain_wave(file) == ((16000, 32000) if subtype.startswith("PCM") else None)


def test_what_a_header_tells_is_what_is_decoded_whatever_it_says(tmp_path):
    choose = random.Random(7)
    path = tmp_path / "jazz.wav"
    sound = silence(path, 1.0).read_bytes()
    told = 0
    for _ in range(400):
        damaged = bytearray(sound[: choose.choice([len(sound), len(sound), choose.randrange(len(sound))])])
        for _ in range(choose.randrange(3)):
            damaged[choose.randrange(min(44, len(damaged)))] = choose.choice([0, 1, 2, 3, 8, 16, 24, 255])
        path.write_bytes(damaged)
        with FileIO(path) as file:
            plain = _plain_wave(file)
        if plain is not None and plain[0]:
            told += 1
            with soundfile.SoundFile(path) as file:
                assert (file.samplerate, len(file.read(dtype="int16"))) == plain
    assert told > 50
