"""`b2bua records`: call records for billing, as the server has them.

Owns the command. Leaves the rows to `cdr`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from b2bua.operator.options import JSON, SINCE, STATE, refusals, wall_since


@click.command()
@click.option("--csv", "as_csv", is_flag=True, help="CSV in the column order of Asterisk's Master.csv, without a head.")
@SINCE
@STATE
@JSON
def records(as_csv: bool, since: float | None, state: Path, as_json: bool) -> None:
    """Print the records of calls, in the order in which they began: for each called leg that was answered a row, and
    one for a call that nobody answered.

    Calls in progress are left out until a leg of theirs is over. The server need not run.
    """
    from b2bua.operator.cdr import lines, rows, table_of
    from b2bua.operator.desk.ended import begun_since

    with refusals():
        found = begun_since(state, wall_since(since))
    if as_json:
        click.echo(json.dumps([row for call in found for row in rows(call.legs)], indent=2))
    elif as_csv:
        sys.stdout.write("".join(lines(call.legs) for call in found))
    else:
        click.echo(table_of(row for call in found for row in rows(call.legs)))
