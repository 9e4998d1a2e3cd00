"""Which nonces hold: how long, how often, and whose (RFC 7616 3.3, 3.4 and 5.4)."""

from __future__ import annotations

import hashlib

import pytest

from b2bua.registrar.authenticator import Authenticator, Refused, Stale, Verified
from b2bua.sip.headers import Challenge

from .phone import WALL
from .server import DRAW, REALM, URI, answer, authenticator, offered, verdict


def test_an_expired_nonce_is_stale_only_with_the_right_password() -> None:
    server = authenticator(lifetime=300.0)
    challenge = offered(server)
    assert verdict(server, answer(challenge), WALL + 300) == Verified("alice")
    challenge = offered(server)
    assert verdict(server, answer(challenge), WALL + 301) == Stale("alice")
    assert isinstance(verdict(server, answer(challenge, password="guess"), WALL + 301), Refused)
    [(_, again)] = server.challenge(WALL + 301, DRAW, stale=True)
    assert again.endswith("stale=true")
    assert verdict(server, answer(Challenge.parse(again)), WALL + 301) == Verified("alice")


def test_a_nonce_outlives_the_process_if_the_key_does() -> None:
    challenge = offered(authenticator())
    assert verdict(authenticator(), answer(challenge)) == Verified("alice")
    other = Authenticator(b"x" * 32, REALM, ("MD5",), 300.0)
    assert verdict(other, answer(challenge)) == Stale("alice")


@pytest.mark.parametrize("change", [(0, "f"), (12, "x"), (-1, "g"), (None, "short"), (None, "ünïcode"), (None, "")])
def test_a_nonce_that_is_not_ours_is_stale(change: tuple[int | None, str]) -> None:
    server = authenticator()
    challenge = offered(server)
    place, text = change
    letters = list(challenge.nonce)
    if place is not None:
        letters[place] = text
    nonce = text if place is None else "".join(letters)
    if not nonce:
        emptied = answer(challenge).replace(challenge.nonce, "")
        assert isinstance(verdict(server, emptied), Stale | Refused)
        return
    forged = Challenge.parse(server.challenge(WALL, DRAW)[0][1].replace("nonce=", "x=") + f', nonce="{nonce}"')
    assert verdict(server, answer(forged)) == Stale("alice")


def test_a_clock_set_back_makes_nonces_stale_not_eternal() -> None:
    server = authenticator()
    assert verdict(server, answer(offered(server)), WALL - 3) == Verified("alice")
    assert verdict(server, answer(offered(server)), WALL - 3600) == Stale("alice")


def test_a_nonce_count_rises_and_a_replay_is_stale() -> None:
    server = authenticator()
    challenge = offered(server)
    assert verdict(server, answer(challenge, nc=1)) == Verified("alice")
    assert verdict(server, answer(challenge, nc=1)) == Stale("alice")
    assert verdict(server, answer(challenge, nc=5)) == Verified("alice")
    assert verdict(server, answer(challenge, nc=4)) == Stale("alice")
    assert verdict(server, answer(challenge, nc=6)) == Verified("alice")


def test_each_new_nonce_may_begin_at_1_again() -> None:
    server = authenticator()
    assert [verdict(server, answer(offered(server), nc=1)) for _ in range(50)] == [Verified("alice")] * 50


def test_a_full_table_lets_no_replay_through() -> None:
    server = authenticator(nonces=10)
    challenges = [offered(server, WALL + second) for second in range(30)]
    for second, challenge in enumerate(challenges):
        assert verdict(server, answer(challenge), WALL + second) == Verified("alice")
    assert len(server._nonces) == 10
    for challenge in challenges:
        assert verdict(server, answer(challenge), WALL + 30) == Stale("alice")
        assert verdict(server, answer(challenge, nc=1), WALL + 30) == Stale("alice")


def test_expired_nonces_leave_the_table_by_themselves() -> None:
    server = authenticator(lifetime=10.0)
    for second in range(0, 200, 2):
        assert verdict(server, answer(offered(server, WALL + second)), WALL + second) == Verified("alice")
    assert len(server._nonces) <= 7


def without_qop(server: Authenticator, password: str = "secret") -> str:
    challenge = offered(server)
    ha1 = hashlib.md5(f"alice:{REALM}:{password}".encode()).hexdigest()
    ha2 = hashlib.md5(f"REGISTER:{URI}".encode()).hexdigest()
    response = hashlib.md5(f"{ha1}:{challenge.nonce}:{ha2}".encode()).hexdigest()
    where = f'realm="{REALM}", nonce="{challenge.nonce}", uri="{URI}"'
    return f'Digest username="alice", {where}, response="{response}"'


def test_without_qop_a_nonce_serves_once() -> None:
    server = authenticator()
    old_phone = without_qop(server)
    assert verdict(server, old_phone) == Verified("alice")
    assert verdict(server, old_phone) == Stale("alice")
    assert isinstance(verdict(server, without_qop(server, "guess")), Refused)
