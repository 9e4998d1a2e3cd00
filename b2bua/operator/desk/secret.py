"""The secret that deliveries are signed with: a file that nobody else may read."""

from __future__ import annotations

import stat
from pathlib import Path

from b2bua.io.failure import ServerError


def read_secret(path: Path) -> bytes:
    """The secret in a file that nobody else may read. Raises ServerError that says what to do."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise ServerError(f"others on this machine may read {path}; run `chmod 600 {path}`")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ServerError(f"cannot read the secret {path}: {(error.strerror or 'it is refused').lower()}") from None
    if not secret:
        raise ServerError(f"there is no secret in {path}; write one, such as `openssl rand -hex 32` makes")
    return secret
