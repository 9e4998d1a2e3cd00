"""`b2bua run`: settings and policy together, and what a newcomer has to know said at the start."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import msgspec

from b2bua import __version__
from b2bua.io.failure import ServerError
from b2bua.io.listening import address_text, listener_text
from b2bua.io.log import open_log
from b2bua.io.server import Plan, serve
from b2bua.operator.accounts import shown_accounts
from b2bua.operator.desk.secret import read_secret
from b2bua.operator.policy_file import load_policy, problems_text, remarks
from b2bua.operator.settings_file import DEFAULT_LISTEN, read_settings, unusable
from b2bua.settings import Listener, Records, Settings
from dsl.diagnostics import joined
from dsl.files import Files


def run(
    policy_path: Path,
    settings_path: Path | None,
    listen: tuple[Listener, ...],
    state: Path,
    log_json: bool,
    trace: Path | None,
) -> None:
    """Run a server until it is told to end. Raises SettingsError, PolicyError or ServerError."""
    settings = _settings(settings_path, listen)
    files = Files()
    policy = load_policy(policy_path, files, shown=True)
    if told := remarks(policy):
        print(problems_text(told), file=sys.stderr)
    load = partial(load_policy, policy_path)
    plan = Plan(settings, policy, files, load, state, open_log(log_json), trace, log_json)
    serve(plan, partial(_announce, plan))


def _settings(path: Path | None, listen: tuple[Listener, ...]) -> Settings:
    """The file's settings; listen addresses of the command line replace all of the file's."""
    try:
        settings = Settings(DEFAULT_LISTEN) if path is None else read_settings(path)
    except OSError as error:
        raise ServerError(f"cannot read the settings file {path}: {error.strerror}") from None
    if listen:
        settings = msgspec.structs.replace(settings, listen=tuple(dict.fromkeys(listen)))
    wrong = unusable(settings)
    if wrong is not None:
        raise ServerError(f"the settings cannot be used: {wrong}")
    _try_records(settings.records)
    return settings


def _try_records(records: Records) -> None:
    """See that call records can be handed on. Raises ServerError."""
    if records.secret:
        read_secret(Path(records.secret))
    if records.csv:
        try:
            os.close(os.open(records.csv, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640))
        except OSError as error:
            why = (error.strerror or "it is refused").lower()
            raise ServerError(f"cannot write call records to {records.csv}: {why}; see `csv` of `records`") from None


def _announce(plan: Plan) -> None:
    policy, settings = plan.policy, plan.settings
    listens = joined((listener_text(listener) for listener in settings.listen), "and")
    print(f"b2bua {__version__} listens on {listens}")
    print(f"policy {policy.name}, version {policy.hash}, from {policy.path}; state in {plan.state}")
    accounts = shown_accounts(policy, settings, sys.stdout.isatty())
    if accounts:
        print(f"\nPhones register at {_registrar(settings)} with one of these accounts:\n{accounts}\n")
    sys.stdout.flush()


def _registrar(settings: Settings) -> str:
    first = settings.listen[0]
    parameter = ";transport=tls" if first.transport == "TLS" else ""
    return f"sip:{address_text(settings.advertise or first.host, first.port)}{parameter}"
