"""What commands that ask a running server have in common: their options, and how they end.

Owns `--state`, `--json`, printing one answer, and exit code 1 with the reason where there is none.
"""

from __future__ import annotations

import sys
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
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


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
