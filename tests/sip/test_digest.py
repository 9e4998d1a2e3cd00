"""Digest arithmetic against the vectors of the RFCs."""

from __future__ import annotations

import pytest

from b2bua.sip.credentials import Challenge
from b2bua.sip.digest import answer, choose, ha1, response
from b2bua.sip.errors import PeerError

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "proof"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_3_9_1(algorithm: str, proof: str) -> None:
    secret = ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    made = response(secret, "GET", "/dir/index.html", NONCE, "00000001", CNONCE, "auth", algorithm)
    assert made == proof
    challenge = Challenge("http-auth@example.org", NONCE, algorithm, ("auth", "auth-int"), "opaque")
    credentials = answer(challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life", CNONCE, 1)
    assert credentials.response == proof
    assert (credentials.nc, credentials.cnonce, credentials.qop) == ("00000001", CNONCE, "auth")
    assert credentials.opaque == "opaque"


def test_rfc_2617_3_5() -> None:
    secret = ha1("Mufasa", "testrealm@host.com", "Circle Of Life", "MD5")
    assert secret == "939e7578ed9e3c518a452acee763bce9"
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    made = response(secret, "GET", "/dir/index.html", nonce, "00000001", "0a4f113b", "auth", "MD5")
    assert made == "6629fae49393a05397450978507c4ef1"


def test_rfc_2069_without_qop() -> None:
    """The example of RFC 2069 section 2.4 with its erratum 749."""
    secret = ha1("Mufasa", "testrealm@host.com", "CircleOfLife", "MD5")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    assert response(secret, "GET", "/dir/index.html", nonce, None, None, None, "MD5") == (
        "1949323746fe6a43ef61f9606e7febea"
    )


def test_sessions_mix_the_nonces_into_the_secret() -> None:
    """RFC 7616 3.4.2: H(H(user:realm:password):nonce:cnonce)."""
    plain = ha1("u", "r", "p", "MD5")
    assert ha1("u", "r", "p", "MD5-sess") == plain
    made = response(plain, "INVITE", "sip:x", "n", "00000001", "c", "auth", "MD5-sess")
    mixed = ha1(plain, "n", "c", "MD5")
    assert made == response(mixed, "INVITE", "sip:x", "n", "00000001", "c", "auth", "MD5")
    assert made != response(plain, "INVITE", "sip:x", "n", "00000001", "c", "auth", "MD5")


def test_auth_int_covers_the_body() -> None:
    secret = ha1("u", "r", "p", "SHA-256")

    def proof(body: bytes) -> str:
        return response(secret, "INVITE", "sip:x", "n", "00000001", "c", "auth-int", "SHA-256", body)

    assert proof(b"a") != proof(b"b")
    only = Challenge("r", "n", "SHA-256", ("auth-int",))
    assert answer(only, "INVITE", "sip:x", "u", "p", "c", 1, b"a").response == proof(b"a")


def test_an_answer_without_qop_has_neither_count_nor_cnonce() -> None:
    credentials = answer(Challenge("r", "n"), "INVITE", "sip:x", "u", "p", "c", 1)
    assert (credentials.qop, credentials.nc, credentials.cnonce) == (None, None, None)


def test_a_session_without_qop_still_tells_its_cnonce() -> None:
    credentials = answer(Challenge("r", "n", "MD5-sess"), "INVITE", "sip:x", "u", "p", "c", 1)
    assert (credentials.qop, credentials.nc, credentials.cnonce) == (None, None, "c")


def test_the_strongest_known_challenge_is_chosen() -> None:
    md5, sha, long = Challenge("r", "1", "MD5"), Challenge("r", "2", "sha-256"), Challenge("r", "3", "SHA-512-256")
    unknown, odd = Challenge("r", "4", "SHA3-256"), Challenge("r", "5", "SHA-512-256", ("token",))
    assert choose([md5, sha, unknown, odd]) is sha
    assert choose([md5, long, sha]) is long
    assert choose([md5, Challenge("r", "6", "MD5-sess")]) is md5
    assert choose([unknown, odd]) is None
    assert choose([]) is None


def test_an_unknown_algorithm_is_400() -> None:
    with pytest.raises(PeerError):
        ha1("u", "r", "p", "SHA3-256")
    with pytest.raises(PeerError):
        answer(Challenge("r", "n", "MD5", ("token",)), "INVITE", "sip:x", "u", "p", "c", 1)
