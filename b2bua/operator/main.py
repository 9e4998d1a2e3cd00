"""The command line: `b2bua run`, `check`, `fmt`, `language-server`, `test`, `explain`, `plan`, `history`, and what a
server is asked.

Owns arguments and exit codes: 0 done, 1 refused or failed, 2 not understood. What a command needs is imported when
it is called: `check` runs at each save of an editor, and has no time for what serves calls.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from b2bua import __version__
from b2bua.operator.options import JSON, SINCE, STATE, refusals, refuse, show_answer, wall_since
from b2bua.operator.script_argument import Script

if TYPE_CHECKING:
    from b2bua.settings import Listener

_POLICY = click.argument("policy", type=Script())
_OBJECTS_BETWEEN_LOOKS = 100_000


def _listeners(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Listener, ...]:
    from b2bua.operator.listen import ADVICE, parse_listener

    try:
        return tuple(parse_listener(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(f"{error}: {ADVICE}") from None


def _call_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from b2bua.operator.known_names import call_ids

    return call_ids(ctx, param, incomplete)


def _trunk_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from b2bua.operator.known_names import trunk_names

    return trunk_names(ctx, param, incomplete)


class _Commands(click.Group):
    """Those below, and those of modules that are imported when one of theirs is called, or listed."""

    elsewhere: ClassVar[dict[str, str]] = {
        "history": "b2bua.operator.history_command",
        "init": "b2bua.operator.starting",
        "show": "b2bua.operator.show_command",
        "unban": "b2bua.operator.security",
        "user": "b2bua.operator.user_command",
        "watch": "b2bua.operator.watch_command",
    }
    """The module of each, where it goes by its own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted([*super().list_commands(ctx), *self.elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        module = self.elsewhere.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(module), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="b2bua")
def main() -> None:
    """A SIP back-to-back user agent whose routing is written in a small language."""
    # What peers wrote may hold characters that this terminal has not.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@main.command()
@_POLICY
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


@main.command()
@click.argument("policies", nargs=-1, required=True, type=Script(), metavar="POLICY...")
@JSON
def check(policies: tuple[Path, ...], as_json: bool) -> None:
    """Say everything that is wrong with each POLICY, and what holds where it says nothing."""
    # What a policy is made of lasts as long as the process: no time is spent on looking for garbage in it.
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    atexit.register(gc.freeze)
    from b2bua.operator.policy_file import check_json, check_policy, check_text, problems_text

    checked = [check_policy(path) for path in policies]
    if as_json:
        click.echo(check_json(checked))
    for item in [] if as_json else checked:
        if item.told:
            click.echo(problems_text(item.told), err=True)
        if item.policy is not None:
            click.echo(check_text(item.policy))
    if any(item.policy is None for item in checked):
        sys.exit(1)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where something would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
def fmt(files: tuple[str, ...], check: bool, diff: bool) -> None:
    """Put each FILE into the one style, or standard input (`-`), which goes to standard output.

    Comments stay, nothing is reordered, and what it means stays the same. A FILE that cannot be read is left alone.
    """
    from b2bua.operator.format_files import format_files

    if not format_files(files, check, diff):
        sys.exit(1)


@main.command("language-server")
def language_server() -> None:
    """Tell an editor what is wrong while you write, and answer what it asks (the Language Server Protocol).

    The editor starts it, and speaks with it by standard input and output.
    """
    from importlib.util import find_spec

    if find_spec("pygls") is None:
        refuse("the language server is not installed: pip install 'b2bua[editor]'")
    from b2bua.operator.language_server import serve

    serve()


@main.command()
@_POLICY
@click.option("--only", multiple=True, metavar="TITLE", help="Run the tests alone whose titles are this, or hold it.")
@click.option("--coverage", is_flag=True, help="List every rule that no test fired.")
@JSON
def test(policy: Path, only: tuple[str, ...], coverage: bool, as_json: bool) -> None:
    """Run the tests in POLICY: no network, and a clock that only they move."""
    from b2bua.operator.policy_file import load_policy
    from b2bua.operator.testing import run_tests

    with _told_problems():
        tested = run_tests(load_policy(policy), coverage, only)
    click.echo(tested.json if as_json else tested.text)
    if not tested.passed:
        sys.exit(1)


@main.command()
@_POLICY
@click.argument("sentences", nargs=-1, required=True, metavar="SENTENCE...")
@click.option("--live", is_flag=True, help="Ask the running server: by its version in force, with what it knows now.")
@STATE
@JSON
def explain(policy: Path, sentences: tuple[str, ...], live: bool, state: Path, as_json: bool) -> None:
    """Say why a call would go as it would: every rule that is looked at, and why it matches or not.

    Each SENTENCE is one of a test: 'call from alice to bob source office', 'given bob is busy'. With `-` they are read
    from standard input, a line each. No call is made, and nothing is counted.
    """
    from b2bua.operator.explain import run_explain

    with refusals(), _told_problems():
        run_explain(policy, sentences, live, state, as_json)


@main.command()
@_POLICY
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of `history export`, in place of what the server has kept.",
)
@SINCE
@click.option("--allow-unknown", is_flag=True, help="Exit with 0 although some calls cannot be decided again.")
@STATE
@JSON
def plan(
    policy: Path, against: Path | None, since: float | None, allow_unknown: bool, state: Path, as_json: bool
) -> None:
    """Say what POLICY would have done otherwise with the calls that were.

    Exits with 1 when something would be otherwise, or cannot be known, and with 0 when nothing would. The server need
    not run, and notices nothing.
    """
    from b2bua.operator.plan import run_plan

    with refusals(), _told_problems():
        sys.exit(run_plan(policy, against, wall_since(since), state, as_json, allow_unknown))


@main.command()
@click.option(
    "--percent",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    help="Let the new version have so many of new calls; again with more, it has more.",
)
@STATE
@JSON
def reload(percent: int, state: Path, as_json: bool) -> None:
    """Let the server read its policy again; calls in progress keep theirs."""
    from b2bua.io.requests import Reload

    def text(shown: Any) -> str:
        if shown["before"] == shown["hash"]:
            return f"policy {shown['policy']}: nothing has changed, version {shown['hash']}"
        if shown["percent"] < 100:
            share = f"{shown['percent']} % of new calls follow version {shown['hash']}"
            return f"policy {shown['policy']}: {share}, the others {shown['before']}"
        return f"policy {shown['policy']}: version {shown['hash']} in place of {shown['before']}"

    show_answer(state, Reload(percent), as_json, text)


@main.command()
@STATE
@JSON
def rollback(state: Path, as_json: bool) -> None:
    """Take the last version of the policy back, as it was loaded; what is on trial first.

    The files stay as they are: they are read again when one of them changes, or by `reload`.
    """
    from b2bua.io.requests import RollBack

    def text(shown: Any) -> str:
        if shown["before"] == shown["hash"]:
            return f"policy {shown['policy']}: the trial is over, all new calls follow version {shown['hash']}"
        return f"policy {shown['policy']}: version {shown['hash']} again, in place of {shown['before']}"

    show_answer(state, RollBack(), as_json, text)


@main.command()
@click.argument("call", shell_complete=_call_ids)
@STATE
@JSON
def hangup(call: str, state: Path, as_json: bool) -> None:
    """End the call with the id CALL, as `show calls` names it."""
    from b2bua.io.requests import HangUp

    show_answer(state, HangUp(call), as_json, lambda shown: f"hung up {shown['call']}")


@main.command()
@click.argument("name", shell_complete=_trunk_names)
@click.argument("what", type=click.Choice(["disable", "enable"]))
@STATE
@JSON
def trunk(name: str, what: str, state: Path, as_json: bool) -> None:
    """Let no new calls use the trunk NAME, or let them again; it stays so after a restart.

    Calls in progress go on. While it is disabled, we are not registered there, and its calls get 503.
    """
    from b2bua.io.requests import SwitchTrunk

    def text(shown: Any) -> str:
        return f"trunk {shown['trunk']} is {'disabled' if shown['disabled'] else 'enabled'}"

    show_answer(state, SwitchTrunk(name, what == "disable"), as_json, text)


@contextmanager
def _told_problems() -> Iterator[None]:
    """Tell what is wrong with a policy that cannot be used, and end."""
    from dsl.diagnostics import PolicyError

    try:
        yield
    except PolicyError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
