"""Which nonces hold: how long, how often, and whose (RFC 7616 3.3, 3.4 and 5.4)."""

from __future__ import annotations

import hashlib

import pytest

from b2bua.registrar.authenticator import Authenticator, Held, Refused, Stale, Verified
from b2bua.sip.headers import Challenge

from .phone import WALL, message
from .server import DRAW, REALM, URI, answer, authenticator, credentials, offered, verdict


def test_an_expired_nonce_is_stale_and_does_not_tell_whether_the_password_is_right() -> None:
    server = authenticator(lifetime=300.0)
    challenge = offered(server)
    assert verdict(server, answer(challenge), WALL + 300) == Verified("alice")
    challenge = offered(server)
    assert verdict(server, answer(challenge), WALL + 301) == Stale()
    assert verdict(server, answer(challenge, password="guess"), WALL + 301) == Stale()
    assert verdict(server, answer(challenge, user="nobody"), WALL + 301) == Stale()
    [(_, again)] = server.challenge(WALL + 301, DRAW, stale=True)
    assert again.endswith("stale=true")
    assert verdict(server, answer(Challenge.parse(again)), WALL + 301) == Verified("alice")


def test_a_nonce_outlives_the_process_if_the_key_does() -> None:
    challenge = offered(authenticator())
    assert verdict(authenticator(), answer(challenge)) == Verified("alice")
    other = Authenticator(b"x" * 32, REALM, ("MD5",), 300.0)
    assert verdict(other, answer(challenge)) == Stale()


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
    assert verdict(server, answer(forged)) == Stale()


def test_a_clock_set_back_makes_nonces_stale_not_eternal() -> None:
    server = authenticator()
    assert verdict(server, answer(offered(server)), WALL - 3) == Verified("alice")
    assert verdict(server, answer(offered(server)), WALL - 3600) == Stale()


def test_a_nonce_count_rises_and_a_replay_is_stale() -> None:
    server = authenticator()
    challenge = offered(server)
    assert verdict(server, answer(challenge, nc=1)) == Verified("alice")
    assert verdict(server, answer(challenge, nc=1)) == Stale()
    assert verdict(server, answer(challenge, nc=5)) == Verified("alice")
    assert verdict(server, answer(challenge, nc=4)) == Stale()
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
        assert verdict(server, answer(challenge), WALL + 30) == Stale()
        assert verdict(server, answer(challenge, nc=1), WALL + 30) == Stale()


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
    assert verdict(server, old_phone) == Stale()
    assert isinstance(verdict(server, without_qop(server, "guess")), Refused)


def test_a_nonce_proves_the_address_that_it_was_sent_to() -> None:
    server = authenticator()
    [(_, value)] = server.challenge(WALL, DRAW, address="192.0.2.7")
    request = message(f"Authorization: {answer(Challenge.parse(value), password='guess')}")
    assert server.verify(request, WALL, credentials, "192.0.2.8") == Stale()
    assert server.verify(request, WALL, credentials, "192.0.2.7") == Refused("alice", "wrong user or password")
    assert server.verify(request, WALL, credentials) == Refused("alice", "wrong user or password")


def test_a_count_of_0_cannot_be_used_twice_either() -> None:
    server = authenticator()
    challenge = offered(server)
    assert verdict(server, answer(challenge, nc=0)) == Verified("alice")
    assert verdict(server, answer(challenge, nc=0)) == Stale()


def test_whoever_may_not_try_learns_nothing_from_trying() -> None:
    server = authenticator()
    challenge = offered(server)
    right, wrong = (message(f"Authorization: {answer(challenge, password=word)}") for word in ("secret", "guess"))
    for request in (right, wrong, right, wrong):
        assert server.verify(request, WALL, credentials, None, lambda user: False) == Held("alice")
    assert server.verify(right, WALL, credentials) == Verified("alice")
