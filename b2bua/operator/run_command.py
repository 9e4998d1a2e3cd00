"""`b2bua run`: its arguments, and how it ends where it cannot begin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2bua.operator.options import STATE, refuse
from b2bua.operator.script_argument import POLICY

if TYPE_CHECKING:
    from b2bua.settings import Listener


def _listeners(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Listener, ...]:
    from b2bua.operator.listen import ADVICE, parse_listener

    try:
        return tuple(parse_listener(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(f"{error}: {ADVICE}") from None


@click.command()
@POLICY
@click.option("--settings", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A YAML file.")
@click.option(
    "--listen",
    multiple=True,
    callback=_listeners,
    metavar="udp:HOST:PORT",
    help="An address to listen on, udp, tcp or tls; several may be given.  [default: 127.0.0.1:5060, both]",
)
@STATE
@click.option("--log-json", is_flag=True, help="Log lines of JSON.")
@click.option(
    "--trace", type=click.Path(dir_okay=False, path_type=Path), help="Add every message to this file, as JSON."
)
def run(
    policy: Path,
    settings: Path | None,
    listen: tuple[Listener, ...],
    state: Path,
    log_json: bool,
    trace: Path | None,
) -> None:
    """Serve calls and registrations as POLICY decides.

    SIGHUP reloads the policy. SIGTERM or Ctrl-C ends the server when its calls have ended, or hangs them up after a
    while; a second one ends it at once.
    """
    from b2bua.io.failure import ServerError
    from b2bua.operator.run import run as run_server
    from b2bua.operator.settings_file import SettingsError
    from dsl.diagnostics import PolicyError

    try:
        run_server(policy, settings, listen, state, log_json, trace)
    except (PolicyError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except ServerError as error:
        refuse(error)
