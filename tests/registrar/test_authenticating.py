"""Challenges and credentials: RFC 3261 section 22, RFC 7616, RFC 8760."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from itertools import count

import pytest

from b2bua.registrar.authenticator import Absent, Authenticator, Refused, Stale, Verdict, Verified
from b2bua.sip import digest
from b2bua.sip.errors import LocalError, PeerError
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


def test_a_challenge_says_everything_a_phone_needs_in_the_usual_order() -> None:
    [(name, value)] = authenticator().challenge(WALL, DRAW)
    assert name == "WWW-Authenticate"
    names = [part.split("=")[0] for part in value.removeprefix("Digest ").split(", ")]
    assert names == ["realm", "nonce", "qop", "opaque", "algorithm", "stale"]
    assert 'realm="example.com"' in value
    assert 'qop="auth"' in value
    assert value.endswith("algorithm=MD5, stale=false")


def test_algorithms_are_offered_in_the_order_of_the_settings() -> None:
    server = authenticator("sha-256", "md5")
    both = [Challenge.parse(value).algorithm for _, value in server.challenge(WALL, DRAW)]
    assert both == ["SHA-256", "MD5"]
    for which in (0, 1):
        assert verdict(server, answer(offered(server, which=which))) == Verified("alice")


@pytest.mark.parametrize("algorithms", [(), ("MD4",), ("MD5", "SHA-256-sess")])
def test_an_unknown_algorithm_is_our_own_fault(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(LocalError):
        Authenticator(KEY, REALM, algorithms, 300.0)


def test_a_proxy_challenge_has_its_own_name_and_its_answer_counts_the_same() -> None:
    server = authenticator()
    [(name, value)] = server.challenge(WALL, DRAW, proxy=True)
    assert name == "Proxy-Authenticate"
    request = message(f"Proxy-Authorization: {answer(Challenge.parse(value))}")
    assert server.verify(request, WALL, credentials) == Verified("alice")


@pytest.mark.parametrize(("user", "password"), list(PASSWORDS.items()))
def test_the_right_password_verifies_the_user(user: str, password: str) -> None:
    server = authenticator()
    assert verdict(server, answer(offered(server), user, password)) == Verified(user)


def test_no_credentials_or_another_scheme_are_absent() -> None:
    server = authenticator()
    assert server.verify(message(), WALL, credentials) == Absent()
    assert verdict(server, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == Absent()
    assert verdict(server, "NoOneKnowsThisScheme opaque-data=here") == Absent()
    assert verdict(server, "Digestive biscuits=2") == Absent()


def test_digest_credentials_that_cannot_be_read_are_400() -> None:
    with pytest.raises(PeerError) as error:
        verdict(authenticator(), "Digest username=")
    assert error.value.status == 400


@pytest.mark.parametrize("user", ["alice", "nobody", "Alice", "alice@example.com"])
def test_a_wrong_password_and_an_unknown_user_look_the_same(user: str) -> None:
    server = authenticator()
    assert verdict(server, answer(offered(server), user, "guess")) == Refused(user, "wrong user or password")


def test_an_unknown_user_costs_what_a_known_one_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    server = authenticator("SHA-256", "MD5")
    ledger: list[str] = []
    requests = {
        (user, which): message(f"Authorization: {answer(offered(server, which=which), user, 'guess')}")
        for user in ("alice", "nobody")
        for which in (0, 1)
    }

    def counted(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def counting(*arguments: object, **named: object) -> object:
            ledger.append(name)
            return function(*arguments, **named)

        return counting

    stored = {("alice", algorithm): credentials("alice", algorithm) for algorithm in ("MD5", "SHA-256")}
    for module, name in [
        (hashlib, "md5"),
        (hashlib, "sha256"),
        (hashlib, "new"),
        (hmac, "digest"),
        (hmac, "compare_digest"),
    ]:
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    monkeypatch.setattr("b2bua.registrar.authenticator.response", counted("response", digest.response))
    monkeypatch.setattr("b2bua.registrar.authenticator.compare_digest", counted("compare", hmac.compare_digest))
    monkeypatch.setattr("b2bua.registrar.nonces.hmac_digest", counted("hmac", hmac.digest))
    spent = {}
    for which, request in requests.items():
        ledger.clear()
        server.verify(request, WALL, lambda user, algorithm: stored.get((user, algorithm)))
        spent[which] = list(ledger)
    assert spent["alice", 0] == spent["nobody", 0]
    assert spent["alice", 1] == spent["nobody", 1]
    assert "response" in spent["nobody", 0]


def test_the_decoy_of_an_unknown_user_is_no_way_in() -> None:
    server = authenticator()
    for guess in ("", "decoy", "0" * 32):
        assert isinstance(verdict(server, answer(offered(server), "nobody", guess)), Refused)


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


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('realm="example.com"', 'realm="example.org"', "wrong realm"),
        ("algorithm=MD5", "algorithm=SHA-256", "algorithm not offered"),
        ("algorithm=MD5", "algorithm=MD5-sess", "algorithm not offered"),
        ("qop=auth", "qop=auth-int", "qop not offered"),
        ('uri="sip:example.com"', 'uri="sip:example.org"', "credentials for another URI"),
        ('uri="sip:example.com"', 'uri="nonsense"', "credentials for another URI"),
        ("nc=00000001", "nc=1", "no nonce count or cnonce"),
        ("nc=00000001", "nc=0x000001", "no nonce count or cnonce"),
        ("nc=00000001", "nc=-0000001", "no nonce count or cnonce"),
        ('cnonce="0a4f113b"', 'cnonce=""', "no nonce count or cnonce"),
    ],
)
def test_credentials_for_something_else_are_refused(old: str, new: str, reason: str) -> None:
    server = authenticator()
    authorization = answer(offered(server))
    assert old in authorization
    assert verdict(server, authorization.replace(old, new)) == Refused("alice", reason)


def test_the_method_is_part_of_what_is_proved() -> None:
    server = authenticator()
    invite = str(digest.answer(offered(server), "INVITE", URI, "alice", "secret", "0a4f113b", 1, b""))
    assert isinstance(verdict(server, invite), Refused)


@pytest.mark.parametrize("uri", ["sip:EXAMPLE.com", "SIP:example.com"])
def test_the_uri_may_be_spelled_otherwise(uri: str) -> None:
    server = authenticator()
    assert verdict(server, answer(offered(server), uri=uri)) == Verified("alice")


def test_case_does_not_matter_where_the_rfcs_say_so() -> None:
    server = authenticator()
    authorization = answer(offered(server)).replace("Digest", "dIGEST").replace("algorithm=MD5", "algorithm=md5")
    assert verdict(server, authorization) == Verified("alice")


def test_credentials_for_other_realms_are_passed_over() -> None:
    server = authenticator()
    foreign = answer(offered(server)).replace("example.com", "example.org")
    request = message(
        f"Authorization: {foreign}", "Authorization: Basic eDp5", f"Authorization: {answer(offered(server))}"
    )
    assert server.verify(request, WALL, credentials) == Verified("alice")


def test_a_heap_of_credentials_is_not_read_to_its_end() -> None:
    server = authenticator()
    foreign = [f"Authorization: {answer(offered(server)).replace('example.com', 'example.org')}"] * 8
    request = message(*foreign, f"Authorization: {answer(offered(server))}")
    assert server.verify(request, WALL, credentials) == Refused("alice", "wrong realm")


def test_the_rfc_7616_example_holds() -> None:
    """RFC 7616 3.9.1: what `sip.digest` computes here, computed there."""
    ha1 = digest.ha1("Mufasa", "http-auth@example.org", "Circle of Life", "MD5")
    nonce, cnonce = (
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    proof = digest.response(ha1, "GET", "/dir/index.html", nonce, "00000001", cnonce, "auth", "MD5")
    assert proof == "8ca523f5e9506fed4657c9700eebdbec"
