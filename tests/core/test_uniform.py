"""To a stranger, an account that is there and one that is not are the same: in what is answered, and in how long that
takes.
"""

from __future__ import annotations

import gc
import re
import time
from pathlib import Path
from statistics import median

import pytest

from b2bua.effects import Send
from b2bua.settings import Security
from b2bua.sip import digest

from .knocking import HOME, WALL, Door

METHODS = ("REGISTER", "INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "REFER", "BYE", "INFO", "FOO")
TRIES = 10_000
PEOPLE = 500


def told(door: Door, method: str, user: str, password: str | None) -> tuple[str, int]:
    """All that is answered, less what is new each time and what the request itself said; and how long it is."""
    authorization = ""
    if password is not None:
        uri = "sip:example.com" if method == "REGISTER" else f"sip:{user}@example.com"
        authorization = str(digest.answer(door.challenge(), method, uri, user, password, "0a4f113b", 1))
    request = door.request(HOME, method, user, authorization)
    [data] = [effect.data for effect in door.take(*request) if isinstance(effect, Send)]
    text = re.sub(r'nonce="\w+"|tag=\w+|branch=\w+|Call-ID: \S+', "", data.decode()).replace(user, "someone")
    return text, len(data)


@pytest.mark.parametrize("password", [None, "guess"])
@pytest.mark.parametrize("method", METHODS)
def test_the_answers_are_the_same_to_the_octet(tmp_path: Path, method: str, password: str | None) -> None:
    door = Door(tmp_path, Security(bans=()))
    assert told(door, method, "u1", password) == told(door, method, "v1", password)


@pytest.mark.parametrize("password", [None, "guess"])
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_the_answers_take_the_same_time(tmp_path: Path, method: str, password: str | None) -> None:
    """Less than 5 % lie between the medians of ten thousand tries."""
    door = Door(tmp_path, Security(trusted=("198.51.100.0/24",)), users=PEOPLE)
    times: dict[str, list[float]] = {"u": [], "v": []}
    challenge = door.challenge()
    gc.collect()
    gc.disable()
    try:
        for number in range(TRIES // 2):
            for kind in ("uv", "vu")[number % 2]:
                user = f"{kind}{number % PEOPLE}"
                authorization = ""
                if password is not None:
                    uri = "sip:example.com" if method == "REGISTER" else f"sip:{user}@example.com"
                    if number % 64 == 0:
                        challenge = door.challenge()
                    authorization = str(digest.answer(challenge, method, uri, user, password, "0a4f113b", 1))
                data, flow = door.request(HOME, method, user, authorization)
                door.now += 0.5
                now, wall = door.now, WALL + door.now
                began = time.perf_counter()
                door.core.datagram(data, flow, now, wall)
                times[kind].append(time.perf_counter() - began)
    finally:
        gc.enable()
    known, unknown = median(times["u"]), median(times["v"])
    assert abs(unknown / known - 1) < 0.05, f"{known * 1e6:.1f} us where it is known, {unknown * 1e6:.1f} where not"
