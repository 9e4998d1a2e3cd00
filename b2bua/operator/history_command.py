"""`b2bua history`: calls that were, and how they were decided, as the server has kept it.

Owns the options, and in which words a time may be given. Leaves reading to `history` and `call_search`.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import click

from b2bua.operator.options import JSON, SINCE, STATE, refusals, wall_since

_TIMES = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_TIMES_OF_TODAY = ("%H:%M", "%H:%M:%S")


@click.group()
def history() -> None:
    """Calls that were, and how they were decided, as the server has kept it."""


@history.command()
@click.argument("file", type=click.Path(path_type=Path))
@SINCE
@STATE
def export(file: Path, since: float | None, state: Path) -> None:
    """Write it to a new FILE (`-`: standard output), for `plan --against` on another machine: a line of JSON a call."""
    from b2bua.operator.history import run_export

    with refusals():
        if said := run_export(file, wall_since(since), state):
            click.echo(said)


@history.command("list")
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many calls.")
@SINCE
@STATE
def list_(last: int, since: float | None, state: Path) -> None:
    """Show how the newest calls and registrations were decided, a line a decision."""
    from b2bua.operator.history import newest

    with refusals():
        click.echo(newest(state, wall_since(since), last))


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """A time as wall seconds: so long ago, a time of today, or a date with a time."""
    from b2bua.operator.settings_file import duration

    if text is None:
        return None
    if (seconds := duration(text)) is not None:
        return time.time() - seconds
    for form in (*_TIMES, *_TIMES_OF_TODAY):
        try:
            told = datetime.strptime(text, form)
        except ValueError:
            continue
        if form in _TIMES_OF_TODAY:
            told = datetime.combine(datetime.now().date(), told.time())
        return told.timestamp()
    raise click.BadParameter(f"{text} is no time: write such as 90min (ago), 03:15 or '2026-11-25 03:15'")


@history.command()
@click.argument("who", default="")
@click.option("--since", callback=_moment, metavar="TIME", help="Begun then or later: 2h (ago), 03:15, a date.")
@click.option("--until", callback=_moment, metavar="TIME", help="Begun then or earlier.")
@click.option("--failed", is_flag=True, help="Those that nobody answered, though the caller did not give up.")
@click.option(
    "--cause", type=click.IntRange(200, 699), help="Those of which a leg ended with this status, such as 486."
)
@click.option("--trunk", default="", metavar="NAME", help="Those that went by this trunk, or came from it.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many of the newest.")
@STATE
@JSON
def calls(
    who: str,
    since: float | None,
    until: float | None,
    failed: bool,
    cause: int | None,
    trunk: str,
    limit: int,
    state: Path,
    as_json: bool,
) -> None:
    """Find past calls, the newest last; with WHO, those in which it is (part of) a caller, a number or a target.

    `show call ID` tells all of one.
    """
    from b2bua.operator.call_search import Wanted, search, shown

    wanted = Wanted(
        who=who,
        since=since or 0.0,
        until=float("inf") if until is None else until,
        failed=failed,
        cause=cause,
        trunk=trunk,
        limit=limit,
    )
    with refusals():
        found = search(state, wanted)
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        click.echo(shown(found))
