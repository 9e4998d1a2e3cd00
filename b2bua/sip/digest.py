"""The arithmetic of Digest authentication (RFC 2617 section 3.2.2, RFC 7616 3.4, RFC 8760).

Owns hashes and the client's answer to a challenge. Leaves to the registrar's authenticator which
credentials hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from b2bua.sip.credentials import Challenge, Credentials
from b2bua.sip.errors import PeerError

_SESSION: Final = "-SESS"


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha_256(data: bytes) -> str:
    return hashlib.sha256(data, usedforsecurity=False).hexdigest()


def _sha_512_256(data: bytes) -> str:
    return hashlib.new("sha512_256", data, usedforsecurity=False).hexdigest()


_HASHES: Final[dict[str, Callable[[bytes], str]]] = {"MD5": _md5, "SHA-256": _sha_256, "SHA-512-256": _sha_512_256}
"""The algorithms of RFC 8760 section 2.2, weakest first, each with its function to lower-case hexadecimal."""

_STRENGTH: Final = {name: strength for strength, name in enumerate(_HASHES)}


def ha1(username: str, realm: str, password: str, algorithm: str) -> str:
    """What a server may keep in place of the password, in lower-case hexadecimal (RFC 7616 3.4.2).

    It is the same for an algorithm and its `-sess` variant, whose nonces come in with `response`.
    PeerError 400 for an algorithm that is not known.
    """
    return _hash(algorithm)(_octets(f"{username}:{realm}:{password}"))


def response(
    ha1: str,
    method: str,
    uri: str,
    nonce: str,
    nc: str | None,
    cnonce: str | None,
    qop: str | None,
    algorithm: str,
    body: bytes = b"",
) -> str:
    """The proof that the sender knows the password (RFC 7616 3.4.1; RFC 2069 without `qop`).

    `body` counts with `qop` auth-int only. PeerError 400 for an algorithm that is not known.
    """
    hashed = _hash(algorithm)
    if algorithm[-5:].upper() == _SESSION:
        ha1 = hashed(_octets(f"{ha1}:{nonce}:{cnonce or ''}"))
    action = f"{method}:{uri}"
    if qop is not None and qop.lower() == "auth-int":
        action = f"{action}:{hashed(body)}"
    ha2 = hashed(_octets(action))
    if qop is None:
        return hashed(_octets(f"{ha1}:{nonce}:{ha2}"))
    return hashed(_octets(f"{ha1}:{nonce}:{nc or ''}:{cnonce or ''}:{qop}:{ha2}"))


def answer(
    challenge: Challenge,
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    nc: int,
    body: bytes = b"",
) -> Credentials:
    """The credentials for a challenge (RFC 3261 22.2, RFC 7616 3.4); `nc` counts a nonce's uses from 1.

    auth is taken where it is offered, auth-int where nothing else is. PeerError 400 for a challenge
    that `choose` would not have taken.
    """
    if not _answerable(challenge):
        raise PeerError(400, "Unknown Digest Algorithm Or Qop")
    algorithm, nonce = challenge.algorithm, challenge.nonce
    secret = ha1(username, challenge.realm, password, algorithm)
    qop = None
    if challenge.qop:
        qop = "auth" if "auth" in challenge.qop else "auth-int"
    count = f"{nc:08x}"
    proof = response(secret, method, uri, nonce, count, cnonce, qop, algorithm, body)
    needs_cnonce = qop is not None or algorithm.upper().endswith(_SESSION)
    return Credentials(
        username,
        challenge.realm,
        nonce,
        uri,
        proof,
        algorithm,
        cnonce if needs_cnonce else None,
        count if qop is not None else None,
        qop,
        challenge.opaque,
    )


def choose(challenges: Sequence[Challenge]) -> Challenge | None:
    """The strongest challenge that can be answered, the first of equals (RFC 8760 section 2.4); None without any."""
    known = [challenge for challenge in challenges if _answerable(challenge)]
    return max(known, key=lambda challenge: _STRENGTH[_base(challenge.algorithm)], default=None)


def _answerable(challenge: Challenge) -> bool:
    known = _base(challenge.algorithm) in _HASHES
    return known and (not challenge.qop or "auth" in challenge.qop or "auth-int" in challenge.qop)


def _base(algorithm: str) -> str:
    return algorithm.upper().removesuffix(_SESSION)


def _hash(algorithm: str) -> Callable[[bytes], str]:
    known = _HASHES.get(algorithm) or _HASHES.get(_base(algorithm))
    if known is None:
        raise PeerError(400, "Unknown Digest Algorithm")
    return known


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
