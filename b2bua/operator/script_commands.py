"""What is asked of a script: `b2bua fmt`, `language-server`, `test`, `explain`, `plan`.

Owns arguments and exit codes. What a command needs is imported when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from b2bua.operator.options import JSON, SINCE, STATE, refusals, refuse, wall_since
from b2bua.operator.script_argument import POLICY


@click.command()
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


@click.command("language-server")
def language_server() -> None:
    """Tell an editor what is wrong while you write, and answer what it asks (the Language Server Protocol).

    The editor starts it, and speaks with it by standard input and output.
    """
    from importlib.util import find_spec

    if find_spec("pygls") is None:
        refuse("the language server is not installed: pip install 'b2bua[editor]'")
    from b2bua.operator.language_server import serve

    serve()


@click.command()
@POLICY
@click.option("--only", multiple=True, metavar="TITLE", help="Run the tests alone whose titles are this, or hold it.")
@click.option("--coverage", is_flag=True, help="List every rule that no test fired.")
@JSON
def test(policy: Path, only: tuple[str, ...], coverage: bool, as_json: bool) -> None:
    """Run the tests in POLICY: no network, and a clock that only they move."""
    from b2bua.operator.policy_file import load_policy
    from b2bua.operator.testing import run_tests

    with _told_problems():
        tested = run_tests(load_policy(policy, shown=not as_json), coverage, only)
    click.echo(tested.json if as_json else tested.text)
    if not tested.passed:
        sys.exit(1)


@click.command()
@POLICY
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


@click.command()
@POLICY
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


@contextmanager
def _told_problems() -> Iterator[None]:
    """Tell what is wrong with a policy that cannot be used, and end."""
    from dsl.diagnostics import PolicyError

    try:
        yield
    except PolicyError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
