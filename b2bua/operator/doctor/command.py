"""`b2bua doctor`: the options, and the order in which things are looked at.

A running server is asked, and never disturbed: nothing is bound that it has, and its trunks are not asked again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from b2bua.io.failure import ServerError
from b2bua.io.requests import Refused, ShowStatus, ShowTrunks
from b2bua.operator.client import ask
from b2bua.operator.doctor import files, findings, machine, network, trunks
from b2bua.operator.doctor.findings import Finding, failure, first_told, ok, warning
from b2bua.operator.options import JSON, STATE
from b2bua.operator.script_argument import Script
from b2bua.operator.settings_file import DEFAULT_LISTEN, SettingsError, read_settings, unusable
from b2bua.settings import Settings


@click.command()
@click.argument("policy", required=False, type=Script())
@click.option("--settings", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A YAML file.")
@STATE
@JSON
def doctor(policy: Path | None, settings: Path | None, state: Path, as_json: bool) -> None:
    """Look at everything that a server needs, and say what to do where it is not well.

    POLICY is that of the server, else the only script here. Where no server runs, its trunks are asked by a real
    OPTIONS, and registered at for a moment. Exits with 1 when something does not work.
    """
    found = examine(policy, settings, state)
    click.echo(findings.as_json(found) if as_json else findings.text(found))
    if any(finding.state == "failure" for finding in found):
        sys.exit(1)


def examine(policy: Path | None, settings_path: Path | None, state: Path) -> list[Finding]:
    """All findings, in the order in which they are shown."""
    offset = machine.clock_offset()
    status = _status(state)
    found = [machine.build(), _server(state, status)]
    said, settings = _settings(settings_path)
    found += said
    if settings is None:
        return found
    policy_said, loaded = files.policy(policy or _policy(status))
    found += policy_said
    if loaded is not None:
        found += files.users(loaded) + files.sounds(loaded)
    listening = network.listening(settings, status)
    found += listening + network.known_as(settings, loaded) + network.media_ports(settings, status)
    found += files.certificates(settings)
    if loaded is not None:
        found += trunks.names(settings, loaded)
        if status is not None:
            found += trunks.served(_rows(state))
        elif any(each.state == "failure" for each in listening):
            told = "not asked: they would take us for another program, the one that has our addresses"
            found += [warning("trunks", told, "mend what is said of `listen` first")] if loaded.trunks else []
        else:
            found += trunks.tried(settings, loaded)
    return [*found, machine.disk(state, settings), machine.open_files(settings), *machine.clock(offset)]


def _settings(path: Path | None) -> tuple[list[Finding], Settings | None]:
    if path is None:
        settings, said = Settings(DEFAULT_LISTEN), "none named: what holds where nothing is set"
    else:
        try:
            settings, said = read_settings(path), str(path)
        except SettingsError as error:
            advice = error.problems[0].advice or "see docs/settings.md"
            return [failure("settings", first_told(error.problems), advice)], None
        except OSError as error:
            return [failure("settings", f"{path} cannot be read: {error.strerror}", "let its mode allow it")], None
    if (wrong := unusable(settings)) is not None:
        return [failure("settings", f"{said} cannot be used: {wrong}", "see docs/settings.md")], None
    return [ok("settings", said)], settings


def _status(state: Path) -> Mapping[str, Any] | None:
    """How the running server is; None where none runs."""
    try:
        status: Any = ask(state, ShowStatus())
    except (ServerError, Refused):
        return None
    known: Mapping[str, Any] = status
    return known


def _server(state: Path, status: Mapping[str, Any] | None) -> Finding:
    if status is None:
        return ok("server", f"none runs with the state directory {state}")
    return ok("server", f"process {status['pid']} runs, with policy {status['policy']['hash']} in force")


def _policy(status: Mapping[str, Any] | None) -> Path | None:
    """The running server's, else the only script in this folder."""
    if status is not None and (path := Path(status["policy"]["path"])).exists():
        return path
    scripts = list(Path().glob("*.route"))
    return scripts[0] if len(scripts) == 1 else None


def _rows(state: Path) -> list[Mapping[str, Any]]:
    try:
        rows: Any = ask(state, ShowTrunks())
    except (ServerError, Refused):
        # It has ended meanwhile.
        return []
    return list(rows)
