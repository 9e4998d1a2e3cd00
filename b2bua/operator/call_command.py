"""`b2bua show call`: what happened to one call, and why; its messages for other tools.

Owns the options, the terminal's width and its colours. Leaves finding the call to `call_lookup`, telling it to
`ladder`, which are imported when a call is asked for.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2bua.operator.known_names import call_ids
from b2bua.operator.options import JSON, STATE, refusals

if TYPE_CHECKING:
    from b2bua.operator.ladder.case import Case

_COLOURS = {"sentence": None, "decision": "cyan", "failure": "red", "remark": "yellow"}


@click.command()
@click.argument("name", metavar="ID", shell_complete=call_ids)
@click.option(
    "--width", type=click.IntRange(60, 1000), help="Characters to a line.  [default: the terminal's, 80 to 200]"
)
@click.option("--pcap", type=click.Path(path_type=Path), help="Write its messages to a new file for Wireshark instead.")
@click.option(
    "--sip", type=click.Path(path_type=Path), help="Write its messages to a new file as text (-: print them)."
)
@STATE
@JSON
def call(name: str, width: int | None, pcap: Path | None, sip: Path | None, state: Path, as_json: bool) -> None:
    """What happened to the call ID, in progress or past, and by which rules: a ladder of its messages.

    ID is as `show calls` and `history calls` have it, or a SIP Call-ID of one of its legs; a beginning will do that no
    other has.
    """
    from b2bua.operator.call_lookup import find_case
    from b2bua.operator.ladder.text import case_json, told_lines

    with refusals():
        case = find_case(state, name)
        if pcap is not None or sip is not None:
            _export(case, pcap, sip)
            return
    if as_json:
        click.echo(json.dumps(case_json(case), indent=2))
        return
    for line in told_lines(case, width or min(200, max(80, shutil.get_terminal_size((80, 24)).columns))):
        bold = line.kind == "sentence"
        click.echo(click.style(line.text, fg=_COLOURS.get(line.kind), bold=bold or None))


def _export(case: Case, capture: Path | None, text: Path | None) -> None:
    """Write the messages. Raises Refused where there are none, ServerError where a file cannot be written."""
    from b2bua.io.requests import Refused
    from b2bua.operator.ladder.pcap import pcap as captured
    from b2bua.operator.ladder.text import messages_text

    if not case.messages:
        raise Refused(f"there are no messages of call {case.call}: {case.unkept}")
    if capture is not None:
        _write(capture, captured(case.messages), len(case.messages))
    if text is not None:
        _write(text, messages_text(case).encode(), len(case.messages))


def _write(path: Path, data: bytes, count: int) -> None:
    from b2bua.operator.history import create

    if str(path) == "-":
        sys.stdout.buffer.write(data)
        return
    with create(path) as file:
        file.write(data)
    click.echo(f"{path}: {count} messages")
