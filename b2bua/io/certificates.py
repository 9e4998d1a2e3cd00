"""Our own certificates: read from their files, with everything that can be wrong with them said (RFC 5280).

Owns what a certificate file must hold, for whom it is and until when. Leaves using it to `tls`, and reading it again to
`certificate_watch`.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from b2bua.io.failure import ServerError
from b2bua.settings import Certificate

if TYPE_CHECKING:
    from cryptography import x509


class Shown(msgspec.Struct, frozen=True):
    """A certificate that we show: its file, the DNS names that it is for, and when it ends, in wall seconds."""

    file: str
    names: tuple[str, ...]
    expires: float


def read_certificate(pair: Certificate, wall: float) -> Shown:
    """What is in a certificate's file. Raises ServerError when it cannot be read, is none, or has expired."""
    first = _first(pair.certificate)
    shown = Shown(pair.certificate, _names(first), first.not_valid_after_utc.timestamp())
    if shown.expires <= wall:
        raise ServerError(
            f"the TLS certificate {shown.file} expired on {first.not_valid_after_utc:%Y-%m-%d}: put a new one there"
        )
    if first.not_valid_before_utc.timestamp() > wall:
        raise ServerError(
            f"the TLS certificate {shown.file} is not valid before {first.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: "
            "is this machine's clock right?"
        )
    return shown


def load_pair(context: ssl.SSLContext, pair: Certificate) -> None:
    """Let a context show a certificate. Raises ServerError when its key is not to be had, or another's."""
    key = pair.key or pair.certificate

    def locked() -> NoReturn:
        raise ServerError(f"the TLS key {key} is locked by a password: write it without one, for the server alone")

    _octets(key, "key")
    try:
        context.load_cert_chain(pair.certificate, key, password=locked)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ServerError(
                f"the TLS key {key} is not that of the certificate {pair.certificate}: name two that belong together"
            ) from None
        raise ServerError(f"the TLS key {key} cannot be read: it has to be a private key in PEM format") from None


def load_authorities(context: ssl.SSLContext, file: str) -> None:
    """Let a context believe whom this file names; empty, whom the system believes. Raises ServerError."""
    if not file:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    _first(file)
    context.load_verify_locations(file)


def _first(file: str) -> x509.Certificate:
    # 8 MB that a server without TLS does not need.
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(_octets(file, "certificate"))[0]
    except ValueError:
        raise ServerError(f"the TLS certificate {file} holds no certificate in PEM format") from None


def _octets(file: str, what: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ServerError(
            f"the TLS {what} {file} cannot be read: {error.strerror}; see `tls` in the settings file"
        ) from None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower() for name in alternatives.get_values_for_type(x509.DNSName))
