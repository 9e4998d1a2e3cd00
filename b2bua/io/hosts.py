"""The names that this machine knows by itself: its hosts file (hosts(5)), and localhost (RFC 6761 6.3).

Owns reading the file, again whenever it has changed. A name that stands there is not asked of DNS.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

_LOCALHOST = ("127.0.0.1", "::1")


class Hosts:
    """The addresses of the names in a file, which may be missing."""

    def __init__(self, path: Path = Path("/etc/hosts")) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._names: dict[str, tuple[str, ...]] = {}

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a name in lower case; empty when it isn't known here."""
        self._refresh()
        found = self._names.get(name.rstrip("."))
        if found is None and (name == "localhost" or name.endswith(".localhost")):
            return _LOCALHOST
        return found or ()

    def _refresh(self) -> None:
        try:
            state = self._path.stat()
            version = state.st_mtime_ns, state.st_size
            if version != self._version:
                self._names = _read(self._path.read_text(encoding="utf-8", errors="replace"))
                self._version = version
        except OSError:
            self._names, self._version = {}, None


def _read(text: str) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *called = line.partition("#")[0].split() or [""]
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        for name in called:
            known = names.get(name.lower(), ())
            if address not in known:
                names[name.lower()] = (*known, address)
    return names
