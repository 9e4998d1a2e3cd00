"""`b2bua user`: accounts, put into a users file as digests.

Owns where a password comes from, and that one which is made here is printed once and kept nowhere. Leaves the file to
`accounts_changed`.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from b2bua.operator.known_names import user_names
from b2bua.operator.options import JSON, refusals
from b2bua.operator.script_argument import Script

LEAST_CHARACTERS = 8
"""Of a password: a digest that goes over the wire can be tried without end by whoever has seen it."""

_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""What is not mistaken for another when it is typed into a phone."""

_LENGTH = 20

_USERS = click.option(
    "--users",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The users file.  [default: that of the policy]",
)
_POLICY = click.option("--policy", type=Script(), help="Whose users.  [default: the only script in the file's folder]")
_REALM = click.option("--realm", help="What digests are for, where no policy says it: its first domain.")
_GENERATE = click.option("--generate", is_flag=True, help="Make a password, and print it once.")
_STDIN = click.option("--stdin", "piped", is_flag=True, help="Read the password from standard input, one line.")


def made_password() -> str:
    """A random password of 116 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


@click.group()
def user() -> None:
    """Add accounts to a users file, remove them, change their passwords: digests are stored, never the password.

    A running server takes the file's new text by itself.
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (JSON, _REALM, _POLICY, _USERS):
        command = option(command)
    return command


@user.command()
@click.argument("name")
@click.option("--extension", help="The number that colleagues dial.")
@click.option("--number", help="The number that the world dials.")
@click.option("--display", help="The name that is shown.")
@_GENERATE
@_STDIN
@_options
def add(
    name: str,
    extension: str | None,
    number: str | None,
    display: str | None,
    generate: bool,
    piped: bool,
    users: Path | None,
    policy: Path | None,
    realm: str | None,
    as_json: bool,
) -> None:
    """Add the account NAME."""
    from b2bua.operator.accounts_changed import find_accounts

    given = {"extension": extension, "number": number, "display": display}
    facts = {fact: value for fact, value in given.items() if value is not None}
    with _told():
        accounts = find_accounts(users, policy, realm)
        password = _password(name, generate, piped)
        file = accounts.add(name, password, facts)
    _say("added", name, file, accounts.realm, password if generate else None, as_json)


@user.command()
@click.argument("name", shell_complete=user_names)
@_GENERATE
@_STDIN
@_options
def passwd(
    name: str,
    generate: bool,
    piped: bool,
    users: Path | None,
    policy: Path | None,
    realm: str | None,
    as_json: bool,
) -> None:
    """Give the account NAME another password."""
    from b2bua.operator.accounts_changed import find_accounts

    with _told():
        accounts = find_accounts(users, policy, realm)
        accounts.file_of(name)
        password = _password(name, generate, piped)
        file = accounts.prove(name, password)
    _say("has another password", name, file, accounts.realm, password if generate else None, as_json)


@user.command()
@click.argument("name", shell_complete=user_names)
@_options
def remove(name: str, users: Path | None, policy: Path | None, realm: str | None, as_json: bool) -> None:
    """Remove the account NAME. Its phones can call and register no more; calls in progress go on."""
    from b2bua.operator.accounts_changed import find_accounts

    with _told():
        accounts = find_accounts(users, policy, realm)
        file = accounts.remove(name)
    _say("removed", name, file, accounts.realm, None, as_json)


def _password(name: str, generate: bool, piped: bool) -> str:
    """From where it was said to come. Raises UsageError where nobody can be asked, ServerError for a bad one."""
    from b2bua.io.failure import ServerError

    if generate and piped:
        raise click.UsageError("--generate makes a password, --stdin reads one: give one of them")
    if generate:
        return made_password()
    if piped:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise click.UsageError("there is no terminal to ask for the password: give --stdin or --generate")
    if len(password) < LEAST_CHARACTERS:
        raise ServerError(f"this password is too short: take at least {LEAST_CHARACTERS} characters, or --generate one")
    return password


def _say(what: str, name: str, file: Path, realm: str, password: str | None, as_json: bool) -> None:
    if as_json:
        said: dict[str, Any] = {"user": name, "file": str(file), "realm": realm}
        click.echo(json.dumps(said | ({} if password is None else {"password": password}), indent=2))
        return
    click.echo(f"{name} {what}: {file}, realm {realm}")
    if password is not None:
        click.echo(f"password: {password}")


@contextmanager
def _told() -> Iterator[None]:
    """Tell what is refused, with its places, and end with 1."""
    from dsl.diagnostics import PolicyError

    try:
        with refusals():
            yield
    except PolicyError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
