"""An authority of the tests' own, which certifies whatever it is asked to."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme

from b2bua.settings import Certificate

TODAY = datetime.datetime.now(datetime.UTC)


class Authority:
    """Files in one folder; `file` is what believes in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self._made = 0
        folder.mkdir(exist_ok=True)
        self.file = str(folder / "ca.pem")
        self._ca.cert_pem.write_to_path(self.file)

    def pair(self, *names: str, days: float = 365, since: float = 30) -> Certificate:
        """A certificate for these names, that began `since` days ago and ends in so many."""
        self._made += 1
        pair = Certificate(str(self._folder / f"{self._made}.pem"), str(self._folder / f"{self._made}.key"))
        made = self._ca.issue_cert(
            *names,
            not_before=TODAY - datetime.timedelta(days=since),
            not_after=TODAY + datetime.timedelta(days=days),
        )
        Path(pair.certificate).write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(pair.key)
        return pair

    def client(self, pair: Certificate | None = None) -> ssl.SSLContext:
        """How a peer of ours connects: it believes in this authority, and looks at no name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.file)
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        return context
