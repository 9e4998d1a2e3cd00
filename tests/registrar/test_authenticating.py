"""Challenges and credentials: RFC 3261 section 22, RFC 7616, RFC 8760."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest

from b2bua.registrar.authenticator import Absent, Authenticator, Refused, Verified
from b2bua.sip import digest
from b2bua.sip.errors import LocalError, PeerError
from b2bua.sip.headers import Challenge, Credentials

from .phone import WALL, message
from .server import DRAW, KEY, PASSWORDS, REALM, URI, answer, authenticator, credentials, offered, verdict


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
    assert verdict(server, answer(offered(server)).replace("example.com", "example.org")) == Absent()


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
        (hmac, "compare_digest"),
    ]:
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    monkeypatch.setattr("b2bua.registrar.authenticator.compare_digest", counted("compare", hmac.compare_digest))
    monkeypatch.setattr("b2bua.registrar.nonces.blake2b", counted("blake2b", hashlib.blake2b))
    spent = {}
    for which, request in requests.items():
        ledger.clear()
        server.verify(request, WALL, lambda user, algorithm: stored.get((user, algorithm)))
        spent[which] = list(ledger)
    assert spent["alice", 0] == spent["nobody", 0]
    assert spent["alice", 1] == spent["nobody", 1]
    assert "sha256" in spent["nobody", 0]


def test_the_decoy_of_an_unknown_user_is_no_way_in() -> None:
    server = authenticator()
    challenge = offered(server)
    guess = answer(challenge, "nobody", "guess")
    stolen = server._decoys["MD5"]
    proof = digest.response(stolen, "REGISTER", URI, challenge.nonce, "00000001", "0a4f113b", "auth", "MD5")
    with_decoy = guess.replace(Credentials.parse(guess).response, proof)
    assert verdict(server, with_decoy) == Refused("nobody", "wrong user or password")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
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


def test_the_uri_may_leave_out_the_user_but_not_name_another() -> None:
    server = authenticator()
    asked = "sip:bob@example.com"
    for uri, holds in ((asked, True), ("sip:example.com", True), ("sip:carol@example.com", False)):
        request = message(f"Authorization: {answer(offered(server), uri=uri)}", uri=asked)
        assert (server.verify(request, WALL, credentials) == Verified("alice")) is holds


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
    assert server.verify(request, WALL, credentials) == Absent()


def test_the_rfc_7616_example_holds() -> None:
    """RFC 7616 3.9.1: what `sip.digest` computes here, computed there."""
    ha1 = digest.ha1("Mufasa", "http-auth@example.org", "Circle of Life", "MD5")
    nonce, cnonce = (
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    proof = digest.response(ha1, "GET", "/dir/index.html", nonce, "00000001", cnonce, "auth", "MD5")
    assert proof == "8ca523f5e9506fed4657c9700eebdbec"
