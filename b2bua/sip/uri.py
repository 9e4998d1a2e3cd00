"""URIs as SIP uses them (RFC 3261 section 19.1, RFC 3966).

Owns reading, writing and comparing. Leaves to the core which schemes it can route (416 otherwise). A scheme that is
neither sip, sips nor tel is opaque: everything after its colon is `user`, and `host` is empty.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import ALPHANUMERIC, decode_percent, encode_percent, is_number
from b2bua.values import Frozen

Params: TypeAlias = tuple[tuple[str, str | None], ...]
"""Names in lower case with their values as written; None where there is no equals sign."""

CACHED_LENGTH: Final = 200
"""Characters up to which a text is worth remembering: a cache then never holds more than a few megabytes."""

HOST_LENGTH: Final = 255
"""The longest name that DNS knows (RFC 1035 2.3.4)."""

_HOST: Final = frozenset(ALPHANUMERIC + "-._")
_SCHEME: Final = frozenset(ALPHANUMERIC + "+-.")
_USER: Final = frozenset(ALPHANUMERIC + "-_.!~*'()&=+$,;?/")
_RESERVED: Final = frozenset(";/?:@&=+$,")
_ESCAPE: Final = re.compile("%([0-9A-Fa-f]{2})")
_NEVER: Final = re.compile(r'[\x00-\x20\x7f<>"\\]')
_DISTINGUISHING: Final = ("user", "ttl", "method", "maddr", "transport")


class Uri(Frozen):
    """A URI. `user`, `password`, `params` and `headers` stand as they were written, escapes included.

    `host` is in lower case, IPv6 without brackets; `tel` has its number in `user` and no host. `headers` is what
    follows the question mark.
    """

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None
    params: Params = ()
    headers: str | None = None

    @staticmethod
    def parse(text: str) -> Uri:
        """Read a URI without angle brackets. PeerError 400."""
        return _remembered(text) if len(text) <= CACHED_LENGTH else _read(text)

    @property
    def username(self) -> str | None:
        """The user with its escapes resolved: it can hold any character."""
        return None if self.user is None else decode_percent(self.user)

    def param(self, name: str) -> str | None:
        """The value of a parameter, "" where it has none, None where it is absent. `name` in lower case."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    def has(self, name: str) -> bool:
        """Whether a parameter is there. `name` in lower case."""
        return any(key == name for key, _ in self.params)

    def without_headers(self) -> Uri:
        """The URI without its header components, as a Request-URI has to be (RFC 3261 19.1.5)."""
        return self if self.headers is None else self.replace(headers=None)

    def replace(self, **changes: Any) -> Uri:
        """The URI with these fields changed."""
        return msgspec.structs.replace(self, **changes)

    def __str__(self) -> str:
        text = f"{self.scheme}:"
        if self.host:
            if self.user is not None:
                password = "" if self.password is None else f":{self.password}"
                text += f"{self.user}{password}@"
            text += host_port(self.host, self.port)
        else:
            text += self.user or ""
        if self.params:
            text += write_params(self.params)
        return text if self.headers is None else f"{text}?{self.headers}"


def write_params(params: Params) -> str:
    """Parameters as they stand behind a value, each with its semicolon."""
    return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in params])


def host_port(host: str, port: int | None) -> str:
    """A host and a port as a URI or a Via writes them: IPv6 in brackets."""
    if ":" in host:
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"


def read_host_port(text: str) -> tuple[str, int | None]:
    """Read `host [":" port]` (RFC 3261 section 25.1 hostport). PeerError 400."""
    if text[:1] == "[":
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and rest[0] != ":"):
            raise PeerError(400, "Bad IPv6 Address")
        host = _read_ipv6(host)
        port = rest[1:]
    else:
        host, _, port = text.partition(":")
        if not host or len(host) > HOST_LENGTH or not _HOST.issuperset(host):
            raise PeerError(400, "Bad Host")
    if not port:
        return host.lower(), None
    if not is_number(port) or len(port) > 5 or not 0 < int(port) < 65536:
        raise PeerError(400, "Bad Port")
    return host.lower(), int(port)


@lru_cache(maxsize=1024)
def _read_ipv6(text: str) -> str:
    """An IPv6 address, without brackets and zone, in lower case. PeerError 400.

    The grammar of RFC 3261 lets a third colon stand before an IPv4 address: it is read as if it were not there
    (RFC 5118 section 4.10).
    """
    before, colons, after = text.partition(":::")
    if colons and "." in after and ":" not in after:
        text = f"{before}::{after}"
    try:
        if len(text) <= 45 and "%" not in text:
            ipaddress.IPv6Address(text)
            return text.lower()
    except ValueError:
        pass
    raise PeerError(400, "Bad IPv6 Address")


def escape_user(text: str) -> str:
    """Any text as the user part of a URI (RFC 3261 section 25.1 `user`)."""
    return encode_percent(text, _USER)


def _read(text: str) -> Uri:
    if _NEVER.search(text):
        raise PeerError(400, "Bad Character In URI")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not scheme or not _SCHEME.issuperset(scheme):
        raise PeerError(400, "Bad URI")
    if scheme in ("sip", "sips"):
        return _read_sip(scheme, rest)
    if not rest:
        raise PeerError(400, "Bad URI")
    if scheme == "tel":
        number, _, params = rest.partition(";")
        if not number:
            raise PeerError(400, "Bad Telephone URI")
        return Uri(scheme, number, None, "", None, _read_params(params))
    return Uri(scheme, rest, None, "", None)


_remembered: Final = lru_cache(maxsize=4096)(_read)


def _read_sip(scheme: str, rest: str) -> Uri:
    user, at, place = rest.partition("@")
    password = None
    if at:
        user, colon, secret = user.partition(":")
        if colon:
            password = secret
        if not user or "@" in place:
            raise PeerError(400, "Bad User In URI")
    else:
        place = rest
    place, question, headers = place.partition("?")
    place, _, params = place.partition(";")
    host, port = read_host_port(place)
    return Uri(
        scheme,
        user if at else None,
        password,
        host,
        port,
        _read_params(params),
        headers if question else None,
    )


def _read_params(text: str) -> Params:
    if not text:
        return ()
    params = []
    for piece in text.split(";"):
        name, equals_sign, value = piece.partition("=")
        if name:
            params.append((name.lower(), value if equals_sign else None))
        elif piece:
            raise PeerError(400, "Bad Parameter In URI")
    return tuple(params)


def equals(a: Uri, b: Uri) -> bool:
    """Whether two URIs are the same by RFC 3261 19.1.4.

    `transport` counts with those parameters that have to be in both, as the examples of that section have it.
    """
    if a == b:
        return True
    if a.scheme != b.scheme or a.port != b.port or not _same_host(a.host, b.host):
        return False
    if _plain(a.user) != _plain(b.user) or _plain(a.password) != _plain(b.password):
        return False
    return _same_params(a, b) and _header_set(a.headers) == _header_set(b.headers)


def _same_host(a: str, b: str) -> bool:
    if a == b:
        return True
    return ":" in a and ":" in b and ipaddress.IPv6Address(a) == ipaddress.IPv6Address(b)


def _same_params(a: Uri, b: Uri) -> bool:
    ours, theirs = _param_table(a.params), _param_table(b.params)
    if any((name in ours) != (name in theirs) for name in _DISTINGUISHING):
        return False
    return all(ours[name] == theirs[name] for name in ours.keys() & theirs.keys())


def _param_table(params: Params) -> dict[str, str]:
    return {(_plain(name) or "").lower(): (_plain(value) or "").lower() for name, value in params}


def _header_set(headers: str | None) -> list[tuple[str, str]]:
    pairs = [piece.partition("=") for piece in (headers or "").split("&") if piece]
    return sorted([((_plain(name) or "").lower(), _plain(value) or "") for name, _, value in pairs])


def _plain(text: str | None) -> str | None:
    """The text without needless escapes: a reserved character and its escape stay different."""
    return _ESCAPE.sub(_unescape, text) if text is not None and "%" in text else text


def _unescape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return found[0].upper() if character in _RESERVED or character == "%" or character > "\x7f" else character
