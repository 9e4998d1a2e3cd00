"""The simulated office's policy, loaded as the server loads one: from files, its secrets readable by nobody else."""

from __future__ import annotations

import shutil
import wave
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dsl import policy
from dsl.policy import Policy

HERE = Path(__file__).parent
DOMAIN = "acme.example"
USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
TRUNK_ACCOUNT = ("acme", "trunk-secret")


def password_of(user: str) -> str:
    """What users.yaml says."""
    return f"{user}-secret"


def write_sound(path: Path, value: int) -> None:
    """A sound of 20 ms, each with its own value."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(value.to_bytes(2, "little") * 160)


@lru_cache(maxsize=8)
def office(way: str = "auto", comment: str = "", registers: bool = False) -> Policy:
    """The policy, by which media goes that way; with a comment its text differs, and so does its version."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        shutil.copy(HERE / "users.yaml", path)
        secrets = path / "secrets.yaml"
        secrets.touch(mode=0o600)
        secrets.write_text(f"pstn: {{password: {TRUNK_ACCOUNT[1]}}}\n")
        route = path / "sim.route"
        text = (HERE / "sim.route").read_text().replace("media auto", f"media {way}")
        if registers:
            text = text.replace('login  "acme"', 'check every 20s register as "acme"')
        write_sound(path / "jazz.wav", 1)
        route.write_text(f"{text}\n# {comment}\n" if comment else text)
        return policy.load(route)
