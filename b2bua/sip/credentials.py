"""Digest challenges and the credentials that answer them (RFC 3261 20.7, 20.44; RFC 7616 3.3 and 3.4).

Owns how they are read and written. Leaves to `digest` what is computed, to the registrar what holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import BLANK, is_token, quote, read_quoted, split_commas, unquote

_ORDINARY = re.compile(r'(?:[a-z]++=(?:"[^"\\,]*+"|[^"\\,<\s]++)(?:, ?(?!\Z)|\Z))++')
"""Parameters as nearly everybody writes them: names in lower case, in values neither comma nor escape."""


def _read_digest(text: str) -> dict[str, str]:
    """The parameters of a Digest value, names in lower case, values unquoted. PeerError 400 for another scheme."""
    scheme, _, rest = text.strip(BLANK).partition(" ")
    if scheme.lower() != "digest":
        raise PeerError(400, "Not Digest Authentication")
    if _ORDINARY.fullmatch(rest):
        pieces = rest.replace('"', "").replace(", ", ",").split(",")
        ordinary = dict([piece.split("=", 1) for piece in pieces])
        if len(ordinary) == len(pieces):
            return ordinary
    return _read_params(rest)


def _read_params(text: str) -> dict[str, str]:
    """The parameters, however they are written. PeerError 400."""
    found = {}
    for piece in split_commas(text):
        name, equals_sign, value = piece.partition("=")
        name, value = name.strip(BLANK).lower(), value.strip(BLANK)
        if not equals_sign or not is_token(name) or name in found:
            raise PeerError(400, "Bad Digest Parameter")
        if value[:1] == '"' and read_quoted(value)[1] != len(value):
            raise PeerError(400, "Bad Digest Parameter")
        found[name] = unquote(value)
    return found


def _write_digest(pieces: Sequence[tuple[str, str | None]]) -> str:
    return "Digest " + ", ".join([f"{name}={value}" for name, value in pieces if value is not None])


def _quoted(text: str | None) -> str | None:
    return None if text is None else quote(text)


class Challenge(msgspec.Struct, frozen=True, gc=False):
    """What a WWW-Authenticate or Proxy-Authenticate asks for. `algorithm` keeps its spelling, MD5 where none is named.

    `qop` lists the offered qualities in lower case; it is empty where the server is one of RFC 2069.
    """

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False
    domain: str | None = None

    @staticmethod
    def parse(text: str) -> Challenge:
        """Read a header value. PeerError 400, also for a scheme that is not Digest."""
        found = _read_digest(text)
        if "realm" not in found or "nonce" not in found:
            raise PeerError(400, "Digest Challenge Lacks Realm Or Nonce")
        return Challenge(
            found["realm"],
            found["nonce"],
            found.get("algorithm", "MD5"),
            tuple([quality.lower() for quality in split_commas(found.get("qop", ""))]),
            found.get("opaque"),
            found.get("stale", "").lower() == "true",
            found.get("domain"),
        )

    def __str__(self) -> str:
        return _write_digest(
            [
                ("realm", quote(self.realm)),
                ("domain", _quoted(self.domain)),
                ("nonce", quote(self.nonce)),
                ("opaque", _quoted(self.opaque)),
                ("stale", "true" if self.stale else None),
                ("algorithm", self.algorithm),
                ("qop", quote(",".join(self.qop)) if self.qop else None),
            ]
        )


class Credentials(msgspec.Struct, frozen=True, gc=False):
    """What an Authorization or Proxy-Authorization says. None stands for what was left out; `nc` is text as written."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str | None = None
    cnonce: str | None = None
    nc: str | None = None
    qop: str | None = None
    opaque: str | None = None

    @staticmethod
    def parse(text: str) -> Credentials:
        """Read a header value. PeerError 400, also for a scheme that is not Digest."""
        found = _read_digest(text)
        try:
            return msgspec.convert(found, Credentials)
        except msgspec.ValidationError:
            raise PeerError(400, "Digest Credentials Incomplete") from None

    def __str__(self) -> str:
        return _write_digest(
            [
                ("username", quote(self.username)),
                ("realm", quote(self.realm)),
                ("nonce", quote(self.nonce)),
                ("uri", quote(self.uri)),
                ("response", quote(self.response)),
                ("algorithm", self.algorithm),
                ("cnonce", _quoted(self.cnonce)),
                ("opaque", _quoted(self.opaque)),
                ("qop", self.qop),
                ("nc", self.nc),
            ]
        )
