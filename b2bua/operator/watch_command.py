"""`b2bua watch`: new calls as they come, a line for each thing that happens to them, until Ctrl-C.

Owns looking: it asks the server twice a second for what is new, and reads from the store what has ended. Between two
looks the server knows nothing of who watches, so that whoever stops reading holds up nobody.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path, PurePath
from typing import Any

import click

from b2bua.operator.options import JSON, STATE, refusals

_SECONDS = 0.5
"""Between two looks."""


@click.command()
@click.argument("who", metavar="[NUMBER]", default="")
@STATE
@JSON
def watch(who: str, state: Path, as_json: bool) -> None:
    """Follow new calls: a line when one begins, is answered, ends, with the rule that decided last.

    With NUMBER those in which it is (part of) the caller, what was dialled, who is called, or the source address. Ends
    at Ctrl-C.
    """
    with refusals(), contextlib.suppress(KeyboardInterrupt):
        _follow(who, state, as_json)


def _follow(who: str, state: Path, as_json: bool) -> None:
    """Look, tell, wait, for ever. Raises Refused and ServerError."""
    import msgspec

    from b2bua.io.requests import ShowStatus, WatchCalls
    from b2bua.operator.client import ask
    from b2bua.operator.read_store import read_store
    from b2bua.operator.watching import Watch, last_row, new_records

    watching = Watch(who)
    status: Any = ask(state, ShowStatus())
    file = PurePath(status["policy"]["path"]).name
    now: Any = ask(state, WatchCalls(float("1e18")))
    since = now["now"]
    with read_store(state) as store:
        row = last_row(store)
        click.echo(f"watching {f'calls of {who}' if who else 'all calls'}; Ctrl-C ends it", err=True)
        while True:
            time.sleep(_SECONDS)
            shown: Any = ask(state, WatchCalls(since, watching.open))
            since = shown["now"]
            records = new_records(store, row)
            row = records[-1].row if records else row
            for news in watching.look(shown["calls"], records):
                click.echo(json.dumps(msgspec.to_builtins(news)) if as_json else news.line(file))
