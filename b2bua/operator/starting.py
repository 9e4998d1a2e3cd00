"""`b2bua init`: a folder with all that a first server needs.

Owns what is put into the files of `starter`, and that nothing is ever overwritten. Passwords are made here, stored as
digests, and shown once.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shlex
import socket
from contextlib import suppress
from pathlib import Path
from string import Template

import click
import msgspec

from b2bua.io.failure import ServerError
from b2bua.io.listening import address_text
from b2bua.operator.listen import parse_listener
from b2bua.operator.options import JSON, refusals
from b2bua.operator.show import table
from b2bua.operator.user_command import made_password
from b2bua.operator.users_text import UsersText, digests

_STARTER = Path(__file__).parent / "starter"
_PEOPLE = (("alice", "201"), ("bob", "202"), ("carol", "203"))
_ELSEWHERE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737): which of ours would speak to it is the one towards the world."""

_LOOPBACK = "127.0.0.1"


class Started(msgspec.Struct, frozen=True):
    """What there is now: the folder and its files, where phones register, and who can, as name, extension, password."""

    folder: str
    files: tuple[str, ...]
    host: str
    port: int
    domain: str
    accounts: tuple[tuple[str, str, str], ...]


def start(folder: Path, host: str, port: int, domain: str, media: tuple[int, int]) -> Started:
    """Write everything. Raises ServerError where something is there already, or cannot be written."""
    accounts = tuple((name, extension, made_password()) for name, extension in _PEOPLE)
    network = ipaddress.ip_network(f"{host}/{64 if ':' in host else 24}", strict=False)
    words = {
        "domain": domain,
        "address": host,
        "port": str(port),
        "listen": address_text(host, port),
        "network": str(network),
        "first_port": str(media[0]),
        "last_port": str(media[1]),
    }
    texts = {
        each.name: Template(each.read_text(encoding="utf-8")).substitute(words) for each in sorted(_STARTER.iterdir())
    }
    users = Path("users.yaml")
    for name, extension, password in accounts:
        text = UsersText(users, texts[users.name])
        facts = {"extension": extension, "display": name.title()}
        texts[users.name] = text.added(name, digests(name, domain, password), facts)
    _write(folder, texts)
    return Started(str(folder), tuple(texts), host, port, domain, accounts)


def own_address() -> str:
    """The address of this machine that others reach it by; that of loopback where there is none."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # Connecting a datagram socket sends nothing.
        sock.connect(_ELSEWHERE)
        host: str = sock.getsockname()[0]
        return host
    return _LOOPBACK


def _write(folder: Path, texts: dict[str, str]) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ServerError(f"{folder} is not empty; name a folder that is, or one that is not there yet")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in texts.items():
            with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
    except OSError as error:
        raise ServerError(f"cannot write {folder}: {(error.strerror or 'it is refused').lower()}") from None


def started_text(started: Started) -> str:
    """What to do next, and what to enter in a phone."""
    rows = [(name, password, extension) for name, extension, password in started.accounts]
    return f"""{started.folder} has {", ".join(started.files)}

  cd {shlex.quote(started.folder)}
  b2bua run office.route --settings settings.yaml

In a phone enter as server (registrar, proxy, domain) {started.host}, as port {started.port}, by UDP or TCP, and one of
{table(("USER NAME", "PASSWORD", "DIAL"), rows)}

These passwords are not shown again: `b2bua user passwd NAME --generate` makes another. *43 lets a phone hear itself."""


def _listen(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    try:
        listener = parse_listener(f"udp:{text}")
    except ValueError:
        raise click.BadParameter(
            f"`{text}` is no address: write such as 192.0.2.10:5060 or [2001:db8::1]:5060"
        ) from None
    return listener.host, listener.port


def _domain(_: click.Context, __: click.Parameter, text: str) -> str:
    if not text.isascii() or not all(part and part.replace("-", "a").isalnum() for part in text.split(".")):
        raise click.BadParameter(f"`{text}` is no domain: write such as pbx.example.com")
    return text.lower()


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--listen", callback=_listen, metavar="HOST:PORT", help="Where phones reach it.  [default: this machine, port 5060]"
)
@click.option(
    "--domain", callback=_domain, default="pbx.home.arpa", show_default=True, help="The domain, and the digests' realm."
)
@click.option("--media", type=(int, int), default=(20_000, 21_999), show_default=True, help="First and last port.")
@JSON
def init(folder: Path, listen: tuple[str, int] | None, domain: str, media: tuple[int, int], as_json: bool) -> None:
    """Write a policy, users with random passwords and settings into the new folder DIR, to begin with.

    All is commented, passes `check` and `test`, and runs. A folder that has something in it is left alone.
    """
    host, port = listen or (own_address(), 5060)
    with refusals():
        started = start(folder, host, port, domain, media)
    shown = msgspec.to_builtins(started)
    click.echo(json.dumps(shown, indent=2) if as_json else started_text(started))
