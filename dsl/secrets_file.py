"""`secrets.yaml`: the user name and password that we show to a trunk which challenges us (RFC 3261 22.2).

Owns the file's shape and its mode: a file that others may read is an error. When a secret may be used is
for whoever answers the challenge.
"""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec

from dsl.diagnostics import Problem
from dsl.yaml_rows import Rows, read_rows


class Secret(msgspec.Struct, frozen=True):
    """What answers a trunk's challenge; its text never shows the password."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Secret(username={self.username!r}, password=...)"


class Entry(msgspec.Struct, frozen=True):
    """One entry of the file. `username` is None where the trunk's account name serves."""

    username: str | None
    password: str

    def __repr__(self) -> str:
        return f"Entry(username={self.username!r}, password=...)"

    def secret(self, account: str) -> Secret:
        """The secret of a trunk where our account has this name."""
        return Secret(self.username or account, self.password)


def read_secrets(path: Path, problems: list[Problem]) -> dict[str, Entry]:
    """Read `name: {username: ..., password: ...}` for every name. Raises OSError when it cannot be read."""
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = f"run `chmod 600 {path}`"
        problems.append(Problem(str(path), 1, 1, 1, "others on this machine may read the secrets", advice=remedy))
        return {}
    return read_rows(path, problems, _secrets)


def _secrets(document: Rows) -> dict[str, Entry]:
    secrets: dict[str, Entry] = {}
    for name, node, value in document.rows("a secrets file"):
        texts: dict[str, str] = {}
        entries = document.entries(value, f"the secret `{name}`")
        for key, key_node, entry in entries:
            if key not in ("username", "password"):
                document.wrong(key_node, f"`{key}` is unknown here", "write `username` or `password`")
                continue
            text = document.text(entry, f"`{key}`")
            if text is not None:
                texts[key] = text
        if "password" in texts:
            secrets[name] = Entry(texts.get("username"), texts["password"])
        elif not any(key == "password" for key, _, _ in entries):
            document.wrong(node, f"the secret `{name}` has no `password`")
    return secrets
