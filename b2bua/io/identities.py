"""Whom a certificate is for, as SIP reads it (RFC 5922 section 7.1 and 7.2).

Owns which of a certificate's names count, and whether one of them is the name that was dialled. Leaves whether the
certificate can be believed at all to OpenSSL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from b2bua.sip.errors import PeerError
from b2bua.sip.uri import Uri


class Identities(msgspec.Struct, frozen=True):
    """What a believed certificate proves: SIP domains in lower case, and IP addresses."""

    names: frozenset[str]

    def prove(self, name: str) -> bool:
        """Whether this is who was dialled. A wildcard proves nothing (RFC 5922 7.2)."""
        return _spelt(name) in self.names

    def __str__(self) -> str:
        return ", ".join(sorted(self.names)) or "nobody"


_NAME = re.compile(r"[a-z0-9_.*-]+").fullmatch

NOBODY = Identities(frozenset())
"""Of a peer that has shown no certificate, or one that was not verified."""


def identities_of(certificate: Mapping[str, Any]) -> Identities:
    """The identities in a verified certificate, as `ssl.SSLSocket.getpeercert` gives it.

    SIP URIs without a user count; DNS names where there is no such URI; the subject's common name where there are no
    alternative names at all. IP addresses count for URIs that have one in place of a name, of which the RFC is silent.
    """
    alternatives = certificate.get("subjectAltName", ())
    addresses = {_spelt(value) for kind, value in alternatives if kind == "IP Address"}
    domains = {host for kind, value in alternatives if kind == "URI" and (host := _domain(value)) is not None}
    if not domains:
        domains = {value for kind, value in alternatives if kind == "DNS"}
    if not alternatives:
        subject = (pair for part in certificate.get("subject", ()) for pair in part)
        domains = {value for kind, value in subject if kind == "commonName"}
    # What else may stand in a certificate would only be shown to people, and is nobody's name.
    return Identities(frozenset(filter(_NAME, map(_spelt, domains))) | addresses)


def _domain(text: str) -> str | None:
    try:
        uri = Uri.parse(text)
    except PeerError:
        return None
    return uri.host if uri.scheme == "sip" and uri.user is None else None


def _spelt(name: str) -> str:
    """A name or address in its one spelling."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().rstrip(".")
