"""An authenticator with a few users, and a phone that answers its challenges: what the digest tests share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from b2bua.registrar.authenticator import Authenticator, Verdict
from b2bua.sip import digest
from b2bua.sip.headers import Challenge

from .phone import WALL, message

KEY = b"k" * 32
REALM = "example.com"
URI = "sip:example.com"
PASSWORDS = {"alice": "secret", "älice": "pässword", "Bob Smith": 'quo"te'}


def draws() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{next(numbers):016x}"


DRAW = draws()


def credentials(user: str, algorithm: str) -> str | None:
    password = PASSWORDS.get(user)
    return None if password is None else digest.ha1(user, REALM, password, algorithm)


def authenticator(*algorithms: str, lifetime: float = 300.0, nonces: int = 100) -> Authenticator:
    return Authenticator(KEY, REALM, algorithms or ("MD5",), lifetime, nonces)


def offered(server: Authenticator, wall: float = WALL, which: int = 0) -> Challenge:
    return Challenge.parse(server.challenge(wall, DRAW)[which][1])


def answer(challenge: Challenge, user: str = "alice", password: str = "secret", nc: int = 1, uri: str = URI) -> str:
    return str(digest.answer(challenge, "REGISTER", uri, user, password, "0a4f113b", nc, b""))


def verdict(server: Authenticator, authorization: str, wall: float = WALL, uri: str = URI) -> Verdict:
    return server.verify(message(f"Authorization: {authorization}", uri=uri), wall, credentials)
