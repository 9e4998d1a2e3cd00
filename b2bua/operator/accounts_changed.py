"""Accounts put in, taken out and given another password, in the users file of a policy (`b2bua user`).

Owns finding the file and the realm that its digests are for, refusing what the policy would not take, and writing the
file so that whoever reads it finds the old one or the new one, whole. Leaves its text to `users_text`; a running server
sees by itself that the file has changed.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from b2bua.io.failure import ServerError
from b2bua.operator.reading import readable
from b2bua.operator.users_text import UsersText, digests
from dsl import tree
from dsl.diagnostics import PolicyError, Problem, joined, suggestion
from dsl.files import Files
from dsl.include import beside, read_script
from dsl.policy import load
from dsl.users import read_users

_NEW_FILE_MODE = 0o600


class Accounts(msgspec.Struct, frozen=True):
    """The users files of a policy and the realm of their digests. `policy` is None where only a realm was named."""

    policy: Path | None
    realm: str
    files: tuple[Path, ...]

    def file_of(self, name: str) -> Path:
        """The file that has this account. Raises ServerError when none has."""
        known: list[str] = []
        for file in self.files:
            if file.exists():
                names = UsersText(file, _text(file)).names
                if name in names:
                    return file
                known += names
        where = joined(map(str, self.files), "or")
        raise ServerError(f"there is no user {name} in {where}; {suggestion(name, known) or 'see its names'}")

    def add(self, name: str, password: str, facts: Mapping[str, str]) -> Path:
        """Put an account at the end of the file, and return which file that is. Raises ServerError, PolicyError."""
        if len(self.files) > 1:
            raise ServerError(f"which of {joined(map(str, self.files), 'and')}? say so with --users")
        proof = digests(name, self.realm, password)

        def changed(text: UsersText) -> str:
            if name in text.names:
                taken = f"{self.files[0]}:{text.line_of(name)}: `{name}` is there already"
                raise ServerError(f"{taken}; `b2bua user passwd {name}` gives it another password")
            return text.added(name, proof, facts)

        return self._change(self.files[0], changed)

    def prove(self, name: str, password: str) -> Path:
        """Give an account another password. Raises ServerError, PolicyError."""
        proof = digests(name, self.realm, password)
        return self._change(self.file_of(name), lambda text: text.proven(name, proof))

    def remove(self, name: str) -> Path:
        """Take an account out. Raises ServerError; PolicyError where the policy names it."""
        return self._change(self.file_of(name), lambda text: text.removed(name))

    def _change(self, file: Path, changed: Callable[[UsersText], str]) -> Path:
        with _locked(file):
            before = _text(file) if file.exists() else ""
            after = changed(UsersText(file, before.removeprefix("\ufeff")))
            after = "\ufeff" * before.startswith("\ufeff") + after
            known = {(problem.file, problem.message) for problem in self._problems(file, before)}
            fresh = [each for each in self._problems(file, after) if (each.file, each.message) not in known]
            if fresh:
                raise PolicyError(fresh)
            _write(file, after)
        return file

    def _problems(self, file: Path, text: str) -> list[Problem]:
        """What would be wrong if the file had this text."""
        unsaved = Files({Path(os.path.normpath(file)): text})
        if self.policy is not None:
            try:
                load(self.policy, unsaved)
            except PolicyError as error:
                return error.problems
            return []
        problems: list[Problem] = []
        read_users(unsaved.note(file), self.realm, problems)
        return problems


def find_accounts(users: Path | None, policy: Path | None, realm: str | None) -> Accounts:
    """What is meant: by the policy, by a users file and a realm, or by the only script in the folder that reads the
    file, or any. Raises ServerError, PolicyError.
    """
    if realm is not None and users is not None:
        return Accounts(None, realm, (users,))
    folder = Path() if users is None else users.parent
    scripts = sorted(folder.glob("*.route")) if policy is None else [policy]
    found = [accounts for script in scripts if (accounts := _declared(script, users, policy is None)) is not None]
    if len(found) == 1:
        return found[0]
    what = "has accounts" if users is None else f"reads {users}"
    if policy is not None:
        raise ServerError(f"{policy} {what.replace('has', 'has no').replace('reads', 'does not read')}")
    if not found:
        raise ServerError(f"no script in {folder.absolute()} {what}; name one with --policy")
    raise ServerError(f"{joined((str(each.policy) for each in found), 'and')} {what[:4]}: name one with --policy")


def _declared(script: Path, users: Path | None, passed_over: bool) -> Accounts | None:
    """The accounts of a script; None where it has no such file. One that cannot be read may be `passed_over`."""
    try:
        with readable(str(script)):
            declarations = read_script(script).declarations
    except PolicyError:
        if passed_over:
            return None
        raise
    files = [script.parent / beside(each.file) for each in declarations if isinstance(each, tree.Users)]
    hosts = [host.value for each in declarations if isinstance(each, tree.Domain) for host in each.hosts]
    if users is not None:
        files = [file for file in files if os.path.abspath(file) == os.path.abspath(users)]
    return Accounts(script, hosts[0], tuple(files)) if files and hosts else None


def _text(file: Path) -> str:
    with readable(str(file)):
        return file.read_bytes().decode()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One change at a time: the folder is locked, since the file itself is replaced. Raises ServerError."""
    try:
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ServerError(f"cannot write {file}: {(error.strerror or 'it is refused').lower()}") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(file: Path, text: str) -> None:
    """Put a new file in its place, with its mode and its owner. Raises ServerError, and changes nothing then."""
    file = file.resolve()
    fresh: str | None = None
    try:
        number, fresh = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(number, "wb") as out:
            if file.exists():
                found = file.stat()
                os.fchmod(number, found.st_mode & 0o7777)
                if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(number, found.st_uid, found.st_gid)
            else:
                os.fchmod(number, _NEW_FILE_MODE)
            out.write(text.encode())
            out.flush()
            os.fsync(number)
        os.replace(fresh, file)
    except OSError as error:
        if fresh is not None:
            with suppress(FileNotFoundError):
                os.unlink(fresh)
        raise ServerError(f"cannot write {file}: {(error.strerror or 'it is refused').lower()}") from None
