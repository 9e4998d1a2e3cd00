"""`b2bua check`, which runs at each save of an editor: nothing is imported for it that it does not need."""

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path

import click

from b2bua.operator.options import JSON
from b2bua.operator.script_argument import Script

_OBJECTS_BETWEEN_LOOKS = 100_000


@click.command()
@click.argument("policies", nargs=-1, required=True, type=Script(), metavar="POLICY...")
@JSON
def check(policies: tuple[Path, ...], as_json: bool) -> None:
    """Say everything that is wrong with each POLICY, and what holds where it says nothing."""
    # What a policy is made of lasts as long as the process: no time is spent on looking for garbage in it.
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    atexit.register(gc.freeze)
    from b2bua.operator.policy_file import check_json, check_policy, check_text, problems_text

    checked = [check_policy(path, shown=not as_json) for path in policies]
    if as_json:
        click.echo(check_json(checked))
    for item in [] if as_json else checked:
        if item.told:
            click.echo(problems_text(item.told), err=True)
        if item.policy is not None:
            click.echo(check_text(item.policy))
    if any(item.policy is None for item in checked):
        sys.exit(1)
