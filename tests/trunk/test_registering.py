"""What a REGISTER of ours leads to, read from single answers: who is refused, what is granted, how nonces are used."""

from __future__ import annotations

import pytest

from b2bua.routing.destination import Account
from b2bua.sip.message import Response
from b2bua.sip.parser import parse
from b2bua.trunk.asking import between
from b2bua.trunk.login import Login
from b2bua.trunk.registration import granted, seconds_in

MINE = "<sip:token@192.0.2.1:5060>"


def answer(status: int, *headers: str) -> Response:
    lines = ["Via: SIP/2.0/UDP h;branch=z9hG4bK1", "From: <sip:a@b>;tag=1", "To: <sip:a@b>;tag=2", "Call-ID: c"]
    text = "\r\n".join((f"SIP/2.0 {status} Because", *lines, "CSeq: 1 REGISTER", *headers, "Content-Length: 0", "", ""))
    response = parse(text.encode())
    assert isinstance(response, Response)
    return response


def challenge(nonce: str, *more: str) -> Response:
    return answer(401, f'WWW-Authenticate: Digest realm="r", nonce="{nonce}", qop="auth"{"".join(more)}')


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((f"Contact: {MINE};expires=60", "Expires: 3600"), 60),
        ((f"Contact: <sip:other@192.0.2.9>;expires=7, {MINE};expires=90",), 90),
        ((f"Contact: {MINE}", "Expires: 300"), 300),
        (("Contact: <sip:rewritten@203.0.113.9>;expires=120",), 120),
        (("Expires: 0",), 0),
        ((), 600),
        (("Contact: <broken", "Expires: 45"), 45),
        (("Expires: soon",), 600),
    ],
)
def test_the_time_granted_is_read_wherever_the_registrar_says_it(headers: tuple[str, ...], seconds: int) -> None:
    assert granted(answer(200, *headers), "token", 600) == seconds


def test_seconds_are_whole_and_within_a_week() -> None:
    assert [seconds_in(text) for text in (None, "", "-1", "5.5", " 60 ", "999999999", "9" * 30)] == [
        None,
        None,
        None,
        None,
        60,
        604_800,
        None,
    ]


def test_a_nonce_is_used_again_and_counted() -> None:
    login = Login(Account("acme", "secret"))
    assert login.header("REGISTER", "sip:r", "c") == ()
    assert login.challenged(challenge("n"))
    shown = [login.header("REGISTER", "sip:r", "c")[0] for _ in range(2)]
    assert [name for name, _ in shown] == ["Authorization"] * 2
    assert ["nc=00000001" in shown[0][1], "nc=00000002" in shown[1][1]] == [True, True]


def test_a_fresh_challenge_after_an_answer_is_a_refusal_and_a_stale_one_is_not() -> None:
    login = Login(Account("acme", "secret"))
    assert login.challenged(challenge("one"))
    assert not login.challenged(challenge("two"))
    assert login.challenged(challenge("three", ", stale=true"))
    assert not login.challenged(challenge("four", ", stale=true"))
    login.accepted()
    assert login.challenged(challenge("five"))
    login.forget()
    assert login.header("REGISTER", "sip:r", "c") == ()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_strongest_challenge_that_we_know_is_answered(algorithm: str) -> None:
    login = Login(Account("acme", "secret"))
    asked = [
        f'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm={name}' for name in ("X", algorithm)
    ]
    assert login.challenged(answer(401, *asked))
    assert f"algorithm={algorithm}" in login.header("REGISTER", "sip:r", "c")[0][1]


def test_a_proxy_that_asks_is_answered_as_a_proxy() -> None:
    login = Login(Account("acme", "secret"))
    assert login.challenged(answer(407, 'Proxy-Authenticate: Digest realm="r", nonce="n"'))
    assert login.header("REGISTER", "sip:r", "c")[0][0] == "Proxy-Authorization"


def test_what_nobody_can_answer_is_not_answered() -> None:
    login = Login(Account("acme", "secret"))
    assert not login.challenged(answer(401))
    assert not login.challenged(answer(401, 'WWW-Authenticate: Basic realm="r"'))


def test_waits_lie_between_their_bounds() -> None:
    assert between(10.0, 20.0, lambda: "0" * 16) == 10.0
    assert between(10.0, 20.0, lambda: "f" * 16) == 20.0
    assert 10.0 < between(10.0, 20.0, lambda: "8" * 16) < 20.0
