"""The values of the header fields that a user agent acts on (RFC 3261 section 20): frozen, with `parse` and `str`.

Owns addresses, Via and CSeq. The fields of authentication are in `credentials` and can be had from here as well. Leaves
to `message` which field holds which.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from b2bua.sip.credentials import Challenge, Credentials
from b2bua.sip.errors import PeerError
from b2bua.sip.grammar import (
    BLANK,
    TOKEN,
    is_number,
    is_token,
    quote,
    read_quoted,
    split_commas,
    split_semicolons,
)
from b2bua.sip.uri import CACHED_LENGTH, Params, Uri, host_port, read_host_port, write_params
from b2bua.values import Frozen

__all__ = [
    "CSeq",
    "Challenge",
    "Credentials",
    "NameAddr",
    "Via",
    "parse_params",
    "quote",
    "split_commas",
]

_USUAL_PARAMS: Final = frozenset(("branch", "expires", "lr", "ob", "q", "received", "rport", "tag"))
"""Names that need no check and no change of case."""

_VIA: Final = re.compile(r"([^\s/;]+)\s*/\s*([^\s/;]+)\s*/\s*([^\s/;]+)\s+([^;]*)(.*)", re.DOTALL)


def parse_params(text: str) -> Params:
    """Read `;name=value;name` (RFC 3261 section 25.1 generic-param). PeerError 400.

    Names come out in lower case and values as written, quotes included. Empty parameters are passed over.
    """
    if not text:
        return ()
    if " " in text or '"' in text or "," in text or "\t" in text:
        return _spaced_params(text)
    params: list[tuple[str, str | None]] = []
    for piece in text.split(";"):
        name, equals_sign, value = piece.partition("=")
        if name not in _USUAL_PARAMS:
            if not name and not equals_sign:
                continue
            name = _param_name(name)
        params.append((name, value if equals_sign else None))
    return tuple(params)


def _spaced_params(text: str) -> Params:
    params: list[tuple[str, str | None]] = []
    for piece in split_semicolons(text):
        name, equals_sign, value = piece.partition("=")
        params.append((_param_name(name.strip(BLANK)), _param_value(value.strip(BLANK)) if equals_sign else None))
    return tuple(params)


def _param_name(name: str) -> str:
    if not is_token(name):
        raise PeerError(400, "Bad Parameter Name")
    return name.lower()


def _param_value(value: str) -> str:
    if value[:1] == '"':
        if read_quoted(value)[1] != len(value):
            raise PeerError(400, "Bad Parameter Value")
    elif " " in value or "\t" in value or '"' in value or "," in value:
        raise PeerError(400, "Bad Parameter Value")
    return value


class NameAddr(Frozen):
    """An address as in From, To, Contact and Route: a display name, a URI, parameters (RFC 3261 20.10).

    `display` is what to show, without quotes and escapes, "" where there is none.
    """

    display: str
    uri: Uri
    params: Params = ()

    @staticmethod
    def parse(text: str) -> NameAddr:
        """Read one value. PeerError 400.

        Without angle brackets all parameters are the header's, and neither comma nor question mark can stand in the
        URI. Spaces inside the brackets and odd characters in an unquoted display name are let through.
        """
        return _remembered(text) if len(text) <= CACHED_LENGTH else _read_address(text)

    @property
    def tag(self) -> str | None:
        """The tag parameter (RFC 3261 19.3); None where it is absent or empty."""
        for name, value in self.params:
            if name == "tag":
                return value or None
        return None

    def param(self, name: str) -> str | None:
        """The value of a parameter as written, "" where it has none, None where it is absent. `name` in lower case."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{write_params(self.params)}"


def _read_address(text: str) -> NameAddr:
    if text[:1] == '"':
        display, end = read_quoted(text)
        rest = text[end:].lstrip(BLANK)
        if rest[:1] != "<":
            raise PeerError(400, "Bad Address")
        rest = rest[1:]
    else:
        display, bracket, rest = text.partition("<")
        if not bracket or '"' in display:
            return _bare_address(text)
        if display:
            display = display.strip(BLANK)
            if "," in display:
                raise PeerError(400, "Bad Display Name")
    uri, bracket, params = rest.partition(">")
    if not bracket:
        raise PeerError(400, "Unclosed Angle Bracket")
    params = params.lstrip(BLANK)
    if params and params[0] != ";":
        raise PeerError(400, "Bad Address")
    return NameAddr(display, Uri.parse(uri.strip(BLANK)), parse_params(params))


_remembered: Final = lru_cache(maxsize=8192)(_read_address)


def _bare_address(text: str) -> NameAddr:
    uri, semicolon, params = text.partition(";")
    uri = uri.rstrip(BLANK)
    if "?" in uri or "," in uri:
        raise PeerError(400, "URI Needs Angle Brackets")
    return NameAddr("", Uri.parse(uri), parse_params(semicolon + params))


class Via(Frozen):
    """One hop of the way that responses take back (RFC 3261 20.42). `transport` in upper case, `host` as in `Uri`.

    `branch` is what tells transactions apart (8.1.1.7), None in a message of RFC 2543; `params` are all others.
    """

    transport: str
    host: str
    port: int | None
    branch: str | None = None
    params: Params = ()
    version: str = "2.0"

    @staticmethod
    def parse(text: str) -> Via:
        """Read one value. PeerError 400. What a peer's Vias have in common is read once: only the branch is new."""
        # Most branches and tags are alphanumeric, which costs less to see than that they are tokens.
        hop, found, rest = text.partition(";branch=")
        branch, _, others = rest.partition(";")
        if not found or not (branch.isalnum() or TOKEN.issuperset(branch)):
            return Via._read(text)
        common = _hops.get((hop, others))
        if common is None:
            common = Via._read(f"{hop};{others}" if others else hop)
            if len(text) <= CACHED_LENGTH:
                if len(_hops) >= _MOST_HOPS:
                    _hops.clear()
                _hops[hop, others] = common
        return Via(common.transport, common.host, common.port, branch, common.params, common.version)

    @staticmethod
    def _read(text: str) -> Via:
        if text[:8] == "SIP/2.0/":
            transport, _, rest = text[8:].partition(" ")
            sent_by, _, params = rest.partition(";")
            if transport.isalpha() and " " not in sent_by and "\t" not in sent_by:
                host, port = read_host_port(sent_by)
                return Via(transport.upper(), host, port, *_branch_of(parse_params(params)))
        found = _VIA.fullmatch(text)
        if found is None:
            raise PeerError(400, "Bad Via")
        protocol, version, transport, sent_by, params = found.groups()
        if protocol.upper() != "SIP" or not is_token(version) or not is_token(transport):
            raise PeerError(400, "Bad Via")
        before, colon, after = sent_by.strip(BLANK).rpartition(":")
        host, port = read_host_port(before.rstrip(BLANK) + colon + after.lstrip(BLANK))
        return Via(transport.upper(), host, port, *_branch_of(parse_params(params)), version)

    def param(self, name: str) -> str | None:
        """The value of another parameter than the branch, as written: "" where it has none, None where it is absent.

        `name` in lower case.
        """
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    @property
    def received(self) -> str | None:
        """Where the request came from, IPv6 without brackets although some write them (RFC 5118 4.5)."""
        value = self.param("received")
        return None if value is None else value.strip("[]")

    @property
    def rport(self) -> str | None:
        """The source port, "" where it is asked for and not filled in, None where it is not asked for (RFC 3581)."""
        for name, value in self.params:
            if name == "rport":
                return value or ""
        return None

    def seen_from(self, address: str, port: int) -> Via:
        """The value with what the packet's source has to say (RFC 3261 18.2.1, RFC 3581 section 4).

        `received` is set where the host is another or `rport` is there; `rport` is filled in, never added.
        """
        params = [(name, value) for name, value in self.params if name not in ("received", "rport")]
        asked = len(params) != len(self.params) and self.rport is not None
        if asked or self.host != address:
            params.append(("received", address))
        if asked:
            params.append(("rport", str(port)))
        return Via(self.transport, self.host, self.port, self.branch, tuple(params), self.version)

    def __str__(self) -> str:
        place = host_port(self.host, self.port)
        branch = "" if self.branch is None else f";branch={self.branch}"
        return f"SIP/{self.version}/{self.transport} {place}{branch}{write_params(self.params)}"


def _branch_of(params: Params) -> tuple[str | None, Params]:
    """A Via's branch and its other parameters."""
    branches = [value for name, value in params if name == "branch"]
    return (branches[0], tuple([each for each in params if each[0] != "branch"])) if branches else (None, params)


_MOST_HOPS: Final = 4096
_hops: Final[dict[tuple[str, str], Via]] = {}
"""Vias without their branch, by what stands before and after it."""


class CSeq(Frozen):
    """A request's number, below 2**31, and its method (RFC 3261 8.1.1.5)."""

    number: int
    method: str

    @staticmethod
    def parse(text: str) -> CSeq:
        """Read a value. PeerError 400. Most calls have the same few, which are read once."""
        known = _cseqs.get(text)
        if known is None:
            known = CSeq._read(text)
            if len(text) <= CACHED_LENGTH:
                if len(_cseqs) >= _MOST_CSEQS:
                    _cseqs.clear()
                _cseqs[text] = known
        return known

    @staticmethod
    def _read(text: str) -> CSeq:
        number, _, method = text.partition(" ")
        if not is_token(method):
            number, _, method = text.replace("\t", " ").partition(" ")
            method = method.strip(BLANK)
        if not is_number(number) or not is_token(method) or len(number) > 20 or int(number) >= 1 << 31:
            raise PeerError(400, "Bad CSeq")
        return CSeq(int(number), method)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


_MOST_CSEQS: Final = 4096
_cseqs: Final[dict[str, CSeq]] = {}
"""CSeq values by their text."""
