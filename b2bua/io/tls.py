"""TLS on a stream (RFC 3261 26.3.1, RFC 5922): who we are, whom we believe, and the handshake.

Owns the contexts, the choice of a certificate by the name that a peer asks for (SNI), that whoever we connect to is who
was dialled, and why a handshake failed, as a sentence. Leaves sockets to `arriving` and `dialing`.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import TypeAlias

import msgspec
import trio

from b2bua.io.certificates import Shown, load_authorities, load_pair, read_certificate
from b2bua.io.identities import NOBODY, Identities, identities_of
from b2bua.settings import Certificate
from b2bua.settings import Tls as Settings

TlsStream: TypeAlias = trio.SSLStream[trio.SocketStream]

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class HandshakeError(Exception):
    """There is no TLS with this peer; the text says why, for the operator."""


class Contexts(msgspec.Struct, frozen=True):
    """One reading of all files: `shown` are the certificates in it, our own first."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    trusting: ssl.SSLContext
    shown: tuple[Shown, ...]


class Tls:
    """What new connections use: `read` may be called again, and connections that are open stay as they are."""

    def __init__(self, settings: Settings, wall: float) -> None:
        """Read all files. Raises ServerError that says what is wrong with one, and what to do."""
        self._settings = settings
        self.contexts = self._read(wall)

    @property
    def files(self) -> tuple[str, ...]:
        """All files that were read."""
        tls = self._settings
        pairs = [file for pair in self._pairs() for file in (pair.certificate, pair.key)]
        return tuple(dict.fromkeys(file for file in (*pairs, tls.ca, tls.client_ca) if file))

    def read(self, wall: float) -> None:
        """Read all files again. Raises ServerError, and what was read before stays in force."""
        self.contexts = self._read(wall)

    async def accepted(self, stream: trio.SocketStream) -> tuple[TlsStream, Identities]:
        """The stream of a peer that connected, and what its certificate proves. Raises HandshakeError."""
        secured = trio.SSLStream(stream, self.contexts.server, server_side=True, https_compatible=True)
        seconds = self._settings.handshake
        with trio.move_on_after(seconds) as patience:
            await _shake(secured)
        if patience.cancelled_caught:
            raise HandshakeError(f"no handshake within {seconds:g} s")
        return secured, _identities(secured)

    async def connected(self, stream: trio.SocketStream, name: str) -> tuple[TlsStream, Identities]:
        """The stream to the peer that was dialled by `name`, and what it has proved. Raises HandshakeError."""
        believed = name.lower() in self._settings.unverified
        context = self.contexts.trusting if believed else self.contexts.client
        try:
            secured = trio.SSLStream(stream, context, server_hostname=name, https_compatible=True)
        except (ValueError, ssl.SSLError):
            raise HandshakeError(f"{name} is no name that can be asked for") from None
        await _shake(secured)
        if believed:
            return secured, NOBODY
        identities = _identities(secured)
        if not identities.prove(name):
            raise HandshakeError(f"its certificate is for {identities}, not for {name} (RFC 5922 7.3)")
        return secured, identities

    def _pairs(self) -> tuple[Certificate, ...]:
        tls = self._settings
        pairs = [Certificate(tls.certificate, tls.key), *tls.certificates]
        if tls.client_certificate:
            pairs.append(Certificate(tls.client_certificate, tls.client_key))
        return tuple(pairs)

    def _read(self, wall: float) -> Contexts:
        pairs = self._pairs()
        shown = tuple(read_certificate(pair, wall) for pair in pairs)
        own = pairs[: 1 + len(self._settings.certificates)]
        servers = [self._server(pair) for pair in own]
        by_name: dict[str, ssl.SSLContext] = {}
        for context, certificate in zip(servers, shown, strict=False):
            for name in certificate.names:
                by_name.setdefault(name, context)
        servers[0].sni_callback = _chooser(by_name)
        showing = pairs[-1] if self._settings.client_certificate else pairs[0]
        return Contexts(servers[0], self._client(showing, True), self._client(showing, False), shown)

    def _server(self, pair: Certificate) -> ssl.SSLContext:
        tls = self._settings
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[tls.minimum]
        context.options |= ssl.OP_NO_RENEGOTIATION
        load_pair(context, pair)
        if tls.client_ca:
            load_authorities(context, tls.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if tls.require_client else ssl.CERT_OPTIONAL
        return context

    def _client(self, pair: Certificate, verifies: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = _VERSIONS[self._settings.minimum]
        # SIP has rules of its own for names: `connected` applies them.
        context.check_hostname = False
        load_pair(context, pair)
        if verifies:
            load_authorities(context, self._settings.ca)
        else:
            context.verify_mode = ssl.CERT_NONE
        return context


def why(error: BaseException) -> str:
    """Why TLS ended, from the error that trio raised."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {cause.verify_message}"
    if isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "the peer closed the connection"
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "TLS failed").replace("_", " ").lower()
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return "the connection was closed"


async def _shake(stream: TlsStream) -> None:
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError as error:
        raise HandshakeError(why(error)) from None


def _identities(stream: TlsStream) -> Identities:
    try:
        certificate = stream.getpeercert()
    except ValueError:
        raise HandshakeError("its certificate has names that are no text") from None
    return identities_of(certificate) if certificate else NOBODY


def _chooser(by_name: dict[str, ssl.SSLContext]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    """Takes the certificate that is for the name asked for, or for all names beside it; else the first stays."""

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        asked = (name or "").lower()
        chosen = by_name.get(asked) or by_name.get(f"*.{asked.partition('.')[2]}")
        if chosen is not None:
            connection.context = chosen

    return choose
