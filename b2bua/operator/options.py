"""What commands that ask a running server have in common: their options, and how they end.

Owns `--state`, `--json`, `--since`, printing one answer, and exit code 1 with the reason where there is none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from b2bua.io.requests import Request

STATE = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("state"),
    show_default=True,
    help="The server's state directory.",
)


def _seconds(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    from b2bua.operator.settings_file import duration

    seconds = None if text is None else duration(text)
    if text is not None and seconds is None:
        raise click.BadParameter(f"{text} is no duration: write such as 30min, 24h or 7d")
    return seconds


SINCE = click.option(
    "--since", callback=_seconds, metavar="DURATION", help="No older calls than that, such as 24h.  [default: all]"
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def wall_since(since: float | None) -> float:
    """From which time on (wall seconds), with what SINCE gives."""
    return 0.0 if since is None else time.time() - since


def show_answer(state: Path, request: Request, as_json: bool, text: Callable[[Any], str]) -> None:
    """Ask the server, and print what it says: as JSON, or what `text` makes of it."""
    import json

    from b2bua.operator.client import ask

    with refusals():
        shown = ask(state, request)
    click.echo(json.dumps(shown, indent=2) if as_json else text(shown))


@contextmanager
def refusals() -> Iterator[None]:
    """Say why something is refused, or why there is nobody to ask, and end with 1."""
    from b2bua.io.failure import ServerError
    from b2bua.io.requests import Refused

    try:
        yield
    except (Refused, ServerError) as error:
        refuse(error)


def refuse(error: Exception | str) -> NoReturn:
    """Say why, and end with 1."""
    click.echo(f"b2bua: {error}", err=True)
    sys.exit(1)
