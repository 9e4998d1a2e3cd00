"""`users.yaml`: who has an account here, how each is reached, and what proves who it is.

Owns the file's shape and the digests (RFC 2617 3.2.2.2, RFC 7616 3.4.2: H(user ":" realm ":" password))
computed when it is read, so that no password stays in memory. Verifying a request against them is the
registrar's part.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from dsl.diagnostics import PolicyError, Problem
from dsl.yaml_rows import Rows, read_rows

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").fullmatch
_EXTENSION = re.compile(r"[0-9*#]+").fullmatch
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_-]*").fullmatch
_DIGEST_LENGTHS = {"md5": 32, "sha-256": 64}
_HEXADECIMAL = re.compile(r"[0-9a-f]*").fullmatch


class User(msgspec.Struct, frozen=True):
    """An account. `attributes` holds the free texts that the file gives, such as `mobile`."""

    name: str
    extension: str | None = None
    number: str | None = None
    display: str | None = None
    attributes: dict[str, str] = {}

    def attribute(self, name: str) -> str | None:
        """What `user.name` means in a policy; None when this user has no such attribute."""
        match name:
            case "name":
                return self.name
            case "extension":
                return self.extension
            case "number":
                return self.number
            case "display":
                return self.display
            case _:
                return self.attributes.get(name)


class Credential(msgspec.Struct, frozen=True):
    """HA1 in lower-case hexadecimal by algorithm, None where the file gives only the other digest."""

    md5: str | None
    sha256: str | None


class Directory(msgspec.Struct, frozen=True):
    """Everybody in the file. Credentials are no part of a policy's version: the newest file decides."""

    users: dict[str, User]
    credentials: dict[str, Credential]


class Earlier:
    """Who stands in the users files that were read before: by name the file, by extension the user."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.extensions: dict[str, str] = {}

    def add(self, directory: Directory, file: str) -> None:
        """Note what a file, called so in the script, has taken."""
        for user in directory.users.values():
            self.files.setdefault(user.name, file)
            if user.extension is not None:
                self.extensions.setdefault(user.extension, user.name)


def load_users(path: Path, realm: str) -> Directory:
    """Read a users file. Raises PolicyError with every problem in it, or OSError when it cannot be read."""
    problems: list[Problem] = []
    directory = read_users(path, realm, problems)
    if problems:
        raise PolicyError(problems)
    return directory


def read_users(path: Path, realm: str, problems: list[Problem], earlier: Earlier | None = None) -> Directory:
    """Like `load_users`, with the problems added to a list and the sound users returned. Raises OSError.

    Whoever is there by `earlier` already, by name or by extension, may not be in this file too.
    """
    return read_rows(path, problems, partial(_directory, realm, earlier or Earlier()))


def _directory(realm: str, earlier: Earlier, document: Rows) -> Directory:
    reader = _Reader(document, realm, earlier)
    for name, node, value in document.rows("a users file"):
        if _NAME(name):
            reader.user(name, node, value)
        else:
            document.wrong(node, f"`{name}` is no user name", "letters, digits, `.`, `_` and `-` make one")
    reader.check_extensions()
    if not reader.users and document.root is None and document.readable:
        document.wrong_file("nobody is in this users file", "write one user a line, such as `alice: {password: ...}`")
    return Directory(reader.users, reader.credentials)


class _Reader:
    def __init__(self, document: Rows, realm: str, earlier: Earlier) -> None:
        self.document = document
        self.realm = realm
        self.earlier = earlier
        self.users: dict[str, User] = {}
        self.credentials: dict[str, Credential] = {}
        self.extensions: list[tuple[str, str, Any]] = []

    def user(self, name: str, node: Any, value: Any) -> None:
        document = self.document
        texts: dict[str, str] = {}
        secrets: list[Credential] = []
        proofs = 0
        for key, key_node, entry in document.entries(value, f"what `{name}` is"):
            if key in ("password", "digest"):
                proofs += 1
                secret = self._digest(entry) if key == "digest" else self._password(name, entry)
                secrets += [secret] if secret is not None else []
            elif not _ATTRIBUTE(key) or key == "name":
                document.wrong(key_node, f"`{key}` is no name for an attribute", _named(key))
            else:
                text = document.text(entry, f"`{key}`")
                if text is not None and self._extension_is_sound(key, text, name, entry):
                    texts[key] = text
        if proofs == 0 and document.is_mapping(value):
            document.wrong(node, f"`{name}` has neither `password` nor `digest`", "add `password: ...`")
        elif proofs == 2:
            document.wrong(node, f"`{name}` has both `password` and `digest`", "keep one of them")
        if secrets:
            self.credentials[name] = secrets[0]
        self._name_is_new(name, node)
        known = (texts.pop("extension", None), texts.pop("number", None), texts.pop("display", None))
        self.users[name] = User(name, *known, texts)

    def _name_is_new(self, name: str, node: Any) -> None:
        """A name means one user of all files, and is nobody else's extension."""
        earlier = self.earlier
        file, owner = earlier.files.get(name), earlier.extensions.get(name)
        if file is not None:
            self.document.wrong(node, f"`{name}` is in another users file already", _in_file(file))
        elif owner is not None:
            message = f"`{name}` is the extension of `{owner}` already"
            self.document.wrong(node, message, _in_file(earlier.files[owner]))

    def _extension_is_sound(self, key: str, text: str, name: str, node: Any) -> bool:
        if key != "extension":
            return True
        if not _EXTENSION(text):
            self.document.wrong(node, f"`{text}` is no extension", "write digits, such as `extension: 201`")
            return False
        self.extensions.append((text, name, node))
        return True

    def _password(self, name: str, node: Any) -> Credential | None:
        password = self.document.text(node, "a password")
        if password is None:
            return None
        secret = f"{name}:{self.realm}:{password}".encode()
        md5 = hashlib.md5(secret, usedforsecurity=False).hexdigest()
        return Credential(md5, hashlib.sha256(secret).hexdigest())

    def _digest(self, node: Any) -> Credential | None:
        found: dict[str, str] = {}
        for algorithm, key_node, value in self.document.entries(node, "a digest"):
            length = _DIGEST_LENGTHS.get(algorithm)
            if length is None:
                self.document.wrong(key_node, f"`{algorithm}` is no algorithm here", "write `md5` or `sha-256`")
                continue
            text = (self.document.text(value, "a digest") or "").lower()
            if len(text) == length and _HEXADECIMAL(text):
                found[algorithm] = text
            elif text:
                message = f"a digest by {algorithm} has {length} hexadecimal digits"
                self.document.wrong(value, message, f"this has {len(text)} characters")
        return Credential(found.get("md5"), found.get("sha-256")) if found else None

    def check_extensions(self) -> None:
        """An extension means one user of all files: nobody else has it, as extension or as name."""
        earlier = self.earlier
        first: dict[str, tuple[str, Any]] = {}
        for extension, name, node in self.extensions:
            other, other_node = first.setdefault(extension, (name, node))
            if other != name:
                advice = f"in line {self.document.line_of(other_node)}: give one of them another"
                self.document.wrong(node, f"extension {extension} belongs to `{other}` already", advice)
            elif extension in self.users and extension != name:
                self.document.wrong(node, f"extension {extension} is the name of another user")
            owner = earlier.extensions.get(extension, extension)
            file = earlier.files.get(owner)
            if file is not None and owner != name:
                taken = f"belongs to `{owner}` already" if owner != extension else "is the name of another user"
                self.document.wrong(node, f"extension {extension} {taken}", _in_file(file))


def _in_file(file: str) -> str:
    return f"in `{file}`: give one of them another"


def _named(attribute: str) -> str:
    """How an attribute may be called."""
    small = attribute.lower()
    return f"write `{small}`" if _ATTRIBUTE(small) and small != "name" else "write lower-case letters and digits"
